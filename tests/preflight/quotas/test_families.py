"""Which vCPU quota an instance type counts against."""

from __future__ import annotations

import botocore.session
import pytest

from preflight.quotas.families import FAMILIES, VCPU_QUOTAS, prefix_of, vcpu_quota, why_none

#: Prefixes whose quota nobody has documented: old generations, and Macs on Dedicated Hosts.
EXPLICITLY_UNKNOWN = {"cc", "cg", "cr", "hi", "hs", "mac"}

STANDARD, STANDARD_SPOT = "L-1216C47A", "L-34B43A08"


def code(instance_type: str, capacity: str) -> str | None:
    quota = vcpu_quota(instance_type, "spot" if capacity == "spot" else "on-demand")
    return quota.code if quota else None


def every_type_of_botocore() -> list[str]:
    model = botocore.session.get_session().get_service_model("ec2")
    return list(model.shape_for("InstanceType").enum)


def test_every_prefix_that_botocore_knows_is_mapped_or_explicitly_unknown() -> None:
    prefixes = {prefix_of(each) for each in every_type_of_botocore()}
    mapped = {prefix for family in FAMILIES for prefix in family.prefixes}

    assert len(prefixes) > 20
    assert prefixes - mapped <= EXPLICITLY_UNKNOWN
    assert mapped <= prefixes
    assert not mapped & EXPLICITLY_UNKNOWN


@pytest.mark.parametrize(
    ("instance_type", "on_demand", "spot"),
    [
        pytest.param("m5.large", STANDARD, STANDARD_SPOT, id="m is standard"),
        pytest.param("t2.medium", STANDARD, STANDARD_SPOT, id="t is standard"),
        pytest.param("im4gn.large", STANDARD, STANDARD_SPOT, id="im is standard"),
        pytest.param("is4gen.large", STANDARD, STANDARD_SPOT, id="is is standard"),
        pytest.param("inf1.xlarge", "L-1945791B", "L-B5D1601B", id="inf is not i"),
        pytest.param("trn1.32xlarge", "L-2C3B7624", "L-6B0D517C", id="trn is not t"),
        pytest.param("hpc6a.48xlarge", "L-F7808C92", None, id="hpc is not h and has no spot"),
        pytest.param("dl1.24xlarge", "L-6E869C2A", "L-85EED4F7", id="dl is not d"),
        pytest.param("mac2.metal", None, None, id="mac is not m and has no vCPU quota"),
        pytest.param("g5.xlarge", "L-DB2E81BA", "L-3819A6DF", id="g"),
        pytest.param("gr6.4xlarge", "L-DB2E81BA", "L-3819A6DF", id="gr counts as g"),
        pytest.param("vt1.3xlarge", "L-DB2E81BA", "L-3819A6DF", id="vt counts as g"),
        pytest.param("p2.xlarge", "L-417A185B", "L-7212CCBC", id="p2"),
        pytest.param("p4de.24xlarge", "L-417A185B", "L-7212CCBC", id="p4 by its generation"),
        pytest.param("p5en.48xlarge", "L-417A185B", "L-C4BD4855", id="p5 has a spot quota alone"),
        pytest.param("p6-b200.48xlarge", "L-417A185B", None, id="p6 spot is not known"),
        pytest.param("u-6tb1.metal", "L-43DA4232", None, id="letters end at a hyphen"),
        pytest.param("u7i-12tb.224xlarge", "L-43DA4232", None, id="high memory has no spot"),
        pytest.param("x2idn.16xlarge", "L-7295265B", "L-E3A00192", id="x"),
        pytest.param("f2.6xlarge", "L-74FC7D96", "L-88CF9481", id="f"),
        pytest.param("M5.LARGE", STANDARD, STANDARD_SPOT, id="case does not matter"),
        pytest.param("cc2.8xlarge", None, None, id="an old family is not known"),
        pytest.param("q9.large", None, None, id="a family of the future is not known"),
        pytest.param("", None, None, id="an empty name is not known"),
    ],
)
def test_an_instance_type_counts_against_its_family(
    instance_type: str, on_demand: str | None, spot: str | None
) -> None:
    assert code(instance_type, "on-demand") == on_demand
    assert code(instance_type, "spot") == spot


@pytest.mark.parametrize(
    ("instance_type", "capacity", "words"),
    [
        ("mac2.metal", "on-demand", "Dedicated Hosts"),
        ("q9.large", "spot", "not known"),
        ("hpc7a.12xlarge", "spot", "lists no Spot quota"),
        ("p6-b200.48xlarge", "spot", "not known"),
    ],
)
def test_a_missing_quota_has_a_reason(instance_type: str, capacity: str, words: str) -> None:
    assert words in why_none(instance_type, "spot" if capacity == "spot" else "on-demand")


def test_every_vcpu_quota_is_listed_once_and_can_be_counted() -> None:
    codes = [quota.code for quota in VCPU_QUOTAS]

    assert len(codes) == len(set(codes)) == 19
    assert all(quota.count is not None and quota.unit == "vCPU" for quota in VCPU_QUOTAS)
    assert all("ec2:DescribeInstances" in quota.actions for quota in VCPU_QUOTAS)

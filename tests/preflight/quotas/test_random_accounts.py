"""Counters over random accounts, shaped as AWS writes them, against a count made another way."""

from __future__ import annotations

from typing import Any

from botocore.session import get_session
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.aws import Aws, Identity
from preflight.once import Once
from preflight.quotas import looks
from preflight.quotas.catalogue import by_key
from preflight.quotas.usage import Usage

ME, OTHER = "111122223333", "999988887777"
VCPUS = {"m5.large": 2, "c7g.4xlarge": 16, "inf1.xlarge": 4, "trn1.2xlarge": 8, "g5.xlarge": 4}
#: Written out by hand, and not by the letter a name begins with: that is the trap.
FAMILY = {
    "m5.large": "L-1216C47A",
    "c7g.4xlarge": "L-1216C47A",
    "inf1.xlarge": "L-1945791B",
    "trn1.2xlarge": "L-2C3B7624",
    "g5.xlarge": "L-DB2E81BA",
}
SPOT = {
    "m5.large": "L-34B43A08",
    "c7g.4xlarge": "L-34B43A08",
    "inf1.xlarge": "L-B5D1601B",
    "trn1.2xlarge": "L-6B0D517C",
    "g5.xlarge": "L-3819A6DF",
}
TYPES = [{"InstanceType": n, "VCpuInfo": {"DefaultVCpus": v}} for n, v in VCPUS.items()]
USUAL = settings(max_examples=150, deadline=None)


def counted(service: str, code: str, within: str = "", **lists: list[Any]) -> float:
    aws = Aws("us-west-2")
    aws.identity = Identity(account=ME, arn=f"arn:aws:iam::{ME}:root", user_id=ME)
    once = Once()
    for name, rows in {"INSTANCE_TYPES": TYPES, **lists}.items():
        key = f"usage:us-west-2:{getattr(looks, name).key}"
        once.get(key, lambda rows=rows: rows)  # type: ignore[misc]
    quota = by_key(service, code)
    assert quota is not None
    assert quota.count is not None
    return quota.count(Usage(aws, once), within)


instances = st.lists(
    st.builds(
        lambda name, state, life, tenancy: {
            "InstanceType": name,
            "State": {"Name": state},
            "Placement": {"Tenancy": tenancy},
            **({"InstanceLifecycle": life} if life else {}),
        },
        st.sampled_from(sorted(VCPUS)),
        st.sampled_from(
            ["pending", "running", "shutting-down", "stopping", "stopped", "terminated"]
        ),
        st.sampled_from(["", "", "spot", "scheduled", "capacity-block"]),
        st.sampled_from(["default", "default", "dedicated", "host"]),
    ),
    max_size=25,
)


STATES = sorted(get_session().get_service_model("ec2").shape_for("CapacityReservationState").enum)
reservations = st.lists(
    st.builds(
        lambda name, state, unused, more, owner, kind: {
            "InstanceType": name,
            "State": state,
            "TotalInstanceCount": unused + more,
            "AvailableInstanceCount": unused,
            "OwnerId": owner,
            "ReservationType": kind,
        },
        st.sampled_from(sorted(VCPUS)),
        st.sampled_from(["active", "active", "pending", *STATES]),
        st.integers(0, 5),
        st.integers(0, 3),
        st.sampled_from([ME, ME, OTHER]),
        st.sampled_from(["default", "default", "capacity-block"]),
    ),
    max_size=6,
)
requests = st.lists(
    st.builds(
        lambda name, state: {"State": state, "LaunchSpecification": {"InstanceType": name}},
        st.sampled_from(sorted(VCPUS)),
        st.sampled_from(["open", "open", "active", "closed", "cancelled", "failed", "disabled"]),
    ),
    max_size=6,
)


@USUAL
@given(instances, reservations, requests)
def test_vcpus_of_every_family(account: list[Any], reserved: list[Any], asked: list[Any]) -> None:
    on_demand = dict.fromkeys(FAMILY.values(), 0)
    spot = dict.fromkeys(SPOT.values(), 0)
    for one in account:
        alive = one["State"]["Name"] in ("running", "pending")
        if not alive or one["Placement"]["Tenancy"] == "host":
            continue
        if "InstanceLifecycle" not in one:
            on_demand[FAMILY[one["InstanceType"]]] += VCPUS[one["InstanceType"]]
        elif one["InstanceLifecycle"] == "spot":
            spot[SPOT[one["InstanceType"]]] += VCPUS[one["InstanceType"]]
    for one in reserved:
        if one["OwnerId"] == OTHER or one["ReservationType"] != "default":
            continue
        type, unused = one["InstanceType"], one["AvailableInstanceCount"]
        number = {
            "active": unused,
            "cancelling": unused,
            "pending": one["TotalInstanceCount"],
        }.get(one["State"], 0)
        on_demand[FAMILY[type]] += number * VCPUS[type]
    for one in asked:
        type = one["LaunchSpecification"]["InstanceType"]
        spot[SPOT[type]] += VCPUS[type] if one["State"] == "open" else 0

    found = {
        code: counted(
            "ec2",
            code,
            INSTANCES=account,
            CAPACITY_RESERVATIONS=reserved,
            SPOT_REQUESTS=asked,
        )
        for code in on_demand | spot
    }

    assert found == on_demand | spot


gateways = st.lists(
    st.tuples(
        st.sampled_from(["subnet-1", "subnet-2", "subnet-3", ""]),
        st.sampled_from(["pending", "available", "deleting", "deleted", "failed"]),
    ),
    max_size=20,
)
ZONES = {"subnet-1": "us-west-2a", "subnet-2": "us-west-2b", "subnet-3": "us-west-2b"}
SUBNETS = [{"SubnetId": subnet, "AvailabilityZone": zone} for subnet, zone in ZONES.items()]


@USUAL
@given(gateways, st.sampled_from(["us-west-2a", "us-west-2b", "us-west-2c"]))
def test_gateways_of_a_zone(account: list[tuple[str, str]], zone: str) -> None:
    rows = [
        {"State": state, **({"SubnetId": subnet} if subnet else {})} for subnet, state in account
    ]
    live = [subnet for subnet, state in account if state in ("pending", "available", "deleting")]

    found = counted("vpc", "L-FE5A380F", zone, NAT_GATEWAYS=rows, SUBNETS=SUBNETS)

    assert found == sum(ZONES.get(subnet, zone) == zone for subnet in live)


addresses = st.lists(
    st.tuples(
        st.sampled_from([None, "amazon", "ipv4pool-ec2-1"]),
        st.sampled_from([None, "alb", "rds", "nlb"]),
    ),
    max_size=20,
)


@USUAL
@given(addresses)
def test_addresses_that_count(account: list[tuple[str | None, str | None]]) -> None:
    rows = [
        {
            **({"PublicIpv4Pool": pool} if pool else {}),
            **({"ServiceManaged": whose} if whose else {}),
        }
        for pool, whose in account
    ]
    brought = sum(pool == "ipv4pool-ec2-1" for pool, _ in account)
    managed = sum(whose is not None for pool, whose in account if pool != "ipv4pool-ec2-1")

    assert counted("ec2", "L-0263D0A3", ADDRESSES=rows) == len(rows) - brought - managed


groups = st.lists(
    st.tuples(
        st.sampled_from([ME, OTHER]),
        st.lists(st.tuples(*[st.integers(0, 4)] * 4), max_size=4),
        st.lists(st.tuples(*[st.integers(0, 4)] * 4), max_size=4),
    ),
    max_size=6,
)


def _permission(v4: int, v6: int, pairs: int, lists: int) -> dict[str, Any]:
    return {
        "IpRanges": [{}] * v4,
        "Ipv6Ranges": [{}] * v6,
        "UserIdGroupPairs": [{}] * pairs,
        "PrefixListIds": [{"PrefixListId": "pl-1"}] * lists,
    }


@USUAL
@given(groups)
def test_rules_of_the_fullest_group(account: list[Any]) -> None:
    rows = [
        {
            "GroupId": f"sg-{number}",
            "OwnerId": owner,
            "IpPermissions": [_permission(*each) for each in ingress],
            "IpPermissionsEgress": [_permission(*each) for each in egress],
        }
        for number, (owner, ingress, egress) in enumerate(account)
    ]
    entries = 7
    most = 0
    for owner, *directions in account:
        for direction in directions if owner == ME else ():
            ipv4 = sum(v4 + pairs + entries * lists for v4, _, pairs, lists in direction)
            ipv6 = sum(v6 + pairs for _, v6, pairs, _ in direction)
            most = max(most, ipv4, ipv6)
    prefix_list = {"PrefixListId": "pl-1", "MaxEntries": entries, "AddressFamily": "IPv4"}

    found = counted("vpc", "L-0EA8095F", SECURITY_GROUPS=rows, PREFIX_LISTS=[prefix_list])

    assert found == most


volumes = st.lists(
    st.tuples(st.sampled_from(["gp2", "gp3", "io1"]), st.integers(1, 16_384)), max_size=20
)


@USUAL
@given(volumes)
def test_storage_is_limited_in_tib_of_1024_gib(account: list[tuple[str, int]]) -> None:
    rows = [{"VolumeType": type, "Size": size} for type, size in account]
    gib = sum(size for type, size in account if type == "gp3")

    assert counted("ebs", "L-7A658B76", VOLUMES=rows) * 1024 == gib

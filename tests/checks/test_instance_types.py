"""Instance types: known, offered in the plan's zones, and fitting their image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checks.images import _mismatch
from checks.instance_types import instance_types
from preflight.facts import InstanceType
from preflight.finding import Status


def wanting(bench: Any, *types: str, zones: str = "ab") -> Any:
    wanted = [{"type": name, "capacity": ["on-demand"]} for name in types]
    network = {"zones": list(zones), "nat": "single"}
    return bench.context(instance_types=wanted, network=network)


def test_a_type_offered_in_all_zones_passes(bench: Any) -> None:
    assert bench.statuses(instance_types, wanting(bench, "m7i.large")) == {"m7i.large": Status.PASS}


def test_a_type_that_does_not_exist_fails_with_what_is_like_it(bench: Any) -> None:
    found = bench.ask(instance_types, wanting(bench, "m7i.larg", "m7i.large"))

    assert found["m7i.larg"].status is Status.FAIL
    assert "m7i.large" in found["m7i.larg"].hint
    assert found["m7i.large"].status is Status.PASS


def test_a_type_missing_from_one_zone_is_a_warning_and_from_all_a_failure(bench: Any) -> None:
    some = bench.ask(instance_types, wanting(bench, "g4dn.xlarge", zones="ad"))["g4dn.xlarge"]
    none = wanting(bench, "g4dn.xlarge", zones="ad")
    far = tuple(
        replace(each, zone="us-west-2d") if each.kind == "ec2/subnet" else each
        for each in none.plan.resources
    )
    found = bench.ask(instance_types, replace(none, plan=replace(none.plan, resources=far)))

    assert some.status is Status.WARN
    assert "us-west-2d" in some.message
    assert "us-west-2a" in some.hint
    assert some.data["near"]
    assert f"all zones of the plan offer {some.data['near'][0]}" in some.hint
    assert all(one.startswith("g") and one.endswith(".xlarge") for one in some.data["near"])
    assert found["g4dn.xlarge"].status is Status.FAIL
    assert "us-west-2a" in found["g4dn.xlarge"].hint


def test_all_types_are_looked_up_in_one_call(bench: Any) -> None:
    context = wanting(bench, "m7i.large", "g4dn.xlarge", "c6i.large")

    bench.ask(instance_types, context)

    assert context.aws.calls.by_operation == {"ec2:DescribeInstanceTypeOfferings": 1}


def test_an_old_generation_is_a_warning(bench: Any) -> None:
    found = bench.ask(instance_types, wanting(bench, "m4.large"))

    assert found["m4.large generation"].status is Status.WARN


def test_gpus_without_drivers_fail_and_so_do_drivers_without_gpus(bench: Any) -> None:
    context = wanting(bench, "g4dn.xlarge", "m7i.large")
    assert Status.FAIL not in bench.statuses(instance_types, context).values()
    images = {"AL2023_x86_64_STANDARD": "AL2023_x86_64_NVIDIA"}
    images |= {new: old for old, new in images.items()}
    swapped = tuple(
        replace(each, ami_type=images[each.ami_type]) if each.kind == "eks/nodegroup" else each
        for each in context.plan.resources
    )

    found = bench.ask(
        instance_types, replace(context, plan=replace(context.plan, resources=swapped))
    )

    wrong = {subject for subject, one in found.items() if one.status is Status.FAIL}
    assert wrong == {
        "eks/nodegroup/g4dn-xlarge-on-demand image",
        "eks/nodegroup/m7i-large-on-demand image",
    }


def test_a_processor_without_an_image_fails(bench: Any) -> None:
    context = wanting(bench, "m7i.large")
    mac = InstanceType(name="m7i.large", vcpus=2, architectures=("x86_64_mac",))
    facts = replace(context.facts, instance_types={"m7i.large": mac})

    found = bench.ask(instance_types, replace(context, facts=facts))

    assert found["m7i.large architecture"].status is Status.FAIL


def test_types_that_could_not_be_looked_up_are_unknown(bench: Any) -> None:
    context = wanting(bench, "m7i.large")
    bench.deny("ec2:DescribeInstanceTypes")

    found = bench.ask(instance_types, bench.looked_up_anew(context))

    assert {one.status for one in found.values()} == {Status.UNKNOWN}
    assert found["instance types"].data["missing_action"] == "ec2:DescribeInstanceTypes"


@pytest.mark.parametrize(
    ("type", "image", "fits"),
    [
        ("inf2.xlarge", "AL2023_x86_64_NEURON", True),
        ("inf2.xlarge", "AL2023_x86_64_STANDARD", False),
        ("trn1.2xlarge", "AL2023_x86_64_NVIDIA", False),
        ("m7i.large", "AL2023_x86_64_NEURON", False),
        ("m7i.large", "AL2023_ARM_64_STANDARD", False),
        ("m7i.large", "BOTTLEROCKET_x86_64", True),
        ("m7i.large", "WINDOWS_CORE_2022_x86_64", True),
        ("m7g.large", "BOTTLEROCKET_ARM_64", True),
        ("m7g.large", "AL2023_x86_64_STANDARD", False),
        ("g5.xlarge", "BOTTLEROCKET_x86_64_NVIDIA", True),
        ("g5.xlarge", "CUSTOM", True),
    ],
)
def test_an_image_is_held_to_processor_and_accelerators(type: str, image: str, fits: bool) -> None:
    arm = type.startswith("m7g")
    known = InstanceType(
        name=type,
        vcpus=4,
        architectures=("arm64",) if arm else ("x86_64",),
        gpus=1 if type.startswith("g5") else 0,
    )

    assert (_mismatch(image, known) is None) is fits

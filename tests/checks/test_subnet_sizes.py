"""Addresses of subnets, and how many of them nodes and pods take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checks.subnet_sizes import addresses_of, pods_of, subnet_sizes
from preflight.facts import InstanceType
from preflight.finding import Status


def wanting(bench: Any, cidr: str, desired: int, most: int) -> Any:
    wanted = [
        {"type": "m7i.large", "desired": desired, "max": most, "capacity": ["on-demand"]},
    ]
    network = {"cidr": cidr, "zones": ["a", "b"], "nat": "single"}
    return bench.context(instance_types=wanted, network=network)


@pytest.mark.parametrize(
    ("cidr", "desired", "most", "status"),
    [
        ("10.0.0.0/16", 1, 10, Status.PASS),
        ("10.0.0.0/24", 1, 10, Status.WARN),
        ("10.0.0.0/24", 15, 15, Status.FAIL),
    ],
)
def test_addresses_are_held_to_the_nodes_and_their_pods(
    bench: Any, cidr: str, desired: int, most: int, status: Status
) -> None:
    context = wanting(bench, cidr, desired, most)

    found = bench.ask(subnet_sizes, context)["addresses"]

    assert found.status is status
    assert context.aws.calls.total == 0


def test_what_is_left_is_what_the_control_plane_and_the_endpoints_do_not_take(bench: Any) -> None:
    found = bench.ask(subnet_sizes, wanting(bench, "10.0.0.0/24", 1, 1))["addresses"]

    # Two private subnets of 64, five addresses of each AWS's; five endpoints in each; EKS's four.
    assert found.data["addresses"] == 2 * (64 - 5) - 2 * 5 - 4
    assert (found.data["at_start"], found.data["at_most"]) == (10, 30)


@pytest.mark.parametrize(
    ("type", "pods", "addresses"),
    [
        # https://github.com/awslabs/amazon-eks-ami: 29 pods on an m5.large, 58 on an m5.2xlarge
        (
            InstanceType(
                name="m5.large", vcpus=2, architectures=(), interfaces=3, addresses_each=10
            ),
            29,
            30,
        ),
        (
            InstanceType(
                name="m5.2xlarge", vcpus=8, architectures=(), interfaces=4, addresses_each=15
            ),
            58,
            60,
        ),
        (
            InstanceType(
                name="m5.4xlarge", vcpus=16, architectures=(), interfaces=8, addresses_each=30
            ),
            110,
            120,
        ),
        (
            InstanceType(
                name="m5.24xlarge", vcpus=96, architectures=(), interfaces=15, addresses_each=50
            ),
            250,
            300,
        ),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_pods_and_addresses_of_a_node(type: InstanceType, pods: int, addresses: int) -> None:
    assert (pods_of(type), addresses_of(type)) == (pods, addresses)


def test_types_that_could_not_be_looked_up_are_unknown(bench: Any) -> None:
    context = bench.context()
    bench.deny("ec2:DescribeInstanceTypes")

    found = bench.ask(subnet_sizes, bench.looked_up_anew(context))["addresses"]

    assert found.status is Status.UNKNOWN
    assert found.data["missing_action"] == "ec2:DescribeInstanceTypes"


def test_a_plan_without_nodes_has_nothing_to_count(bench: Any) -> None:
    context = bench.context()
    none = tuple(one for one in context.plan.resources if one.kind != "eks/nodegroup")

    found = bench.statuses(
        subnet_sizes, replace(context, plan=replace(context.plan, resources=none))
    )

    assert found == {"addresses": Status.SKIP}

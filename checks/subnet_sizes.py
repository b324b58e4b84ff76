"""Have the private subnets addresses enough for the nodes, and for the pods on them?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from preflight.check import Answer, Context, check
from preflight.facts import InstanceType
from preflight.finding import Status
from preflight.ranges import RESERVED_IN_SUBNET, network

#: How many pods a node of a managed node group takes at most, below and from 30 vCPUs.
#: https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html
FEW_VCPUS, PODS_OF_FEW, PODS_OF_MANY = 30, 110, 250
#: Pods that share the address of their node on every one: kube-proxy and the VPC CNI's own.
HOST_PODS = 2
#: EKS puts up to four interfaces of the control plane into the cluster's subnets.
#: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
CONTROL_PLANE = 4


@check(
    "subnet-sizes",
    "The subnets have addresses for all nodes and their pods",
    why=(
        "Every pod takes an address of its node's subnet. When these run out pods stay in"
        " ContainerCreating, and a subnet cannot be made larger."
    ),
    fix="Write a larger range into `network: cidr:`, or lower `max:` of the node groups.",
    url="https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html",
)
def subnet_sizes(context: Context) -> Iterator[Answer]:
    """Add up what the nodes take at the start and at most, and hold it to what subnets leave."""
    groups = [one.parameters for one in context.plan.resources if one.kind == "eks/nodegroup"]
    if not groups:
        yield Answer(status=Status.SKIP, subject="addresses", message="the plan has no node groups")
        return
    types = {str(name) for group in groups for name in group["instance_types"]}
    known = context.facts.instance_types
    unsaid = sorted(name for name in types if name not in known or not known[name].interfaces)
    if unsaid:
        gap = next((gap for gap in context.facts.gaps if gap.what == "instance types"), None)
        missing = gap.missing_action if gap else None
        yield Answer(
            status=Status.UNKNOWN,
            subject="addresses",
            message=f"how many addresses a node takes is not known of {', '.join(unsaid)}",
            hint=f"allow {missing}" if missing else "name types that EC2 knows in this Region",
            data={"missing_action": missing} if missing else {},
        )
        return
    first = last = 0
    for group in groups:
        found = [known[str(name)] for name in group["instance_types"]]
        first += group["desired"] * max(one.addresses_each for one in found)
        last += group["maximum"] * max(addresses_of(one) for one in found)
    yield _judged(_room(context), first, last, sum(group["maximum"] for group in groups))


def pods_of(type: InstanceType) -> int:
    """Say how many pods a node can have with the VPC CNI's defaults.

    https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html
    """
    most = PODS_OF_FEW if type.vcpus < FEW_VCPUS else PODS_OF_MANY
    return min(most, type.interfaces * (type.addresses_each - 1) + HOST_PODS)


def addresses_of(type: InstanceType) -> int:
    """Say how many addresses a node full of pods takes: the VPC CNI takes whole interfaces."""
    with_address = pods_of(type) - HOST_PODS
    interfaces = max(1, math.ceil(with_address / max(1, type.addresses_each - 1)))
    return min(type.interfaces, interfaces) * type.addresses_each


def _room(context: Context) -> int:
    """Count the addresses of private subnets that nothing else of the plan takes."""
    subnets = {
        one.address: network(str(one.parameters["cidr"])).num_addresses - RESERVED_IN_SUBNET
        for one in context.plan.resources
        if one.kind == "ec2/subnet" and not one.parameters["public"]
    }
    endpoints = sum(
        len(one.parameters["subnets"])
        for one in context.plan.resources
        if one.kind == "ec2/vpc-endpoint"
    )
    return sum(subnets.values()) - endpoints - CONTROL_PLANE


def _judged(room: int, first: int, last: int, nodes: int) -> Answer:
    facts = {"addresses": room, "at_start": first, "at_most": last, "nodes": nodes}
    left = f"the private subnets leave {max(room, 0):,} addresses"
    larger = "write a larger range into `network: cidr:`, or lower `max:`"
    if first > room:
        return Answer(
            status=Status.FAIL,
            subject="addresses",
            message=f"{left}, and the nodes to start with take {first:,}",
            hint=larger,
            data=facts,
        )
    if last > room:
        return Answer(
            status=Status.WARN,
            subject="addresses",
            message=f"{left}; all {nodes:,} nodes, full of pods, would take {last:,}",
            hint=larger,
            data=facts,
        )
    message = f"{left}; all {nodes:,} nodes, full of pods, take {last:,}"
    return Answer(status=Status.PASS, subject="addresses", message=message, data=facts)

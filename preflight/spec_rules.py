"""What a JSON Schema cannot say of a cluster: rules between two keys, and room for its nodes."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.ranges import overlap
from preflight.schemas import Mistake
from preflight.spec_values import ClusterSpec, InstanceType, Nat

#: Without these a node in a subnet with no way out never joins.
#: https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html
NEEDED_GATEWAYS = ("s3",)
NEEDED_INTERFACES = ("ec2", "ecr.api", "ecr.dkr", "sts")


def broken_rules(spec: ClusterSpec) -> Iterator[Mistake]:
    """Tell what in the spec contradicts itself or cannot work in any account."""
    yield from _instance_types(spec)
    yield from _network(spec)
    yield from _way_out(spec)
    yield from _api(spec)
    yield from _account(spec)
    yield from _access(spec)


def _instance_types(spec: ClusterSpec) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    pools: dict[str, str] = {}
    for index, wanted in enumerate(spec.instance_types):
        path = ("instance_types", index)
        earlier = first.setdefault(wanted.type, index)
        if earlier != index:
            yield Mistake(
                path=path,
                message=f"{wanted.type} is listed twice, first as instance_types[{earlier}]",
            )
            continue
        pool = wanted.pools[0].name.removesuffix(f"-{wanted.capacity[0]}")
        other = pools.setdefault(pool, wanted.type)
        if other != wanted.type:
            text = f"{wanted.type} and {other} would both be node group {pool}"
            yield Mistake(path=path, message=text)
        yield from _sizes(wanted, index)


def _sizes(wanted: InstanceType, index: int) -> Iterator[Mistake]:
    if wanted.min > wanted.max:
        text = f"min {wanted.min} is more than max {wanted.max}"
        yield Mistake(path=("instance_types", index, "min"), message=text)
    elif not wanted.min <= wanted.desired <= wanted.max:
        text = f"desired {wanted.desired} is not between min {wanted.min} and max {wanted.max}"
        yield Mistake(path=("instance_types", index, "desired"), message=text)


def _network(spec: ClusterSpec) -> Iterator[Mistake]:
    network = spec.network
    if network.service_cidr and overlap(network.cidr, network.service_cidr):
        text = f"{network.service_cidr} overlaps the VPC's {network.cidr}"
        yield Mistake(path=("network", "service_cidr"), message=text)
    try:
        subnets = network.subnets
    except ValueError as error:
        yield Mistake(path=("network", "cidr"), message=str(error))
        return
    nodes = sum(pool.desired for pool in spec.pools)
    room = sum(subnet.addresses for subnet in subnets if not subnet.public)
    if nodes > room:
        text = (
            f"{network.cidr} leaves {room} addresses in private subnets, fewer than the "
            f"{nodes} nodes to start with"
        )
        yield Mistake(path=("network", "cidr"), message=text)


def _way_out(spec: ClusterSpec) -> Iterator[Mistake]:
    if spec.network.nat is not Nat.NONE:
        return
    has = spec.network.endpoints
    missing = [name for name in NEEDED_GATEWAYS if name not in (*has.gateway, *has.interface)]
    missing += [name for name in NEEDED_INTERFACES if name not in has.interface]
    if missing:
        yield Mistake(
            path=("network", "nat"),
            message=f"without NAT the nodes need endpoints for {', '.join(missing)}",
            hint="add them to network.endpoints, or set nat to single",
        )


def _api(spec: ClusterSpec) -> Iterator[Mistake]:
    if not spec.api.private and not spec.api.public:
        yield Mistake(
            path=("api", "private"),
            message="nobody would reach the API server: neither private nor public",
        )
    if spec.api.public and not spec.api.public_cidrs:
        yield Mistake(
            path=("api", "public"),
            message="a public endpoint needs public_cidrs, the ranges that may reach it",
            hint='public_cidrs: ["203.0.113.0/24"]',
        )
    if spec.api.public_cidrs and not spec.api.public:
        yield Mistake(path=("api", "public_cidrs"), message="means nothing without public: true")


def _account(spec: ClusterSpec) -> Iterator[Mistake]:
    if spec.account and spec.role_arn and spec.role_arn.split(":")[4] != spec.account:
        text = f"the role is in account {spec.role_arn.split(':')[4]}, not in {spec.account}"
        yield Mistake(path=("role_arn",), message=text)


def _access(spec: ClusterSpec) -> Iterator[Mistake]:
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(spec.access):
        if (entry.principal, entry.policy) in seen:
            text = f"{entry.principal} has {entry.policy} twice"
            yield Mistake(path=("access", index), message=text)
        seen.add((entry.principal, entry.policy))

"""Quotas of networks that are no plain number of things: rules, routes, ranges, interfaces.

Rules and routes count by address family, a prefix list as its maximum number of entries.
https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from preflight.sandbox.quotas.ceilings import Ceiling
from preflight.sandbox.request import Request

FAMILIES = ("IPv4", "IPv6")


def _ec2(request: Request) -> Any:
    return request.world.backend("ec2", request.region)


def _of_list(request: Request, id: str) -> Counter[str]:
    """Count a prefix list in its family; AWS's own weigh little and moto does not say how much."""
    found = _ec2(request).managed_prefix_lists.get(id)
    most = int(getattr(found, "max_entries", None) or 1)
    return Counter({str(getattr(found, "address_family", None) or "IPv4"): most})


def _in_force(request: Request, rules: Iterable[Any]) -> Counter[str]:
    count: Counter[str] = Counter()
    for rule in rules:
        if rule.source_group:
            count.update(FAMILIES)
        elif rule.prefix_list_id:
            count += _of_list(request, rule.prefix_list_id)
        elif rule.ip_range:
            count["IPv6" if rule.ip_range.get("CidrIpv6") else "IPv4"] += 1
    return count


def _asked_for(request: Request, permissions: Iterable[Mapping[str, Any]]) -> Counter[str]:
    count: Counter[str] = Counter()
    for one in permissions:
        count["IPv4"] += len(one.get("IpRanges", ()))
        count["IPv6"] += len(one.get("Ipv6Ranges", ()))
        for _ in one.get("UserIdGroupPairs", ()):
            count.update(FAMILIES)
        for entry in one.get("PrefixListIds", ()):
            count += _of_list(request, entry["PrefixListId"])
    return count


def _rules(direction: str) -> Callable[[Request], None]:
    def refuse(request: Request) -> None:
        wanted = request.parameters.get("GroupId")
        groups = [found[wanted] for found in _ec2(request).groups.values() if wanted in found]
        used = _in_force(request, [r for g in groups for r in getattr(g, f"{direction}_rules")])
        # One rule can be given without a list of permissions, too.
        added = _asked_for(request, request.parameters.get("IpPermissions") or ())
        added = added or Counter({"IPv4": 1})
        for family in FAMILIES:
            Ceiling(
                quota=("vpc", "L-0EA8095F"),
                used=lambda _, family=family: used[family],  # type: ignore[misc]
                added=lambda _, family=family: added[family],  # type: ignore[misc]
                code="RulesPerSecurityGroupLimitExceeded",
                message="The maximum number of rules per security group has been reached.",
            )(request)

    return refuse


def refuse_route(request: Request) -> None:
    """CreateRoute within the routes of the table, by family and but the local ones."""
    given = request.parameters
    table = _ec2(request).route_tables.get(given["RouteTableId"])
    used: Counter[str] = Counter()
    for route in table.routes if table is not None else ():
        if route.local:
            continue
        if route.destination_prefix_list is not None:
            used += _of_list(request, route.destination_prefix_list.id)
        else:
            used["IPv6" if route.destination_ipv6_cidr_block else "IPv4"] += 1
    added = Counter({"IPv6" if given.get("DestinationIpv6CidrBlock") else "IPv4": 1})
    if id := given.get("DestinationPrefixListId"):
        added = _of_list(request, id)
    for family in FAMILIES:
        Ceiling(
            quota=("vpc", "L-93826ACB"),
            used=lambda _, family=family: used[family],  # type: ignore[misc]
            added=lambda _, family=family: added[family],  # type: ignore[misc]
            code="RouteLimitExceeded",
            message="The maximum number of routes has been reached.",
        )(request)


def _ranges(request: Request) -> int:
    vpc = _ec2(request).vpcs.get(request.parameters["VpcId"])
    if vpc is None:
        return 0
    blocks = vpc._cidr_block_association_set.values()  # noqa: SLF001 - moto has no other list
    return sum(
        ":" not in block["cidr_block"] and block["cidr_block_state"]["state"] != "disassociated"
        for block in blocks
    )


def _interfaces_of_instances(request: Request) -> int:
    each = len(request.parameters.get("NetworkInterfaces") or ()) or 1
    return each * int(request.parameters.get("MinCount") or 1)


def _most_groups(request: Request) -> int:
    given = request.parameters
    groups = [given.get("Groups"), given.get("SecurityGroupIds")]
    groups += [one.get("Groups") for one in given.get("NetworkInterfaces") or ()]
    return max(len(each or ()) for each in groups)


_INTERFACES = ("vpc", "L-DF5E4CA3"), "NetworkInterfaceLimitExceeded"
_GROUPS = Ceiling(
    quota=("vpc", "L-2AFB9258"),
    used=lambda _: 0,
    added=_most_groups,
    code="SecurityGroupsPerInterfaceLimitExceeded",
    message="The maximum number of security groups per interface has been reached.",
)


def refuse_instances(request: Request) -> None:
    """RunInstances within the network interfaces of the Region and the groups of each."""
    quota, code = _INTERFACES
    Ceiling(
        quota=quota,
        used=lambda r: len(_ec2(r).enis),
        added=_interfaces_of_instances,
        code=code,
        message="The maximum number of network interfaces has been reached.",
    )(request)
    _GROUPS(request)


RULES: dict[tuple[str, str], Callable[[Request], None]] = {
    ("ec2", "AssociateVpcCidrBlock"): Ceiling(
        quota=("vpc", "L-83CA0A9D"),
        used=_ranges,
        added=lambda r: int("CidrBlock" in r.parameters or "Ipv4IpamPoolId" in r.parameters),
        code="CidrLimitExceeded",
        message="This network already has a maximum of {limit} CIDRs.",
    ),
    ("ec2", "AuthorizeSecurityGroupEgress"): _rules("egress"),
    ("ec2", "AuthorizeSecurityGroupIngress"): _rules("ingress"),
    ("ec2", "CreateEgressOnlyInternetGateway"): Ceiling(
        quota=("vpc", "L-45FE3B85"),
        used=lambda r: len(_ec2(r).egress_only_internet_gateways),
        code="GatewayLimitExceeded",
        message="The maximum number of egress-only internet gateways has been reached.",
    ),
    ("ec2", "CreateNetworkInterface"): _GROUPS,
    ("ec2", "CreateRoute"): refuse_route,
    ("ec2", "ModifyNetworkInterfaceAttribute"): _GROUPS,
    ("ec2", "RunInstances"): refuse_instances,
}

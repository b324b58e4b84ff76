"""What EC2 refuses to delete because something depends on it: one table over moto's state.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html has the code
DependencyViolation; its messages are those that users quote:
https://github.com/hashicorp/terraform-provider-aws/issues/46747 (subnet, VPC),
https://github.com/hashicorp/terraform-provider-aws/issues/16165 (security group),
https://github.com/eksctl-io/eksctl/issues/253 (mapped addresses).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from preflight.sandbox.ec2.group_associations import GroupAssociations
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response

Blockers = Callable[[Any, str], Iterator[str]]


def vpc_blockers(ec2: Any, id: str) -> Iterator[str]:
    """Name what is left in a VPC; its main route table and its default group and ACL go with it.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html
    """
    yield from (
        subnet.id
        for zone in ec2.subnets.values()
        for subnet in zone.values()
        if subnet.vpc_id == id
    )
    yield from (eni.id for eni in ec2.enis.values() if eni.vpc_id == id)
    yield from _gateways(ec2, id)
    yield from (
        table.id
        for table in ec2.route_tables.values()
        if table.vpc_id == id and table.main_association_id is None
    )
    yield from (group.id for group in ec2.groups.get(id, {}).values() if not group.is_default)
    yield from (acl.id for acl in ec2.network_acls.values() if acl.vpc_id == id and not acl.default)
    yield from (e.id for e in ec2.vpc_end_points.values() if e.vpc_id == id)
    yield from (one.id for one in peerings(ec2, id) if one._status.code == "active")  # noqa: SLF001


def _gateways(ec2: Any, id: str) -> Iterator[str]:
    yield from (g.id for g in ec2.internet_gateways.values() if g.vpc and g.vpc.id == id)
    for gateways in (ec2.egress_only_internet_gateways, ec2.carrier_gateways):
        yield from (gateway.id for gateway in gateways.values() if gateway.vpc_id == id)
    yield from (
        gateway.id
        for gateway in ec2.vpn_gateways.values()
        if any(one.vpc_id == id and one.state == "attached" for one in gateway.attachments.values())
    )


def peerings(ec2: Any, vpc_id: str) -> list[Any]:
    """List the peering connections of a VPC.

    The console takes an active one along, the API does not; a request goes with its VPC.
    https://docs.aws.amazon.com/vpc/latest/peering/delete-vpc-peering-connection.html
    """
    return [one for one in ec2.vpc_pcxs.values() if vpc_id in (one.vpc.id, one.peer_vpc.id)]


def subnet_blockers(ec2: Any, id: str) -> Iterator[str]:
    """Name what is left in a subnet: everything in it has a network interface."""
    yield from (eni.id for eni in ec2.enis.values() if eni.subnet.id == id)


def group_blockers(ec2: Any, id: str) -> Iterator[str]:
    """Name the interfaces that carry a security group, and the groups whose rules name it."""
    yield from (e.id for e in ec2.enis.values() if id in {group.id for group in e.group_set})
    for groups in ec2.groups.values():
        for group in groups.values():
            rules = [*group.ingress_rules, *group.egress_rules]
            if group.id != id and any(_names(rule, id) for rule in rules):
                yield group.id


def _names(rule: Any, group_id: str) -> bool:
    return bool(rule.source_group) and rule.source_group.get("GroupId") == group_id


def gateway_blockers(ec2: Any, id: str) -> Iterator[str]:
    """Name the VPC an internet gateway is attached to."""
    gateway = ec2.internet_gateways.get(id)
    if gateway is not None and gateway.vpc is not None:
        yield gateway.vpc.id


def table_blockers(ec2: Any, id: str) -> Iterator[str]:
    """Name the associations of a route table; the main one has one by itself."""
    table = ec2.route_tables.get(id)
    if table is not None:
        yield from table._associations  # noqa: SLF001 - `associations` builds answers
        if table.main_association_id is not None:
            yield table.main_association_id


# Operation -> parameter with the id, what stands in the way, and AWS's words.
VIOLATIONS: dict[str, tuple[str, Blockers, str]] = {
    "DeleteVpc": ("VpcId", vpc_blockers, "The vpc '{id}' has dependencies and cannot be deleted."),
    "DeleteSubnet": (
        "SubnetId",
        subnet_blockers,
        "The subnet '{id}' has dependencies and cannot be deleted.",
    ),
    "DeleteSecurityGroup": ("GroupId", group_blockers, "resource {id} has a dependent object"),
    "DeleteInternetGateway": (
        "InternetGatewayId",
        gateway_blockers,
        "The internetGateway '{id}' has dependencies and cannot be deleted.",
    ),
    "DeleteRouteTable": (
        "RouteTableId",
        table_blockers,
        "The routeTable '{id}' has dependencies and cannot be deleted.",
    ),
}


def _ec2(request: Request) -> Any:
    return request.world.backend("ec2", request.region)


def refuse_violation(request: Request) -> None:
    """Refuse what VIOLATIONS says."""
    parameter, blockers, words = VIOLATIONS[request.operation]
    id = request.parameters.get(parameter, "")
    if id and next(blockers(_ec2(request), id), None):
        raise AwsFault("DependencyViolation", words.format(id=id))


def refuse_group(request: Request) -> None:
    """The default security group lives as long as its VPC, others until nothing needs them.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
    """
    id = request.parameters.get("GroupId", "")
    group = _ec2(request).get_security_group_from_id(id) if id else None
    if group is not None and group.is_default:
        message = f'the specified group: "{id}" name: "default" cannot be deleted by a user'
        raise AwsFault("CannotDelete", message)
    if request.world.part(GroupAssociations).of_group(request.region, id):
        raise AwsFault("DependencyViolation", f"resource {id} has a dependent object")
    refuse_violation(request)


def refuse_detaching(request: Request) -> None:
    """A gateway stays while addresses of its VPC are reached through it.

    https://docs.aws.amazon.com/vpc/latest/userguide/delete-igw.html
    """
    ec2, vpc_id = _ec2(request), request.parameters.get("VpcId")
    gateway = ec2.internet_gateways.get(request.parameters.get("InternetGatewayId"))
    if gateway is None or gateway.vpc is None:
        return
    if any(eni.vpc_id == vpc_id and eni.public_ip for eni in ec2.enis.values()):
        raise AwsFault(
            "DependencyViolation",
            f"Network {vpc_id} has some mapped public address(es). Please unmap those public"
            " address(es) before detaching the gateway.",
        )


def refuse_second_gateway(request: Request) -> None:
    """A VPC has one internet gateway.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html
    """
    vpc_id, id = request.parameters.get("VpcId"), request.parameters.get("InternetGatewayId")
    for gateway in _ec2(request).internet_gateways.values():
        if gateway.id != id and gateway.vpc is not None and gateway.vpc.id == vpc_id:
            message = f"Network {vpc_id} already has an internet gateway attached"
            raise AwsFault("InvalidParameterValue", message)


def drop_requests(request: Request, _: Response) -> None:
    """Requests for peering go with the VPC."""
    ec2 = _ec2(request)
    for one in peerings(ec2, request.parameters["VpcId"]):
        if one._status.code != "active":  # noqa: SLF001 - moto has no other way to it
            one._status.deleted(deleter_id=request.account)  # noqa: SLF001


RULES: dict[tuple[str, str], Callable[[Request], None]] = {
    **{("ec2", operation): refuse_violation for operation in VIOLATIONS},
    ("ec2", "AttachInternetGateway"): refuse_second_gateway,
    ("ec2", "DeleteSecurityGroup"): refuse_group,
    ("ec2", "DetachInternetGateway"): refuse_detaching,
}
EFFECTS = {("ec2", "DeleteVpc"): drop_requests}

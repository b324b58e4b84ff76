"""What AWS refuses to delete, and in which words: one table of rules over moto's state.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html lists the codes; the
messages are those that users report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from preflight.sandbox.ec2 import interfaces
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request

Blockers = Callable[[Any, str], Iterator[str]]
UNMANAGEABLE = "You are not allowed to manage 'ela-attach' attachments."


def vpc_blockers(ec2: Any, id: str) -> Iterator[str]:
    """Name what is left in a VPC."""
    yield from (
        subnet.id
        for zone in ec2.subnets.values()
        for subnet in zone.values()
        if subnet.vpc_id == id
    )
    yield from (eni.id for eni in ec2.enis.values() if eni.vpc_id == id)
    yield from (g.id for g in ec2.internet_gateways.values() if g.vpc and g.vpc.id == id)
    yield from (
        table.id
        for table in ec2.route_tables.values()
        if table.vpc_id == id and table.main_association_id is None
    )
    yield from (group.id for group in ec2.groups.get(id, {}).values() if not group.is_default)
    yield from (e.id for e in ec2.vpc_end_points.values() if e.vpc_id == id)
    yield from (
        peering.id
        for peering in ec2.vpc_pcxs.values()
        if id in (peering.vpc.id, peering.peer_vpc.id) and peering._status.code == "active"  # noqa: SLF001
    )


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


def refuse_default_group(request: Request) -> None:
    """The default security group lives as long as its VPC."""
    id = request.parameters.get("GroupId", "")
    group = _ec2(request).get_security_group_from_id(id) if id else None
    if group is not None and group.is_default:
        message = f'the specified group: "{id}" name: "default" cannot be deleted by a user'
        raise AwsFault("CannotDelete", message)
    refuse_violation(request)


def refuse_detaching(request: Request) -> None:
    """A gateway stays while addresses of its VPC are reached through it."""
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


def refuse_address(request: Request) -> None:
    """An address in use stays; one that AWS uses for a NAT gateway is not even the user's."""
    ec2, parameters = _ec2(request), request.parameters
    keys = {parameters.get(n) for n in ("AllocationId", "AssociationId", "PublicIp")} - {None}
    for address in ec2.addresses:
        if not keys & {address.allocation_id, address.association_id, address.public_ip}:
            continue
        if address.eni is not None and interfaces.is_managed(address.eni):
            message = "You do not have permission to access the specified resource."
            raise AwsFault("AuthFailure", message)
        if request.operation == "ReleaseAddress" and address.association_id:
            raise AwsFault("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")


def refuse_interface(request: Request) -> None:
    """An interface in use stays, and those of AWS cannot be detached either."""
    ec2, parameters = _ec2(request), request.parameters
    for eni in ec2.enis.values():
        if request.operation == "DetachNetworkInterface":
            if eni.attachment_id == parameters.get("AttachmentId") and interfaces.is_managed(eni):
                raise AwsFault("OperationNotPermitted", UNMANAGEABLE)
        elif eni.id == parameters.get("NetworkInterfaceId") and eni.status == "in-use":
            message = f"Network interface '{eni.id}' is currently in use."
            raise AwsFault("InvalidParameterValue", message)


def refuse_scaling_group(request: Request) -> None:
    """An Auto Scaling group with instances goes only by force."""
    groups = request.world.backend("autoscaling", request.region).autoscaling_groups
    group = groups.get(request.parameters.get("AutoScalingGroupName"))
    if group is not None and group.instance_states and not request.parameters.get("ForceDelete"):
        raise AwsFault(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot"
            " instance request(s) still in the group.",
        )


RULES: dict[tuple[str, str], Callable[[Request], None]] = {
    **{("ec2", operation): refuse_violation for operation in VIOLATIONS},
    ("ec2", "DeleteSecurityGroup"): refuse_default_group,
    ("ec2", "DetachInternetGateway"): refuse_detaching,
    ("ec2", "ReleaseAddress"): refuse_address,
    ("ec2", "DisassociateAddress"): refuse_address,
    ("ec2", "DeleteNetworkInterface"): refuse_interface,
    ("ec2", "DetachNetworkInterface"): refuse_interface,
    ("autoscaling", "DeleteAutoScalingGroup"): refuse_scaling_group,
}

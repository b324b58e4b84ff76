"""What EC2 has just made it does not find yet: `consistency.describe_lag`.

For so many virtual seconds a new thing is missing from lists, and every request that names it gets
EC2's NotFound; the same request that made it is answered as before. For what was deleted see
preflight/sandbox/ec2/lingering.py.
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.ec2.tokens import REPLAYED
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.faults.consistency import lag, longest
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# Creating operation -> where its answer has the id: member, and member of that; by prefix of the
# id EC2's error code and words.
MADE: dict[str, tuple[str, str | None]] = {
    "AllocateAddress": ("AllocationId", None),
    "CreateInternetGateway": ("InternetGateway", "InternetGatewayId"),
    "CreateLaunchTemplate": ("LaunchTemplate", "LaunchTemplateId"),
    "CreateNatGateway": ("NatGateway", "NatGatewayId"),
    "CreateNetworkInterface": ("NetworkInterface", "NetworkInterfaceId"),
    "CreateRouteTable": ("RouteTable", "RouteTableId"),
    "CreateSecurityGroup": ("GroupId", None),
    "CreateSubnet": ("Subnet", "SubnetId"),
    "CreateVolume": ("VolumeId", None),
    "CreateVpc": ("Vpc", "VpcId"),
    "CreateVpcEndpoint": ("VpcEndpoint", "VpcEndpointId"),
}
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
MISSING = {
    "eipalloc": ("InvalidAllocationID.NotFound", "The allocation ID '{id}' does not exist"),
    "eni": ("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '{id}' does not exist"),
    "i": ("InvalidInstanceID.NotFound", "The instance ID '{id}' does not exist"),
    "igw": ("InvalidInternetGatewayID.NotFound", "The internetGateway ID '{id}' does not exist"),
    "lt": ("InvalidLaunchTemplateId.NotFound", "The launch template ID '{id}' does not exist"),
    "nat": ("NatGatewayNotFound", "NatGateway {id} was not found"),
    "rtb": ("InvalidRouteTableID.NotFound", "The routeTable ID '{id}' does not exist"),
    "sg": ("InvalidGroup.NotFound", "The security group '{id}' does not exist"),
    "subnet": ("InvalidSubnetID.NotFound", "The subnet ID '{id}' does not exist"),
    "vol": ("InvalidVolume.NotFound", "The volume '{id}' does not exist."),
    "vpc": ("InvalidVpcID.NotFound", "The vpc ID '{id}' does not exist"),
    "vpce": ("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{id}' does not exist"),
}
# What a row of a list is known by.
IDENTITIES = tuple(sorted({inner or outer for outer, inner in MADE.values()} | {"InstanceId"}))


class Unseen:
    """The ids EC2 does not tell of yet, with the virtual second from which on it does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._until: dict[str, float] = {}

    def hide(self, ids: list[str]) -> None:
        """Keep new things unseen for the lag."""
        until = agenda(self._world).seconds() + lag(self._world, "describe_lag")
        self._until.update(dict.fromkeys(ids, until))

    def now(self) -> frozenset[str]:
        """Give the ids that are unseen at this moment."""
        seconds = agenda(self._world).seconds()
        self._until = {id: until for id, until in self._until.items() if until > seconds}
        return frozenset(self._until)


def _unseen(request: Request) -> frozenset[str]:
    if request.is_privileged or not longest(request.world, "describe_lag"):
        return frozenset()
    return request.world.part(Unseen).now()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def refuse_unseen(request: Request) -> None:
    """EC2 does not know what a request names; filters only find nothing."""
    unseen = _unseen(request)
    if not unseen:
        return
    named = {key: value for key, value in request.parameters.items() if key != "Filters"}
    for id in _texts(named):
        if id in unseen:
            code, words = MISSING[id.partition("-")[0]]
            raise AwsFault(code, words.format(id=id))


def hide_new(request: Request, response: Response) -> None:
    """Begin to hide what was made just now."""
    if request.is_privileged or REPLAYED in request.notes:
        return
    if not longest(request.world, "describe_lag"):
        return
    request.world.part(Unseen).hide(list(_made(request.operation, response.result)))


def _made(operation: str, result: Mapping[str, Any]) -> Iterator[str]:
    if operation == "RunInstances":
        yield from (one["InstanceId"] for one in result.get("Instances", []))
        return
    outer, inner = MADE[operation]
    found = result.get(outer, {}).get(inner) if inner else result.get(outer)
    if found:
        yield found


def leave_out_unseen(request: Request, response: Response) -> dict[str, Any] | None:
    """Lists of EC2 without what is unseen."""
    unseen = _unseen(request) if request.operation.startswith("Describe") else None
    if not unseen:
        return None
    result = response.result
    for member, rows in result.items():
        if isinstance(rows, list):
            result[member] = [row for row in rows if not _is_of(row, unseen)]
    return result


def _is_of(row: Any, unseen: frozenset[str]) -> bool:
    """Whether a row tells of something unseen: by its own id, or as a tag of it."""
    if not isinstance(row, Mapping):
        return False
    if any(one.get("InstanceId") in unseen for one in row.get("Instances", [])):
        return True
    # A row names its own id and those of others, such as its VPC: the others can be seen, since
    # they were there before it.
    return any(row.get(key) in unseen for key in (*IDENTITIES, "ResourceId"))


RULES = {("ec2", "*"): refuse_unseen}
EFFECTS = {
    **{("ec2", operation): hide_new for operation in (*MADE, "RunInstances")},
    ("ec2", "*"): leave_out_unseen,
}

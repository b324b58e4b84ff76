"""What EC2 has just deleted it still tells of: `consistency.describe_lag` after a deletion.

For so many virtual seconds Describes find the thing as it was, by id, filter and tag; every other
request is answered as if it were gone, which it is. NAT gateways and endpoints are not here: they
are shown as being deleted for longer than that, see preflight/sandbox/ec2/lifecycle.py.
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.faults.consistency import lag, longest
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

GOING = "going"
Shelf = MutableMapping[str, Any]


def _in(attribute: str) -> Callable[[Any, str], Shelf]:
    return lambda ec2, _: getattr(ec2, attribute)


def _among(attribute: str) -> Callable[[Any, str], Shelf]:
    """Find the shelf of an id where moto keeps one for each zone or VPC."""
    return lambda ec2, wanted: next(
        (shelf for shelf in getattr(ec2, attribute).values() if wanted in shelf), {}
    )


class _Addresses(dict[str, Any]):
    """The list that moto keeps addresses in, by allocation id, for as long as one looks."""

    def __init__(self, addresses: list[Any]) -> None:
        super().__init__({one.allocation_id: one for one in addresses})
        self._addresses = addresses

    def __setitem__(self, id: str, address: Any) -> None:
        self._addresses.append(address)

    def __delitem__(self, id: str) -> None:
        self._addresses[:] = [one for one in self._addresses if one.allocation_id != id]


# Deleting operation -> the parameter with the id, and where moto keeps the thing.
DELETED: dict[str, tuple[str, Callable[[Any, str], Shelf]]] = {
    "DeleteInternetGateway": ("InternetGatewayId", _in("internet_gateways")),
    "DeleteLaunchTemplate": ("LaunchTemplateId", _in("launch_templates")),
    "DeleteNetworkInterface": ("NetworkInterfaceId", _in("enis")),
    "DeleteRouteTable": ("RouteTableId", _in("route_tables")),
    "DeleteSecurityGroup": ("GroupId", _among("groups")),
    "DeleteSubnet": ("SubnetId", _among("subnets")),
    "DeleteVolume": ("VolumeId", _in("volumes")),
    "DeleteVpc": ("VpcId", _in("vpcs")),
    "ReleaseAddress": ("AllocationId", lambda ec2, _: _Addresses(ec2.addresses)),
}


@dataclass(frozen=True, kw_only=True)
class Ghost:
    """A thing as it was before its deletion, and where moto had it."""

    region: str
    id: str
    shelf: Shelf
    thing: Any
    tags: dict[str, str]


class Lingering:
    """What is told of although it is gone, with the virtual second at which that ends."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ghosts: list[tuple[float, Ghost]] = []

    def keep(self, ghost: Ghost) -> None:
        """Tell of something for the lag."""
        until = agenda(self._world).seconds() + lag(self._world, "describe_lag")
        self._ghosts.append((until, ghost))

    def now(self, region: str) -> list[Ghost]:
        """Give what is still told of in a Region."""
        seconds = agenda(self._world).seconds()
        self._ghosts = [row for row in self._ghosts if row[0] > seconds]
        return [ghost for _, ghost in self._ghosts if ghost.region == region]


def look_before(request: Request) -> None:
    """Before a deletion, look at what is going to be deleted."""
    if request.is_privileged or not longest(request.world, "describe_lag"):
        return
    parameter, find = DELETED[request.operation]
    id, ec2 = request.parameters.get(parameter, ""), request.world.backend("ec2", request.region)
    shelf = find(ec2, id)
    if id in shelf:
        request.notes[GOING] = Ghost(
            region=request.region,
            id=id,
            shelf=shelf,
            thing=copy.copy(shelf[id]),
            tags=dict(ec2.tags.get(id, {})),
        )


def keep_telling(request: Request, _: Response) -> None:
    """After it, go on telling of it."""
    if GOING in request.notes:
        request.world.part(Lingering).keep(request.notes[GOING])


@contextmanager
def as_before(request: Request) -> Iterator[None]:
    """Let a Describe see what is gone: moto has it back for as long as it answers."""
    is_told = request.operation.startswith("Describe") and not request.is_privileged
    if not is_told or not longest(request.world, "describe_lag"):
        yield
        return
    ghosts = request.world.part(Lingering).now(request.region)
    tags = request.world.backend("ec2", request.region).tags
    without = {ghost.id: tags[ghost.id] for ghost in ghosts if ghost.id in tags}
    for ghost in ghosts:
        ghost.shelf[ghost.id], tags[ghost.id] = ghost.thing, ghost.tags
    try:
        yield
    finally:
        for ghost in ghosts:
            del ghost.shelf[ghost.id], tags[ghost.id]
        tags.update(without)


RULES = {("ec2", operation): look_before for operation in DELETED}
EFFECTS = {("ec2", operation): keep_telling for operation in DELETED}
VIEWS = {("ec2", "*"): as_before}

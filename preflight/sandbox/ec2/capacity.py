"""The vCPU quotas of EC2: which family a type belongs to, what runs, and what still fits.

Families go by the letters before the first digit, whole and never by the first letter alone:
`inf1` is no `i`, `trn1` no `t`, `dl1` no `d`.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html#ec2-on-demand-instances-limits
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.quotas.book import QuotaBook
from preflight.sandbox.request import Request
from preflight.sandbox.world import World

STANDARD = ("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z")
# Family -> quota codes of On-Demand and Spot; None where there is no such quota.
FAMILIES: dict[str, tuple[str, str | None]] = {
    **dict.fromkeys(STANDARD, ("L-1216C47A", "L-34B43A08")),
    **dict.fromkeys(("g", "gr", "vt"), ("L-DB2E81BA", "L-3819A6DF")),
    "dl": ("L-6E869C2A", "L-85EED4F7"),
    "f": ("L-74FC7D96", "L-88CF9481"),
    "hpc": ("L-F7808C92", None),
    "inf": ("L-1945791B", "L-B5D1601B"),
    "p": ("L-417A185B", "L-7212CCBC"),
    "trn": ("L-2C3B7624", "L-6B0D517C"),
    "u": ("L-43DA4232", None),
    "x": ("L-7295265B", "L-E3A00192"),
}
SPOT_P5 = "L-C4BD4855"
COUNTED = frozenset({"pending", "running"})


def quota_code(instance_type: str, *, is_spot: bool) -> str | None:
    """Give the code of the vCPU quota a type counts against, None when there is none."""
    letters = re.match("[a-z]+", instance_type)
    on_demand, spot = FAMILIES.get(letters[0] if letters else "", (None, None))
    if is_spot and instance_type.startswith("p5"):
        return SPOT_P5
    return spot if is_spot else on_demand


def vcpus(instance_type: str) -> int:
    """Give a type's default vCPUs; 0 for a type EC2 does not have."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    known: dict[str, Any] = INSTANCE_TYPES.get(instance_type, {})
    return int(known.get("VCpuInfo", {}).get("DefaultVCpus", 0))


def used_vcpus(world: World, region: str, code: str) -> int:
    """Count the vCPUs that run or start under one quota, or are reserved and not used.

    Those of open Spot requests too; not those on Dedicated Hosts, nor those of a Capacity Block.
    """
    from preflight.sandbox.ec2.reservations import Reservations
    from preflight.sandbox.ec2.spot import SpotRequests

    running = sum(
        vcpus(instance.instance_type)
        for instance in _instances(world, region)
        if instance.state in COUNTED
        and instance.placement.tenancy != "host"
        and instance.lifecycle in {None, "spot"}
        and quota_code(instance.instance_type, is_spot=instance.lifecycle == "spot") == code
    )
    waiting = [
        one.asked.get("LaunchSpecification", {}).get("InstanceType", "m1.small")
        for one in world.part(SpotRequests).waiting.values()
        if one.state == "open" and one.region == region
    ]
    asked = sum(vcpus(kind) for kind in waiting if quota_code(kind, is_spot=True) == code)
    return running + asked + world.part(Reservations).unused_vcpus(region, code)


def refuse_beyond_vcpus(
    world: World, region: str, instance_type: str, count: int, *, is_spot: bool
) -> None:
    """Raise the fault EC2 has for instances that do not fit into the vCPU quota any more."""
    code = quota_code(instance_type, is_spot=is_spot)
    if code is not None and count > 0:
        _refuse_beyond(world, region, code, count * vcpus(instance_type), is_spot=is_spot)


def _refuse_beyond(world: World, region: str, code: str, added: int, *, is_spot: bool) -> None:
    limit = world.part(QuotaBook).limit("ec2", code, region)
    if used_vcpus(world, region, code) + added <= limit:
        return
    if is_spot:
        raise AwsFault("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
    message = (
        "You have requested more vCPU capacity than your current vCPU limit of "
        f"{limit:g} allows for the instance bucket that the specified instance type belongs to. "
        "Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to "
        "this limit."
    )
    raise AwsFault("VcpuLimitExceeded", message)


def refuse_instances(request: Request) -> None:
    """RunInstances within the vCPU quotas; what runs in a reservation is counted there already."""
    from preflight.sandbox.ec2.reservations import Reservations

    wanted = _wanted(request)
    market = (wanted.get("InstanceMarketOptions") or {}).get("MarketType")
    on_host = (wanted.get("Placement") or {}).get("Tenancy") == "host"
    if request.is_privileged or on_host or market == "capacity-block":
        return
    kind, count = wanted.get("InstanceType", "m1.small"), int(wanted.get("MinCount", 1))
    if market != "spot":
        count -= min(count, request.world.part(Reservations).room(request.region, kind))
    refuse_beyond_vcpus(request.world, request.region, kind, count, is_spot=market == "spot")


def _wanted(request: Request) -> Mapping[str, Any]:
    """Give what is asked for, completed by the launch template that is named."""
    from preflight.sandbox.eks.fleet import template_contents

    given = request.parameters
    named = given.get("LaunchTemplate")
    if not named:
        return given
    words = {"id": "LaunchTemplateId", "name": "LaunchTemplateName", "version": "Version"}
    shape = {key: named[word] for key, word in words.items() if word in named}
    contents = template_contents(request.world.backend("ec2", request.region), shape)
    return {**contents, **given}


def refuse_start(request: Request) -> None:
    """StartInstances within the vCPU quotas, all of them together."""
    if request.is_privileged:
        return
    wanted = set(request.parameters["InstanceIds"])
    stopped = [
        instance
        for instance in _instances(request.world, request.region)
        if instance.id in wanted and instance.state == "stopped"
    ]
    added: Counter[tuple[str, bool]] = Counter()
    for one in stopped:
        is_spot = one.lifecycle == "spot"
        if (code := quota_code(one.instance_type, is_spot=is_spot)) is not None:
            added[code, is_spot] += vcpus(one.instance_type)
    for (code, is_spot), count in added.items():
        _refuse_beyond(request.world, request.region, code, count, is_spot=is_spot)


def _instances(world: World, region: str) -> Iterator[Any]:
    for reservation in list(world.backend("ec2", region).reservations.values()):
        yield from reservation.instances


RULES = {
    ("ec2", "RunInstances"): refuse_instances,
    ("ec2", "StartInstances"): refuse_start,
}

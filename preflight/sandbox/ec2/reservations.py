"""Capacity Reservations, and how an instance was bought and placed: moto has none of it.

An instance that fits an open reservation runs in it. Not made are reservations with dates and those
of others, nor Capacity Blocks: that an instance was bought in one is taken from its request.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-using.html
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from preflight.sandbox.ec2 import capacity
from preflight.sandbox.ec2.instances import instances
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

#: Where an instance keeps the reservation that it was told to run in.
TARGET = "sandbox_capacity_reservation"


@dataclass(kw_only=True)
class Reservation:
    """Room for a number of instances of one type in one zone."""

    id: str
    region: str
    made: datetime
    asked: Mapping[str, Any]
    state: str = "active"

    @property
    def type(self) -> str:
        """The instance type that there is room for."""
        return str(self.asked["InstanceType"])


class Reservations:
    """The Capacity Reservations of one account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.all: dict[str, Reservation] = {}

    def snapshot(self) -> dict[str, Any]:
        """Tell what is reserved."""
        return {
            one.id: {"region": one.region, "type": one.type, "count": one.asked["InstanceCount"]}
            for one in self.all.values()
            if one.state == "active"
        }

    def unused(self, region: str) -> dict[str, int]:
        """Tell how many instances each active reservation still has room for, by its id."""
        active = [one for one in self._of(region) if one.state == "active"]
        left = {one.id: int(one.asked["InstanceCount"]) for one in active}
        for instance in instances(self._world.backend("ec2", region)):
            if instance.state not in capacity.COUNTED or instance.lifecycle:
                continue
            for one in active:
                if left[one.id] and _runs_in(instance, one):
                    left[one.id] -= 1
                    break
        return left

    def unused_vcpus(self, region: str, code: str) -> int:
        """Count the vCPUs reserved and not used under one quota."""
        return sum(
            count * capacity.vcpus(self.all[id].type)
            for id, count in self.unused(region).items()
            if capacity.quota_code(self.all[id].type, is_spot=False) == code
        )

    def room(self, region: str, instance_type: str) -> int:
        """Count the instances of a type that would run in open reservations."""
        return sum(
            count
            for id, count in self.unused(region).items()
            if self.all[id].type == instance_type and not _is_targeted(self.all[id])
        )

    def rows(self, region: str) -> list[dict[str, Any]]:
        """Describe the reservations of a Region."""
        left = self.unused(region)
        return [self.row(one, left.get(one.id, 0)) for one in self._of(region)]

    def row(self, one: Reservation, left: int) -> dict[str, Any]:
        """Describe one as EC2 does."""
        asked, account = one.asked, self._world.account
        tags = self._world.backend("ec2", one.region).tags.get(one.id, {})
        return {
            "CapacityReservationId": one.id,
            "OwnerId": account,
            "CapacityReservationArn": (
                f"arn:aws:ec2:{one.region}:{account}:capacity-reservation/{one.id}"
            ),
            "InstanceType": one.type,
            "InstancePlatform": asked["InstancePlatform"],
            "AvailabilityZone": asked.get("AvailabilityZone", f"{one.region}a"),
            "Tenancy": asked.get("Tenancy", "default"),
            "TotalInstanceCount": int(asked["InstanceCount"]),
            "AvailableInstanceCount": left,
            "EbsOptimized": bool(asked.get("EbsOptimized", False)),
            "State": one.state,
            "StartDate": one.made,
            "EndDateType": "unlimited",
            "InstanceMatchCriteria": asked.get("InstanceMatchCriteria", "open"),
            "CreateDate": one.made,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            "ReservationType": "default",
        }

    def _of(self, region: str) -> Iterator[Reservation]:
        return (one for one in self.all.values() if one.region == region)


def _is_targeted(one: Reservation) -> bool:
    return bool(one.asked.get("InstanceMatchCriteria") == "targeted")


def _runs_in(instance: Any, one: Reservation) -> bool:
    """Whether type, zone and tenancy are those of the reservation, and it takes everybody."""
    asked, placement = one.asked, instance.placement
    zone, tenancy = asked.get("AvailabilityZone"), asked.get("Tenancy", "default")
    if instance.instance_type != one.type or placement.availability_zone != zone:
        return False
    target = vars(instance).get(TARGET)
    return bool(
        placement.tenancy == tenancy
        and (target == one.id or (target is None and not _is_targeted(one)))
    )


def create_reservation(request: Request) -> dict[str, Any]:
    """CreateCapacityReservation: within the vCPU quota, as instances are."""
    asked, world = request.parameters, request.world
    if not capacity.vcpus(asked["InstanceType"]):
        message = f"The instance type '{asked['InstanceType']}' is not valid."
        raise AwsFault("InvalidParameterValue", message)
    if asked.get("StartDate") or asked.get("EndDate"):
        raise NotImplementedError("Capacity Reservations with dates")
    if not request.is_privileged:
        count = int(asked["InstanceCount"])
        capacity.refuse_beyond_vcpus(
            world, request.region, asked["InstanceType"], count, is_spot=False
        )
    made = Reservation(
        id=f"cr-{secrets.token_hex(9)[:17]}",
        region=request.region,
        made=world.clock.now(),
        asked=asked,
    )
    part = world.part(Reservations)
    part.all[made.id] = made
    for specification in asked.get("TagSpecifications") or ():
        pairs = {tag["Key"]: tag["Value"] for tag in specification.get("Tags", ())}
        world.backend("ec2", request.region).create_tags([made.id], pairs)
    return {"CapacityReservation": part.row(made, part.unused(request.region)[made.id])}


def cancel_reservation(request: Request) -> dict[str, Any]:
    """CancelCapacityReservation: what runs in it runs on."""
    id = request.parameters["CapacityReservationId"]
    found = request.world.part(Reservations).all.get(id)
    if found is None or found.region != request.region:
        message = f"The capacity reservation '{id}' does not exist"
        raise AwsFault("InvalidCapacityReservationId.NotFound", message)
    found.state = "cancelled"
    return {"Return": True}


_FILTERS = {
    "availability-zone": "AvailabilityZone",
    "instance-match-criteria": "InstanceMatchCriteria",
    "instance-type": "InstanceType",
    "owner-id": "OwnerId",
    "state": "State",
    "tenancy": "Tenancy",
}


def describe_reservations(request: Request) -> dict[str, Any]:
    """DescribeCapacityReservations, in pages."""
    given = request.parameters
    rows = request.world.part(Reservations).rows(request.region)
    if wanted := given.get("CapacityReservationIds"):
        rows = [row for row in rows if row["CapacityReservationId"] in wanted]
    for one in given.get("Filters") or ():
        if one["Name"] not in _FILTERS:
            raise AwsFault("InvalidParameterValue", f"The filter '{one['Name']}' is invalid")
        rows = [row for row in rows if row[_FILTERS[one["Name"]]] in one["Values"]]
    start = int(given.get("NextToken") or 0)
    end = start + int(given.get("MaxResults") or 1000)
    answer: dict[str, Any] = {"CapacityReservations": rows[start:end]}
    return answer | ({"NextToken": str(end)} if end < len(rows) else {})


def placed(request: Request, response: Response) -> dict[str, Any] | None:
    """RunInstances: keep tenancy, host and way of buying, which moto does not look at."""
    given = request.parameters
    placement = given.get("Placement") or {}
    market = (given.get("InstanceMarketOptions") or {}).get("MarketType")
    target = (given.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget")
    if not (placement.get("Tenancy") or target or market not in {None, "spot"}):
        return None
    result = response.result
    rows = {row["InstanceId"]: row for row in result.get("Instances", [])}
    for instance in instances(request.world.backend("ec2", request.region)):
        if instance.id not in rows:
            continue
        row = rows[instance.id]
        if tenancy := placement.get("Tenancy"):
            instance.placement.tenancy = row.setdefault("Placement", {})["Tenancy"] = tenancy
        if target:
            setattr(instance, TARGET, target.get("CapacityReservationId"))
        if market not in {None, "spot"}:
            instance.lifecycle = row["InstanceLifecycle"] = market
    return result


OPERATIONS = {
    ("ec2", "CancelCapacityReservation"): cancel_reservation,
    ("ec2", "CreateCapacityReservation"): create_reservation,
    ("ec2", "DescribeCapacityReservations"): describe_reservations,
}
EFFECTS = {("ec2", "RunInstances"): placed}

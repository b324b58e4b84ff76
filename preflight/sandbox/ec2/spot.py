"""Spot requests: open until there is capacity, active with an instance, cancelled or closed.

moto starts the instance at once and forgets how. RunInstances for the Spot market makes a request
too, fulfilled in the same call. How long a fulfilment takes AWS does not say.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html
"""

from __future__ import annotations

import fnmatch
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.ec2.capacity import refuse_beyond_vcpus
from preflight.sandbox.ec2.instances import SPOT_REQUEST, instances, spot_request_id
from preflight.sandbox.ec2.tokens import once
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.request import Request
from preflight.sandbox.world import World

#: A fault with this action is no AWS error: its `error` is the status of a Spot request that stays
#: open, such as capacity-not-available.
SPOT_CAPACITY = "sandbox:SpotCapacity"
# Virtual seconds until a request is looked at, and looked at again.
EVALUATED_AFTER, TRIED_AGAIN_AFTER = 2.0, 60.0
# How long a request is told of that has ended without an instance.
REMEMBERED_SECONDS = 3600.0
WORDS = {
    "pending-evaluation": (
        "Your Spot request has been submitted for review, and is pending evaluation."
    ),
}


@dataclass(kw_only=True)
class Waiting:
    """A request that has no instance."""

    id: str
    region: str
    made: datetime
    asked: Mapping[str, Any]
    state: str = "open"
    code: str = "pending-evaluation"


class SpotRequests:
    """The requests without an instance, and the ids of those cancelled that have one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.waiting: dict[str, Waiting] = {}
        self.cancelled: set[str] = set()

    def snapshot(self) -> dict[str, Any]:
        """Tell what is open."""
        open_ones = [one for one in self.waiting.values() if one.state == "open"]
        return {one.id: {"region": one.region, "status": one.code} for one in open_ones}

    def evaluate(self, id: str) -> None:
        """Fulfil an open request, or say why not and try again later."""
        one, world = self.waiting.get(id), self._world
        if one is None or one.state != "open":
            return
        missing = world.part(Faults).of(SPOT_CAPACITY, one.region)
        if missing is not None:
            one.code = missing
            agenda(world).after(TRIED_AGAIN_AFTER, partial(self.evaluate, id))
        elif _start(world.backend("ec2", one.region), one):
            del self.waiting[id]
        else:
            self.end(one, "closed", "bad-parameters")

    def end(self, one: Waiting, state: str, code: str) -> None:
        """End a request that has no instance, and forget it in an hour."""
        one.state, one.code = state, code
        agenda(self._world).after(REMEMBERED_SECONDS, partial(self._forget, one))

    def _forget(self, one: Waiting) -> None:
        self.waiting.pop(one.id, None)
        self._world.backend("ec2", one.region).tags.pop(one.id, None)


def _start(ec2: Any, one: Waiting) -> bool:
    """Start the instance that a request asks for; False when it asks for what is not there."""
    from moto.ec2.exceptions import EC2ClientError

    wanted = one.asked.get("LaunchSpecification", {})
    try:
        reservation = ec2.run_instances(
            wanted.get("ImageId"),
            1,
            wanted.get("UserData"),
            [],
            security_group_ids=wanted.get("SecurityGroupIds", []),
            instance_type=wanted.get("InstanceType", "m1.small"),
            is_instance_type_default=False,
            key_name=wanted.get("KeyName"),
            subnet_id=wanted.get("SubnetId"),
            placement=wanted.get("Placement", {}).get("AvailabilityZone"),
            tags={},
            lifecycle="spot",
        )
    except EC2ClientError:
        return False
    for instance in reservation.instances:
        setattr(instance, SPOT_REQUEST, one.id)
    return True


def request_spot_instances(request: Request) -> dict[str, Any]:
    """RequestSpotInstances: as many requests as instances are wanted, all of them open."""
    given, world = request.parameters, request.world
    if given.get("DryRun"):
        raise AwsFault(
            "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412
        )
    count = int(given.get("InstanceCount") or 1)
    kind = given.get("LaunchSpecification", {}).get("InstanceType", "m1.small")
    if not request.is_privileged:
        refuse_beyond_vcpus(world, request.region, kind, count, is_spot=True)
    part, ec2, rows = world.part(SpotRequests), world.backend("ec2", request.region), []
    for _ in range(count):
        one = Waiting(
            id=f"sir-{secrets.token_hex(4)}",
            region=request.region,
            made=agenda(world).now(),
            asked=given,
        )
        part.waiting[one.id] = one
        for specification in given.get("TagSpecifications") or ():
            pairs = {tag["Key"]: tag["Value"] for tag in specification.get("Tags", ())}
            ec2.create_tags([one.id], pairs)
        agenda(world).after(EVALUATED_AFTER, partial(part.evaluate, one.id))
        rows.append(_waiting_row(ec2, one))
    return {"SpotInstanceRequests": rows}


def cancel_spot_requests(request: Request) -> dict[str, Any]:
    """CancelSpotInstanceRequests: instances run on."""
    part, ec2 = request.world.part(SpotRequests), request.world.backend("ec2", request.region)
    ids = request.parameters["SpotInstanceRequestIds"]
    rows = {row["SpotInstanceRequestId"]: row for row in _rows(request)}
    _refuse_unknown(ids, rows)
    for id in ids:
        one = part.waiting.get(id)
        if one is not None and one.state == "open":
            part.end(one, "cancelled", "canceled-before-fulfillment")
        elif rows[id]["State"] == "active":
            part.cancelled.add(id)
    part.cancelled &= {spot_request_id(one) for one in instances(ec2)} | {*ids}
    return {
        "CancelledSpotInstanceRequests": [
            {"SpotInstanceRequestId": row["SpotInstanceRequestId"], "State": row["State"]}
            for row in _rows(request)
            if row["SpotInstanceRequestId"] in ids
        ]
    }


def _refuse_unknown(ids: Any, known: Any) -> None:
    for id in ids:
        if id not in known:
            message = f"The spot instance request ID '{id}' does not exist"
            raise AwsFault("InvalidSpotInstanceRequestID.NotFound", message)


def _row(ec2: Any, id: str, state: str, code: str, made: Any) -> dict[str, Any]:
    tags = ec2.tags.get(id, {})
    return {
        "SpotInstanceRequestId": id,
        "State": state,
        "Status": {"Code": code, "UpdateTime": made, "Message": WORDS.get(code, "")},
        "CreateTime": made,
        "InstanceInterruptionBehavior": "terminate",
        "ProductDescription": "Linux/UNIX",
        "Type": "one-time",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def _waiting_row(ec2: Any, one: Waiting) -> dict[str, Any]:
    wanted = one.asked.get("LaunchSpecification", {})
    told = ("ImageId", "InstanceType", "KeyName", "SubnetId", "Placement")
    row = _row(ec2, one.id, one.state, one.code, one.made)
    row["LaunchSpecification"] = {key: wanted[key] for key in told if key in wanted}
    row["Type"] = one.asked.get("Type", "one-time")
    return row | ({"SpotPrice": one.asked["SpotPrice"]} if "SpotPrice" in one.asked else {})


def _instance_row(ec2: Any, instance: Any, cancelled: set[str]) -> dict[str, Any]:
    id, zone = str(spot_request_id(instance)), instance.placement.availability_zone
    ended = instance.state == "terminated"
    state, code = ("closed" if ended else "active"), "fulfilled"
    if id in cancelled:
        state, code = "cancelled", "request-canceled-and-instance-running"
    if ended:
        code = "instance-terminated-by-user"
    return _row(ec2, id, state, code, instance.launch_time) | {
        "InstanceId": instance.id,
        "LaunchSpecification": {
            "ImageId": instance.image_id,
            "InstanceType": instance.instance_type,
            "Placement": {"AvailabilityZone": zone},
            "SubnetId": instance.subnet_id,
        },
        "LaunchedAvailabilityZone": zone,
    }


def _rows(request: Request) -> list[dict[str, Any]]:
    part, ec2 = request.world.part(SpotRequests), request.world.backend("ec2", request.region)
    waiting = [one for one in part.waiting.values() if one.region == request.region]
    return [
        *(_waiting_row(ec2, one) for one in waiting),
        *(
            _instance_row(ec2, one, part.cancelled)
            for one in instances(ec2)
            if one.lifecycle == "spot"
        ),
    ]


_FILTERS = {
    "instance-id": lambda row: row.get("InstanceId", ""),
    "launch.instance-type": lambda row: row["LaunchSpecification"].get("InstanceType", ""),
    "spot-instance-request-id": lambda row: row["SpotInstanceRequestId"],
    "state": lambda row: row["State"],
    "status-code": lambda row: row["Status"]["Code"],
    "type": lambda row: row["Type"],
}


def _passes(row: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    name, patterns = one["Name"], one["Values"]
    if name.startswith("tag:") or name == "tag-key":
        key = name.removeprefix("tag:")
        pairs = ((tag["Key"], tag["Value"]) for tag in row["Tags"])
        values = [k if name == "tag-key" else v for k, v in pairs if name == "tag-key" or k == key]
    elif name in _FILTERS:
        values = [_FILTERS[name](row)]
    else:
        raise AwsFault("InvalidParameterValue", f"The filter '{name}' is invalid")
    return any(fnmatch.fnmatchcase(value, pattern) for value in values for pattern in patterns)


def describe_spot_requests(request: Request) -> dict[str, Any]:
    """DescribeSpotInstanceRequests: those without an instance, and one for each Spot Instance."""
    given, rows = request.parameters, _rows(request)
    wanted = given.get("SpotInstanceRequestIds")
    _refuse_unknown(wanted or (), {row["SpotInstanceRequestId"] for row in rows})
    kept = [
        row
        for row in rows
        if (not wanted or row["SpotInstanceRequestId"] in wanted)
        and all(_passes(row, one) for one in given.get("Filters") or [])
    ]
    start = int(given.get("NextToken") or 0)
    end = start + int(given.get("MaxResults") or 1000)
    answer: dict[str, Any] = {"SpotInstanceRequests": kept[start:end]}
    return answer | ({"NextToken": str(end)} if end < len(kept) else {})


OPERATIONS = {
    ("ec2", "CancelSpotInstanceRequests"): cancel_spot_requests,
    ("ec2", "DescribeSpotInstanceRequests"): describe_spot_requests,
    ("ec2", "RequestSpotInstances"): lambda request: once(request, request_spot_instances),
}

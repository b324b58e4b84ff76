"""What EC2 tells of instances and moto does not: processors, Spot requests, an hour after the end.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-optimize-cpu.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# A terminated instance is described for about an hour more.
REMEMBERED_SECONDS = 3600.0
ASKED, FORGETTING = "sandbox_cpu_options", "sandbox_forgetting"


def install() -> None:
    """Give moto's instances what EC2 describes; harmless when done before."""
    from moto.ec2.models.instances import Instance

    model: Any = Instance
    model.cpu_options = property(_cpu_options)
    model.spot_instance_request_id = property(spot_request_id)


def _cpu_options(instance: Any) -> Mapping[str, int] | None:
    """Give what was asked for, or what the type has by default."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    asked: Mapping[str, int] | None = vars(instance).get(ASKED)
    if asked:
        return asked
    known: Any = INSTANCE_TYPES.get(instance.instance_type, {})
    cpu = known.get("VCpuInfo", {})
    cores, virtual = cpu.get("DefaultCores"), cpu.get("DefaultVCpus", 0)
    if not cores:
        return None
    return {"CoreCount": cores, "ThreadsPerCore": max(1, virtual // cores)}


def spot_request_id(instance: Any) -> str | None:
    """Name the Spot request an instance came from: moto's own, or one that goes by the instance."""
    if instance.lifecycle != "spot":
        return None
    for request in instance.ec2_backend.spot_instance_requests.values():
        if request.instance is instance:
            return str(request.id)
    return f"sir-{instance.id[-8:]}"


def instances(ec2: Any) -> Iterator[Any]:
    """Give all instances of a Region."""
    for reservation in list(ec2.reservations.values()):
        yield from reservation.instances


def instances_run(request: Request, response: Response) -> None:
    """Keep the processors asked for."""
    asked = request.parameters.get("CpuOptions")
    if not asked:
        return
    made = {one["InstanceId"] for one in response.result.get("Instances", [])}
    for instance in instances(request.world.backend("ec2", request.region)):
        if instance.id in made:
            setattr(instance, ASKED, dict(asked))


def forget_terminated(world: World, region: str) -> None:
    """Let instances that were terminated just now be forgotten in an hour."""
    ec2 = world.backend("ec2", region)
    for instance in instances(ec2):
        if instance.state == "terminated" and FORGETTING not in vars(instance):
            setattr(instance, FORGETTING, True)
            agenda(world).after(REMEMBERED_SECONDS, partial(_forget, ec2, instance))


def _forget(ec2: Any, instance: Any) -> None:
    for id, reservation in list(ec2.reservations.items()):
        if instance in reservation.instances:
            reservation.instances.remove(instance)
            if not reservation.instances:
                del ec2.reservations[id]
    ec2.tags.pop(instance.id, None)


def instances_ended(request: Request, _: Response) -> None:
    """Begin the hour."""
    forget_terminated(request.world, request.region)


def _spot_row(ec2: Any, instance: Any) -> dict[str, Any]:
    ended = instance.state == "terminated"
    code = "instance-terminated-by-user" if ended else "fulfilled"
    request = ec2.spot_instance_requests.get(spot_request_id(instance))
    row = {
        "SpotInstanceRequestId": spot_request_id(instance),
        "State": "closed" if ended else "active",
        "Status": {"Code": code, "UpdateTime": instance.launch_time, "Message": ""},
        "CreateTime": instance.launch_time,
        "InstanceId": instance.id,
        "InstanceInterruptionBehavior": "terminate",
        "LaunchSpecification": {
            "ImageId": instance.image_id,
            "InstanceType": instance.instance_type,
            "Placement": {"AvailabilityZone": instance.placement.availability_zone},
            "SubnetId": instance.subnet_id,
        },
        "LaunchedAvailabilityZone": instance.placement.availability_zone,
        "ProductDescription": "Linux/UNIX",
        "Type": "one-time",
    }
    tags = ec2.tags.get(row["SpotInstanceRequestId"], {})
    row["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    if request is not None and request.price:
        row["SpotPrice"] = request.price
    return row


_FILTERS = {
    "instance-id": lambda row: row["InstanceId"],
    "launch.instance-type": lambda row: row["LaunchSpecification"]["InstanceType"],
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
    """DescribeSpotInstanceRequests: one for each Spot Instance, however it was started."""
    ec2, given = request.world.backend("ec2", request.region), request.parameters
    rows = [_spot_row(ec2, one) for one in instances(ec2) if one.lifecycle == "spot"]
    wanted = given.get("SpotInstanceRequestIds")
    known = {row["SpotInstanceRequestId"] for row in rows}
    for id in wanted or []:
        if id not in known:
            message = f"The spot instance request ID '{id}' does not exist"
            raise AwsFault("InvalidSpotInstanceRequestID.NotFound", message)
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


def describe_reserved_instances(_: Request) -> dict[str, Any]:
    """DescribeReservedInstances: the account has bought none, and cannot."""
    return {"ReservedInstances": []}


OPERATIONS = {
    ("ec2", "DescribeReservedInstances"): describe_reserved_instances,
    ("ec2", "DescribeSpotInstanceRequests"): describe_spot_requests,
}
EFFECTS = {
    ("ec2", "RunInstances"): instances_run,
    ("ec2", "TerminateInstances"): instances_ended,
    ("autoscaling", "DeleteAutoScalingGroup"): instances_ended,
    ("autoscaling", "SetDesiredCapacity"): instances_ended,
    ("autoscaling", "TerminateInstanceInAutoScalingGroup"): instances_ended,
    ("autoscaling", "UpdateAutoScalingGroup"): instances_ended,
}

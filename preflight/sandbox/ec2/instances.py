"""What EC2 tells of instances and moto does not: processors, an hour after the end.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-optimize-cpu.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# A terminated instance is described for about an hour more.
REMEMBERED_SECONDS = 3600.0
ASKED, FORGETTING = "sandbox_cpu_options", "sandbox_forgetting"
SPOT_REQUEST = "sandbox_spot_request"


def install() -> None:
    """Give moto's instances what EC2 describes; harmless when done before."""
    from moto.ec2.models.instances import Instance

    model: Any = Instance
    if hasattr(model, "cpu_options"):
        return
    begin = model.__init__

    def with_template(instance: Any, ec2: Any, *given: Any, **options: Any) -> None:
        begin(instance, ec2, *given, **options)
        if options.get("launch_template"):
            template = ec2._get_template_from_args(options["launch_template"])  # noqa: SLF001
            _follow(instance, template.data)

    model.__init__ = with_template
    model.cpu_options = property(_cpu_options)
    model.spot_instance_request_id = property(spot_request_id)


def _follow(instance: Any, template: Mapping[str, Any]) -> None:
    """Take from a launch template what moto passes over."""
    asked = template.get("CpuOptions")
    if asked:
        setattr(instance, ASKED, {key: int(value) for key, value in asked.items()})
    group = (template.get("Placement") or {}).get("GroupName")
    if group:
        instance._placement.group_name = group  # noqa: SLF001 - moto has no other way to it
    if (template.get("InstanceMarketOptions") or {}).get("MarketType") == "spot":
        instance.lifecycle = "spot"


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
    """Name the Spot request an instance came from; that of RunInstances goes by the instance."""
    if instance.lifecycle != "spot":
        return None
    return vars(instance).get(SPOT_REQUEST) or f"sir-{instance.id[-8:]}"


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
    ec2.tags.pop(spot_request_id(instance), None)


def instances_ended(request: Request, _: Response) -> None:
    """Begin the hour."""
    forget_terminated(request.world, request.region)


def describe_reserved_instances(_: Request) -> dict[str, Any]:
    """DescribeReservedInstances: the account has bought none, and cannot."""
    return {"ReservedInstances": []}


OPERATIONS = {
    ("ec2", "DescribeReservedInstances"): describe_reserved_instances,
}
EFFECTS = {
    ("ec2", "RunInstances"): instances_run,
    ("ec2", "TerminateInstances"): instances_ended,
    ("autoscaling", "DeleteAutoScalingGroup"): instances_ended,
    ("autoscaling", "SetDesiredCapacity"): instances_ended,
    ("autoscaling", "TerminateInstanceInAutoScalingGroup"): instances_ended,
    ("autoscaling", "UpdateAutoScalingGroup"): instances_ended,
}

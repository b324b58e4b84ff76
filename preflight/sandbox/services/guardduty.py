"""GuardDuty: one detector in a Region, and what Runtime Monitoring puts into VPCs.

With automated agent management GuardDuty makes an interface endpoint and a security group in each
VPC in which a cluster or an instance of a monitored kind runs, and the agent as an add-on of each
cluster. They stay when cluster and instances go, and hold subnets, VPC and the like; GuardDuty
takes them away when Runtime Monitoring is disabled, and makes them anew while something runs.
https://docs.aws.amazon.com/guardduty/latest/ug/how-does-runtime-monitoring-work.html
https://docs.aws.amazon.com/guardduty/latest/ug/runtime-monitoring-agent-resource-clean-up.html
https://github.com/hashicorp/terraform-provider-aws/issues/46747 has the names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.ec2 import endpoints
from preflight.sandbox.ec2.dependencies import group_blockers
from preflight.sandbox.ec2.instances import instances
from preflight.sandbox.eks.addons import install
from preflight.sandbox.eks.state import Eks
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# Virtual seconds until GuardDuty has seen what runs; AWS names no number.
NOTICE_SECONDS = 120.0
TAG = "GuardDutyManaged"
AGENT = "aws-guardduty-agent"
# Feature -> what has to be managed automatically -> whether it is clusters or instances.
CLUSTERS, INSTANCES = "EKS_ADDON_MANAGEMENT", "EC2_AGENT_MANAGEMENT"
FEATURES = {
    "EKS_RUNTIME_MONITORING": (CLUSTERS,),
    "RUNTIME_MONITORING": (CLUSTERS, INSTANCES),
}


class RuntimeMonitoring:
    """What is monitored automatically, by Region: empty where nothing is."""

    def __init__(self, _: World) -> None:
        self.managed: dict[str, frozenset[str]] = {}


def _managed(detectors: Iterator[Any]) -> frozenset[str]:
    return frozenset(
        name
        for detector in detectors
        if detector.enabled
        for feature, of_it in _enabled(detector.features)
        for name in of_it
        if name in FEATURES.get(feature, ())
    )


def _enabled(features: Any) -> Iterator[tuple[str, list[str]]]:
    for one in features or ():
        more = one.get("additionalConfiguration") or one.get("AdditionalConfiguration") or ()
        if (one.get("status") or one.get("Status")) == "ENABLED":
            names = [
                each.get("name") or each.get("Name")
                for each in more
                if (each.get("status") or each.get("Status")) == "ENABLED"
            ]
            yield one.get("name") or one.get("Name"), names


def look(world: World, region: str) -> None:
    """Let GuardDuty notice what runs in a Region, if it looks there at all."""
    if world.part(RuntimeMonitoring).managed.get(region):
        agenda(world).after(NOTICE_SECONDS, partial(_follow, world, region))


def _follow(world: World, region: str) -> None:
    managed = world.part(RuntimeMonitoring).managed.get(region, frozenset())
    for vpc_id in dict.fromkeys(_workloads(world, region, managed)):
        _watch(world, region, vpc_id)
    if CLUSTERS in managed:
        for cluster in world.part(Eks).in_region(region):
            if cluster.status == "ACTIVE":
                install(world, cluster, AGENT)


def _workloads(world: World, region: str, managed: frozenset[str]) -> Iterator[str]:
    """Name the VPCs in which something runs that is monitored."""
    if CLUSTERS in managed:
        for cluster in world.part(Eks).in_region(region):
            if cluster.status in ("ACTIVE", "UPDATING"):
                yield str(cluster.shape["resourcesVpcConfig"]["vpcId"])
    if INSTANCES in managed:
        for instance in instances(world.backend("ec2", region)):
            if instance.state == "running" and instance.vpc_id:
                yield str(instance.vpc_id)


def service(region: str) -> str:
    """Name the service the agents talk to."""
    return f"com.amazonaws.{region}.guardduty-data"


def _watch(world: World, region: str, vpc_id: str) -> None:
    ec2 = world.backend("ec2", region)
    vpc, name = ec2.vpcs.get(vpc_id), f"GuardDutyManagedSecurityGroup-{vpc_id}"
    there = [one for one in ec2.vpc_end_points.values() if one.vpc_id == vpc_id]
    if vpc is None or any(one.service_name == service(region) for one in there):
        return
    group = ec2.get_security_group_from_name(name, vpc_id)
    if group is None:
        tags = {TAG: "true"}
        group = ec2.create_security_group(name, "Managed by GuardDuty", vpc_id=vpc_id, tags=tags)
        ranges = [{"CidrIp": vpc.cidr_block}]
        ec2.authorize_security_group_ingress(group.id, "tcp", "443", "443", ranges)
    zones = {
        zone: subnet.id
        for zone, by_id in sorted(ec2.subnets.items())
        for subnet in sorted(by_id.values(), key=lambda one: str(one.id))
        if subnet.vpc_id == vpc_id
    }
    endpoint = ec2.create_vpc_endpoint(
        vpc_id,
        service(region),
        "Interface",
        None,
        [],
        subnet_ids=list(zones.values()),
        security_group_ids=[group.id],
        tags={TAG: "true"},
        private_dns_enabled=True,
    )
    endpoints.begin(world, region, endpoint)


def _withdraw(world: World, region: str) -> None:
    """Take the endpoints away, and the groups when nothing needs them any more."""
    ec2 = world.backend("ec2", region)
    for endpoint in list(ec2.vpc_end_points.values()):
        if ec2.tags.get(endpoint.id, {}).get(TAG) == "true":
            endpoints.end(world, region, endpoint)
    agenda(world).after(endpoints.DELETING["Interface"] + 1.0, partial(_drop_groups, world, region))


def _drop_groups(world: World, region: str) -> None:
    ec2 = world.backend("ec2", region)
    for by_id in list(ec2.groups.values()):
        for id in list(by_id):
            is_ours = ec2.tags.get(id, {}).get(TAG) == "true"
            if is_ours and not next(group_blockers(ec2, id), None):
                ec2.delete_security_group(group_id=id)


def detectors_changed(request: Request, _: Response) -> None:
    """Begin or end what Runtime Monitoring does.

    Without automated management things are left as they are: only the end of monitoring ends them.
    """
    found = request.world.backend("guardduty", request.region).detectors
    part = request.world.part(RuntimeMonitoring)
    part.managed[request.region] = _managed(iter(found.values()))
    monitored = any(
        name in FEATURES
        for detector in found.values()
        if detector.enabled
        for name, _ in _enabled(detector.features)
    )
    if not monitored:
        _withdraw(request.world, request.region)
    look(request.world, request.region)


def something_runs(request: Request, _: Response) -> None:
    """Notice new instances, and that an endpoint was taken away."""
    look(request.world, request.region)


def refuse_second(request: Request) -> None:
    """A Region has one detector.

    https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateDetector.html
    The words: https://github.com/hashicorp/terraform-provider-aws/issues/11780
    """
    if request.world.backend("guardduty", request.region).detectors:
        raise _rejected("a detector already exists for the current account.")


def refuse_unknown(request: Request) -> None:
    """Only a detector that is there can be deleted.

    The words: https://github.com/hashicorp/terraform-provider-aws/issues/10925
    """
    found = request.world.backend("guardduty", request.region).detectors
    if request.parameters["DetectorId"] not in found:
        raise _rejected("the input detectorId is not owned by the current account.")


def _rejected(reason: str) -> AwsFault:
    members: Mapping[str, str] = {"__type": "InvalidInputException"}
    message = f"The request is rejected because {reason}"
    return AwsFault("BadRequestException", message, 400, members)


RULES = {
    ("guardduty", "CreateDetector"): refuse_second,
    ("guardduty", "DeleteDetector"): refuse_unknown,
}
EFFECTS = {
    ("autoscaling", "CreateAutoScalingGroup"): something_runs,
    ("autoscaling", "SetDesiredCapacity"): something_runs,
    ("autoscaling", "UpdateAutoScalingGroup"): something_runs,
    ("ec2", "DeleteVpcEndpoints"): something_runs,
    ("ec2", "RunInstances"): something_runs,
    **{
        ("guardduty", f"{verb}Detector"): detectors_changed
        for verb in ("Create", "Delete", "Update")
    },
}

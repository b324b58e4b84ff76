"""The tags on the things that requests act on: `aws:ResourceTag` and what services call it.

None is for what is not there, or of which the sandbox does not keep tags: then the keys are
unknown. What a request is about to make has no tags yet, and all things together have none.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from preflight.sandbox.eks.state import Eks
from preflight.sandbox.identity.resources.arn import ANY
from preflight.sandbox.world import World

Tags = Mapping[str, str]


def tags_of(world: World, arn: str | None) -> Tags | None:
    """Give the tags of something by its ARN."""
    if arn == ANY:
        return {}
    if arn is None or arn.count(":") < 5:
        return None
    _, _, service, region, _, tail = arn.split(":", 5)
    read = _READERS.get(service)
    if tail.endswith("/*"):
        return {}
    if read is None:
        return None
    with world.lock:
        return read(world, region, arn)


def _pairs(tags: Any) -> Tags:
    """Read a list of `Key` and `Value`, whatever else stands beside them."""
    return {str(one["Key"]): str(one["Value"]) for one in tags or ()}


def _ec2(world: World, region: str, arn: str) -> Tags | None:
    kind, _, id = arn.split(":", 5)[5].partition("/")
    ec2 = world.backend("ec2", region)
    tags = ec2.tags.get(id)
    if tags:
        return dict(tags)
    return {} if _is_there(ec2, kind, id) else None


#: EC2 type -> where moto keeps things of it by id.
_TABLES = {
    "internet-gateway": "internet_gateways",
    "launch-template": "launch_templates",
    "natgateway": "nat_gateways",
    "network-interface": "enis",
    "route-table": "route_tables",
    "snapshot": "snapshots",
    "volume": "volumes",
    "vpc": "vpcs",
    "vpc-endpoint": "vpc_end_points",
}


def _is_there(ec2: Any, kind: str, id: str) -> bool:
    if kind in _TABLES:
        return id in getattr(ec2, _TABLES[kind])
    if kind == "security-group":
        return ec2.get_security_group_from_id(id) is not None
    if kind == "subnet":
        return any(id in subnets for subnets in ec2.subnets.values())
    if kind == "elastic-ip":
        return any(one.allocation_id == id for one in ec2.addresses)
    if kind == "instance":
        return any(one.id == id for one in ec2.all_instances())
    return False


def _iam(world: World, _: str, arn: str) -> Tags | None:
    iam = world.backend("iam", "aws")
    kind, _, name = arn.split(":", 5)[5].partition("/")
    if kind == "user":
        user = iam.users.get(name.rpartition("/")[2])
        return _pairs(iam.list_user_tags(user.name)) if user is not None else None
    if kind == "policy":
        policy = iam.managed_policies.get(arn)
        return _pairs(policy.get_tags()) if policy is not None else None
    if kind == "oidc-provider":
        provider = iam.open_id_providers.get(arn)
        return _pairs(provider.get_tags()) if provider is not None else None
    table = {"role": iam.roles, "instance-profile": iam.instance_profiles}.get(kind, {})
    holder = next((one for one in list(table.values()) if one.arn == arn), None)
    return _pairs(holder.tags) if holder is not None else None


def _eks(world: World, region: str, arn: str) -> Tags | None:
    name = arn.split("/")[1]
    cluster = world.part(Eks).clusters.get((region, name))
    for own, shape in cluster.tagged() if cluster else ():
        if own == arn:
            return dict(shape.get("tags") or {})
    return None


def _kms(world: World, region: str, arn: str) -> Tags | None:
    kms, id = world.backend("kms", region), arn.rpartition("key/")[2]
    return kms.tagger.get_tag_dict_for_resource(id) if id in kms.keys else None


def _sqs(world: World, region: str, arn: str) -> Tags | None:
    queue = world.backend("sqs", region).queues.get(arn.rpartition(":")[2])
    return dict(queue.tags) if queue is not None else None


def _sns(world: World, region: str, arn: str) -> Tags | None:
    topic = world.backend("sns", region).topics.get(arn)
    return dict(topic._tags) if topic is not None else None  # noqa: SLF001 - moto's only place


def _ecr(world: World, region: str, arn: str) -> Tags | None:
    ecr, name = world.backend("ecr", region), arn.partition(":repository/")[2]
    if name not in ecr.repositories:
        return None
    return {one["Key"]: one["Value"] for one in ecr.tagger.list_tags_for_resource(arn)["tags"]}


def _logs(world: World, region: str, arn: str) -> Tags | None:
    logs, own = world.backend("logs", region), arn.removesuffix(":*")
    group = logs.groups.get(own.partition(":log-group:")[2])
    return logs.tagger.get_tag_dict_for_resource(group.arn) if group is not None else None


def _events(world: World, region: str, arn: str) -> Tags | None:
    events = world.backend("events", region)
    there = any(
        rule.arn == arn for bus in events.event_buses.values() for rule in bus.rules.values()
    )
    return events.tagger.get_tag_dict_for_resource(arn) if there else None


def _guardduty(world: World, region: str, arn: str) -> Tags | None:
    detector = world.backend("guardduty", region).detectors.get(arn.rpartition("/")[2])
    return dict(detector.tags or {}) if detector is not None else None


def _resolver(world: World, region: str, arn: str) -> Tags | None:
    resolver = world.backend("route53resolver", region)
    known = arn in resolver.tagger.tags
    return resolver.tagger.get_tag_dict_for_resource(arn) if known else None


def _scaling(world: World, region: str, arn: str) -> Tags | None:
    name = arn.rpartition("autoScalingGroupName/")[2]
    group = world.backend("autoscaling", region).autoscaling_groups.get(name)
    pairs = group.tags if group is not None else ()
    tags = {str(one["key"]): str(one.get("value", "")) for one in pairs}
    return tags if group is not None else None


def _balancing(world: World, region: str, arn: str) -> Tags | None:
    if "loadbalancer/" in arn and arn.count("/") == 1:
        classic = world.backend("elb", region).load_balancers.get(arn.rpartition("/")[2])
        return dict(classic.tags) if classic is not None else None
    elbv2 = world.backend("elbv2", region)
    there = arn in elbv2.load_balancers or arn in elbv2.target_groups
    return elbv2.tagging_service.get_tag_dict_for_resource(arn) if there else None


_READERS: dict[str, Callable[[World, str, str], Tags | None]] = {
    "autoscaling": _scaling,
    "ec2": _ec2,
    "ecr": _ecr,
    "eks": _eks,
    "elasticloadbalancing": _balancing,
    "events": _events,
    "guardduty": _guardduty,
    "iam": _iam,
    "kms": _kms,
    "logs": _logs,
    "route53resolver": _resolver,
    "sns": _sns,
    "sqs": _sqs,
}

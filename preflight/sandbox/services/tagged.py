"""All that carries tags in a Region and that the tagging API knows of, whatever moto says.

EC2, EKS, ECR, EventBridge rules, GuardDuty, IAM and Route 53 Resolver are listed here; what else
moto tells is taken from it, but Auto Scaling groups, of which this API gives nothing. IAM's users
and roles it does not know either; its policies, instance profiles and providers are in one Region.
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from preflight.sandbox import engine
from preflight.sandbox.account import remains
from preflight.sandbox.eks.state import Eks
from preflight.sandbox.world import World

# Services of which moto's own rows are not taken.
NOT_FROM_MOTO = ("autoscaling", "ec2")
# Where global things are, for this API.
IAM_REGION = "us-east-1"
# What the part of the ARN before the id is called, by the prefix of EC2's ids.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
EC2_TYPES = {
    "acl": "network-acl",
    "ami": "image",
    "cgw": "customer-gateway",
    "dopt": "dhcp-options",
    "eigw": "egress-only-internet-gateway",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "fl": "vpc-flow-log",
    "i": "instance",
    "igw": "internet-gateway",
    "key": "key-pair",
    "lt": "launch-template",
    "nat": "natgateway",
    "pcx": "vpc-peering-connection",
    "pg": "placement-group",
    "pl": "prefix-list",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "sir": "spot-instances-request",
    "snap": "snapshot",
    "subnet": "subnet",
    "tgw": "transit-gateway",
    "vgw": "vpn-gateway",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}


class Tagged(NamedTuple):
    """One tagged thing: its ARN, its type as the API's filters call it, and its tags."""

    arn: str
    type: str
    tags: Mapping[str, str]


class OnceTagged:
    """What had tags before some were taken away, as ARNs; a part of the world."""

    def __init__(self, _: World) -> None:
        self.arns: set[str] = set()


def tagged(world: World, region: str) -> list[Tagged]:
    """List them by ARN: what has tags, or had some."""
    once = world.part(OnceTagged).arns
    used = {
        service: backend
        for service, where, backend in engine.backends_in_use(world.account)
        if where == region
    }
    rows = [
        row
        for service, read in _SOURCES.items()
        if service in used
        for row in read(world, used[service])
    ]
    rows += _of_eks(world, region)
    if region == IAM_REGION:
        rows += _of_iam(world)
    rows += _of_moto(world, region, {row.arn for row in rows})
    return sorted((row for row in rows if row.tags or row.arn in once), key=lambda row: row.arn)


def _of_ec2(world: World, ec2: Any) -> Iterator[Tagged]:
    gone = remains.gone(ec2)
    for id, tags in ec2.tags.items():
        kind = EC2_TYPES.get(id.partition("-")[0])
        if kind is not None and id not in gone:
            arn = f"arn:aws:ec2:{ec2.region_name}:{world.account}:{kind}/{id}"
            yield Tagged(arn, f"ec2:{kind}", dict(tags))


def _of_eks(world: World, region: str) -> Iterator[Tagged]:
    for cluster in world.part(Eks).in_region(region):
        for arn, shape in cluster.tagged():
            kind = arn.split(":", 5)[5].partition("/")[0]
            yield Tagged(arn, f"eks:{kind}", dict(shape.get("tags") or {}))


def _of_iam(world: World) -> Iterator[Tagged]:
    iam = world.backend("iam", "aws")
    for policy in iam.managed_policies.values():
        if policy.account_id == world.account:
            yield Tagged(policy.arn, "iam:policy", _plain(policy.tags))
    for profile in iam.instance_profiles.values():
        yield Tagged(profile.arn, "iam:instance-profile", _plain(profile.tags))
    for provider in iam.open_id_providers.values():
        yield Tagged(provider.arn, "iam:oidc-provider", _plain(provider.tags))


def _plain(tags: Mapping[str, Any] | list[Any]) -> dict[str, str]:
    """Give the tags that moto's IAM keeps as pairs, in a list or by key."""
    pairs = tags.values() if isinstance(tags, Mapping) else tags
    return {one["Key"]: one["Value"] for one in pairs}


def _of_ecr(_: World, ecr: Any) -> Iterator[Tagged]:
    for repository in ecr.repositories.values():
        tags = ecr.tagger.list_tags_for_resource(repository.arn)["tags"]
        yield Tagged(repository.arn, "ecr:repository", {one["Key"]: one["Value"] for one in tags})


def _of_events(_: World, events: Any) -> Iterator[Tagged]:
    for bus in events.event_buses.values():
        for rule in bus.rules.values():
            tags = events.tagger.get_tag_dict_for_resource(rule.arn)
            yield Tagged(rule.arn, "events:rule", dict(tags))


def _of_guardduty(world: World, guardduty: Any) -> Iterator[Tagged]:
    for id, detector in guardduty.detectors.items():
        arn = f"arn:aws:guardduty:{guardduty.region_name}:{world.account}:detector/{id}"
        yield Tagged(arn, "guardduty:detector", dict(detector.tags))


def _of_resolver(_: World, resolver: Any) -> Iterator[Tagged]:
    for arn in resolver.tagger.tags:
        kind = arn.split(":", 5)[5].partition("/")[0]
        tags = resolver.tagger.get_tag_dict_for_resource(arn)
        yield Tagged(arn, f"route53resolver:{kind}", dict(tags))


def _of_moto(world: World, region: str, known: set[str]) -> Iterator[Tagged]:
    from moto.core.resource_tagging import iter_taggable_backends

    for backend in iter_taggable_backends(world.account, region):
        if backend.SERVICE_NAMESPACE in NOT_FROM_MOTO:
            continue
        for row in backend.iter_tagged_resources():
            if row.arn not in known:
                kind = "logs:log-group" if row.resource_type == "logs:loggroup" else None
                yield Tagged(row.arn, kind or row.resource_type, dict(row.tags))


_SOURCES: dict[str, Callable[[World, Any], Iterator[Tagged]]] = {
    "ec2": _of_ec2,
    "ecr": _of_ecr,
    "events": _of_events,
    "guardduty": _of_guardduty,
    "route53resolver": _of_resolver,
}

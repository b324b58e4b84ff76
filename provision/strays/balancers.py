"""Load balancers and target groups that Kubernetes services and ingresses asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Evidence, Found, Owner, tag_map
from preflight.price import Charge
from preflight.resource import Kind
from provision.strays import evidence

#: How many load balancers one DescribeTags takes.
#: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
TAG_BATCH = 20

_ARN = "arn:{owner.partition}:elasticloadbalancing:{owner.region}:{owner.account}:"


class LoadBalancer(Kind):
    """A network or application load balancer: it costs money and holds interfaces and groups."""

    kind = "elbv2/load-balancer"
    finds = actions(
        "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTags"
    )
    deletes = (
        Action(
            name="elasticloadbalancing:DeleteLoadBalancer",
            on=(_ARN + "loadbalancer/net/*", _ARN + "loadbalancer/app/*"),
        ),
    )

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by the controllers' tags, which AWS gives for twenty load balancers at a time."""
        described = {
            each["LoadBalancerArn"]: each
            for each in aws.each("elbv2", "DescribeLoadBalancers", "LoadBalancers")
        }
        for arn, tags in _tags(aws, list(described)):
            if not (proof := evidence.of_tags(tags, owner)):
                continue
            balancer = described[arn]
            zones = balancer.get("AvailabilityZones", ())
            internal = balancer.get("Scheme") == "internal"
            state, note = evidence.standing(tags, owner)
            addresses = Charge(sku="ec2/public-ipv4", quantity=0 if internal else len(zones))
            yield Found(
                kind=cls.kind,
                id=arn,
                region=owner.region,
                arn=arn,
                name=balancer.get("LoadBalancerName", ""),
                cluster=owner.cluster,
                state=state,
                note=note,
                evidence=proof,
                created=balancer.get("CreatedTime"),
                charges=(Charge(sku=f"elb/{balancer.get('Type', 'network')}"), addresses),
                blocks=(
                    balancer.get("VpcId", ""),
                    *balancer.get("SecurityGroups", ()),
                    *(zone.get("SubnetId", "") for zone in zones),
                ),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; its listeners go with it, its interfaces some minutes later."""
        aws.call("elbv2", "DeleteLoadBalancer", LoadBalancerArn=found.id)


class TargetGroup(Kind):
    """A target group: free, but it counts against a quota and blocks a name."""

    kind = "elbv2/target-group"
    finds = actions(
        "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTags"
    )
    deletes = (Action(name="elasticloadbalancing:DeleteTargetGroup", on=(_ARN + "targetgroup/*",)),)
    dies_after = ("elbv2/load-balancer",)

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by the controllers' tags; the name `k8s-...` says only that Kubernetes made it."""
        described = {
            each["TargetGroupArn"]: each
            for each in aws.each("elbv2", "DescribeTargetGroups", "TargetGroups")
        }
        for arn, tags in _tags(aws, list(described)):
            if proof := evidence.of_tags(tags, owner):
                state, note = evidence.standing(tags, owner)
                yield Found(
                    kind=cls.kind,
                    id=arn,
                    region=owner.region,
                    arn=arn,
                    name=described[arn].get("TargetGroupName", ""),
                    cluster=owner.cluster,
                    state=state,
                    note=note,
                    evidence=proof,
                )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; refused while a listener uses it."""
        aws.call("elbv2", "DeleteTargetGroup", TargetGroupArn=found.id)


class ClassicLoadBalancer(Kind):
    """A load balancer of the in-tree controller, the dearest of the three."""

    kind = "elb/load-balancer"
    finds = LoadBalancer.finds
    deletes = (
        Action(name="elasticloadbalancing:DeleteLoadBalancer", on=(_ARN + "loadbalancer/*",)),
    )

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by the ownership tag together with the tag of the Kubernetes service."""
        described = {
            each["LoadBalancerName"]: each
            for each in aws.each("elb", "DescribeLoadBalancers", "LoadBalancerDescriptions")
        }
        for name, tags in _classic_tags(aws, list(described)):
            if proof := evidence.of_tags(tags, owner):
                yield _classic(described[name], tags, proof, owner)

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion."""
        aws.call("elb", "DeleteLoadBalancer", LoadBalancerName=found.id)


def _classic(
    balancer: Mapping[str, Any], tags: Mapping[str, str], proof: tuple[Evidence, ...], owner: Owner
) -> Found:
    name = balancer["LoadBalancerName"]
    state, note = evidence.standing(tags, owner)
    return Found(
        kind=ClassicLoadBalancer.kind,
        id=name,
        region=owner.region,
        arn=f"arn:{owner.partition}:elasticloadbalancing:{owner.region}:{owner.account}"
        f":loadbalancer/{name}",
        name=tags.get("kubernetes.io/service-name", name),
        cluster=owner.cluster,
        state=state,
        note=note,
        evidence=proof,
        created=balancer.get("CreatedTime"),
        charges=(Charge(sku="elb/classic"),),
        blocks=(
            balancer.get("VPCId", ""),
            *balancer.get("SecurityGroups", ()),
            *balancer.get("Subnets", ()),
        ),
    )


def _tags(aws: Aws, arns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    aside = aws.watching()  # what was examined are the things, not the answers about their tags
    for some in _twenty(arns):
        for each in aside.call("elbv2", "DescribeTags", ResourceArns=some)["TagDescriptions"]:
            yield each["ResourceArn"], tag_map(each["Tags"])


def _classic_tags(aws: Aws, names: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    aside = aws.watching()
    for some in _twenty(names):
        for each in aside.call("elb", "DescribeTags", LoadBalancerNames=some)["TagDescriptions"]:
            yield each["LoadBalancerName"], tag_map(each["Tags"])


def all_tags(aws: Aws) -> Iterator[dict[str, str]]:
    """Give the tags of every load balancer and target group of the Region."""
    arns = [
        *aws.each("elbv2", "DescribeLoadBalancers", "LoadBalancers[].LoadBalancerArn"),
        *aws.each("elbv2", "DescribeTargetGroups", "TargetGroups[].TargetGroupArn"),
    ]
    names = list(
        aws.each("elb", "DescribeLoadBalancers", "LoadBalancerDescriptions[].LoadBalancerName")
    )
    for _, tags in (*_tags(aws, arns), *_classic_tags(aws, names)):
        yield tags


def _twenty(names: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), TAG_BATCH):
        yield list(names[start : start + TAG_BATCH])

"""EC2 instances that outlive their cluster, and the Auto Scaling groups that start them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Evidence, Found, Owner, State, Strength, tag_map
from preflight.price import Charge
from preflight.resource import Kind
from provision.resources.ec2 import arn
from provision.strays import evidence

#: Held by the group's tag, whatever its value: the cluster autoscaler looks for the key alone.
#: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md
AUTOSCALER_KEY = "k8s.io/cluster-autoscaler/"
GROUP_TAG = "aws:autoscaling:groupName"
_GROUP_ARN = (
    "arn:{owner.partition}:autoscaling:{owner.region}:{owner.account}"
    ":autoScalingGroup:*:autoScalingGroupName/*"
)


class Instance(Kind):
    """A node whose cluster is gone: Karpenter's survive when it goes before they do.

    https://karpenter.sh/docs/faq/
    """

    kind = "ec2/instance"
    finds = actions("ec2:DescribeInstances")
    deletes = (Action(name="ec2:TerminateInstances", on=(arn("instance"),)),)
    dies_after = ("eks/nodegroup", "autoscaling/group")

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag, leaving out the terminated ones that EC2 shows for an hour."""
        for described in aws.each(
            "ec2",
            "DescribeInstances",
            "Reservations[].Instances[]",
            Filters=evidence.tag_key_filter(owner),
        ):
            if (found := _instance(described, owner)) is not None:
                yield found

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its end; its root disk and its primary interface go with it."""
        aws.call("ec2", "TerminateInstances", InstanceIds=[found.id])


def _instance(described: Mapping[str, Any], owner: Owner) -> Found | None:
    tags, status = tag_map(described.get("Tags")), described["State"]["Name"]
    proof = evidence.of_tags(tags, owner)
    if not proof or status == "terminated":
        return None
    id = described["InstanceId"]
    state, note = evidence.standing(tags, owner)
    if state is not State.KEPT and status == "shutting-down":
        state, note = State.GOING, "being terminated"
    if not note and GROUP_TAG in tags:
        note = f"the Auto Scaling group {tags[GROUP_TAG]} starts another one in its place"
    spot = described.get("InstanceLifecycle") == "spot"
    sku = f"ec2/{'spot' if spot else 'instance'}/{described.get('InstanceType', '')}"
    return Found(
        kind=Instance.kind,
        id=id,
        region=owner.region,
        arn=f"arn:{owner.partition}:ec2:{owner.region}:{owner.account}:instance/{id}",
        name=tags.get("Name", ""),
        cluster=owner.cluster,
        state=state,
        note=note,
        evidence=proof,
        created=described.get("LaunchTime"),
        charges=(Charge(sku=sku),) if status in {"pending", "running"} else (),
        blocks=(
            described.get("SubnetId", ""),
            described.get("VpcId", ""),
            *(group["GroupId"] for group in described.get("SecurityGroups", ())),
        ),
    )


class AutoScalingGroup(Kind):
    """A group that starts a new node for every one that is terminated."""

    kind = "autoscaling/group"
    finds = actions("autoscaling:DescribeAutoScalingGroups")
    deletes = (Action(name="autoscaling:DeleteAutoScalingGroup", on=(_GROUP_ARN,)),)
    dies_after = ("eks/nodegroup",)

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag, the cluster autoscaler's among them."""
        keys = [*evidence.keys(owner), f"{AUTOSCALER_KEY}{owner.eks_name}"]
        for described in aws.each(
            "autoscaling",
            "DescribeAutoScalingGroups",
            "AutoScalingGroups",
            Filters=[{"Name": "tag-key", "Values": keys}],
        ):
            if (found := _group(described, owner)) is not None:
                yield found

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion with its instances, which would hold it back."""
        aws.call(
            "autoscaling",
            "DeleteAutoScalingGroup",
            AutoScalingGroupName=found.id,
            ForceDelete=True,
        )


def _group(described: Mapping[str, Any], owner: Owner) -> Found | None:
    tags = tag_map(described.get("Tags"))
    proof = evidence.of_tags(tags, owner)
    autoscaler = f"{AUTOSCALER_KEY}{owner.eks_name}"
    if autoscaler in tags and not evidence.names_another(tags, owner):
        text = f"tag {autoscaler}={tags[autoscaler]}"
        proof = (*proof, Evidence(strength=Strength.A, text=text))
    if not proof:
        return None
    state, note = evidence.standing(tags, owner)
    if state is not State.KEPT and "Status" in described:
        state, note = State.GOING, described["Status"]
    return Found(
        kind=AutoScalingGroup.kind,
        id=described["AutoScalingGroupName"],
        region=owner.region,
        arn=described.get("AutoScalingGroupARN", ""),
        name=described["AutoScalingGroupName"],
        cluster=owner.cluster,
        state=state,
        note=note,
        evidence=proof,
        created=described.get("CreatedTime"),
        blocks=tuple(filter(None, described.get("VPCZoneIdentifier", "").split(","))),
    )

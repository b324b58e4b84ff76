"""Network interfaces that outlive the nodes and load balancers they were made for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Evidence, Found, Owner, State, Strength, tag_map
from preflight.resource import Kind
from provision.resources.ec2 import arn
from provision.strays import evidence

#: https://github.com/aws/amazon-vpc-cni-k8s and the VPC resource controller's trunk and branches.
CNI_DESCRIPTIONS = ("aws-K8S-i-*", "aws-k8s-trunk-eni", "aws-k8s-branch-eni")
NODE_KEY = "node.k8s.amazonaws.com/instance_id"


class NetworkInterface(Kind):
    """An interface of the CNI plugin or of the control plane: it holds on to subnet and groups."""

    kind = "ec2/network-interface"
    finds = actions("ec2:DescribeNetworkInterfaces")
    deletes = (Action(name="ec2:DeleteNetworkInterface", on=(arn("network-interface"),)),)
    dies_after = (
        "eks/nodegroup",
        "eks/cluster",
        "ec2/instance",
        "elbv2/load-balancer",
        "elb/load-balancer",
    )

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by description, which CNI and control plane write, then weigh the tags.

        The control plane's own have no tags at all, and an old CNI's do not name the cluster.
        https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
        """
        wanted = [f"Amazon EKS {owner.eks_name}", *CNI_DESCRIPTIONS]
        for described in aws.each(
            "ec2",
            "DescribeNetworkInterfaces",
            "NetworkInterfaces",
            Filters=[{"Name": "description", "Values": wanted}],
        ):
            if (found := _found(described, owner)) is not None:
                yield found

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; AWS refuses while it is attached."""
        aws.call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=found.id)


def _found(described: Mapping[str, Any], owner: Owner) -> Found | None:
    tags = tag_map(described.get("TagSet"))
    proof = evidence.of_tags(tags, owner)
    if described.get("Description") == f"Amazon EKS {owner.eks_name}":
        proof = (*proof, Evidence(strength=Strength.A, text="description of its control plane"))
    if not proof and NODE_KEY in tags and not evidence.names_another(tags, owner):
        text = f"tag {NODE_KEY}={tags[NODE_KEY]}: some cluster, not which one"
        proof = (Evidence(strength=Strength.C, text=text),)
    if not proof:
        return None
    id = described["NetworkInterfaceId"]
    groups = tuple(group["GroupId"] for group in described.get("Groups", ()))
    state, note = _state(described, tags, owner)
    return Found(
        kind=NetworkInterface.kind,
        id=id,
        region=owner.region,
        arn=f"arn:{owner.partition}:ec2:{owner.region}:{owner.account}:network-interface/{id}",
        name=described.get("Description", ""),
        cluster=owner.cluster,
        state=state,
        note=note,
        evidence=proof,
        created=_created(tags),
        blocks=(described.get("SubnetId", ""), described.get("VpcId", ""), *groups),
    )


def _state(
    described: Mapping[str, Any], tags: Mapping[str, str], owner: Owner
) -> tuple[State, str]:
    state, note = evidence.standing(tags, owner)
    if state is State.KEPT:
        return state, note
    if described.get("RequesterManaged"):
        return State.GOING, "AWS made it and removes it by itself"
    if described.get("Status") != "available":
        instance = described.get("Attachment", {}).get("InstanceId")
        return State.GOING, f"still attached to {instance or 'something'}"
    return state, note


def _created(tags: Mapping[str, str]) -> datetime | None:
    """Read when the CNI made it; anybody may have written the tag, so it may be anything."""
    try:
        written = datetime.fromisoformat(tags["node.k8s.amazonaws.com/createdAt"])
    except (KeyError, ValueError):
        return None
    return written if written.tzinfo is not None else written.replace(tzinfo=UTC)

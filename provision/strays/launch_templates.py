"""Launch templates that EKS or Karpenter made for nodes that are gone."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Found, Owner, tag_map
from preflight.resource import Kind
from provision.resources.ec2 import arn
from provision.strays import evidence


class NodeTemplate(Kind):
    """A launch template nobody starts from any more: free, but it counts against a quota."""

    kind = "ec2/node-launch-template"
    finds = actions("ec2:DescribeLaunchTemplates")
    deletes = (Action(name="ec2:DeleteLaunchTemplate", on=(arn("launch-template"),)),)
    dies_after = ("eks/nodegroup", "autoscaling/group")

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag; those of a plan are found by their own rule."""
        for described in aws.each(
            "ec2",
            "DescribeLaunchTemplates",
            "LaunchTemplates",
            Filters=evidence.tag_key_filter(owner),
            MaxResults=200,
        ):
            tags = tag_map(described.get("Tags"))
            proof = evidence.of_tags(tags, owner)
            if not proof or evidence.is_planned(tags):
                continue
            id = described["LaunchTemplateId"]
            state, note = evidence.standing(tags, owner)
            yield Found(
                kind="ec2/launch-template",
                id=id,
                region=owner.region,
                arn=f"arn:{owner.partition}:ec2:{owner.region}:{owner.account}"
                f":launch-template/{id}",
                name=described.get("LaunchTemplateName", ""),
                cluster=owner.cluster,
                state=state,
                note=note,
                evidence=proof,
                created=described.get("CreateTime"),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion, with all its versions."""
        aws.call("ec2", "DeleteLaunchTemplate", LaunchTemplateId=found.id)

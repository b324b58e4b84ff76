"""How the nodes of a group start: EC2 launch templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import RESOURCE_TAG, Found, Owner
from preflight.names import LAUNCH_TEMPLATE, NameRule
from preflight.quota import Demand
from preflight.quotas.catalogue import LAUNCH_TEMPLATES
from preflight.resource import Ids, Resource
from provision.resources import ec2
from provision.resources.security import SecurityGroup


class LaunchTemplate(Resource):
    """Metadata only by session token, an encrypted root disk, and the owner's tags on both.

    EKS allows no instance type list, subnet, instance profile or Spot setting in it: those are the
    node group's. https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
    """

    kind = "ec2/launch-template"
    creates = ec2.creates("CreateLaunchTemplate", "launch-template")
    finds = actions("ec2:DescribeLaunchTemplates")
    deletes = (Action(name="ec2:DeleteLaunchTemplate", on=(ec2.arn("launch-template"),)),)
    #: EC2 would let it go earlier, and the node group would then be degraded.
    dies_after = ("eks/nodegroup",)

    #: Its name in AWS, unique within the Region.
    template_name: str
    #: GiB of the root disk.
    disk_gib: int = 100
    #: `/dev/xvda` for Amazon Linux; Bottlerocket keeps containers on `/dev/xvdb`.
    disk_device: str = "/dev/xvda"
    #: Network hops that an answer of the metadata service lives. 1 keeps it from pods, which get
    #: their rights through pod identity; pods that need the service itself take 2.
    hop_limit: int = 1
    #: Instead of the group that EKS makes for the cluster.
    security_groups: tuple[SecurityGroup, ...] = ()

    def demands(self) -> Iterator[Demand]:
        """One of the launch templates of the Region."""
        yield Demand(quota=LAUNCH_TEMPLATES)

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The name of the template."""
        yield LAUNCH_TEMPLATE, self.template_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the template; its only version is 1."""
        answer = aws.call(
            "ec2",
            "CreateLaunchTemplate",
            LaunchTemplateName=self.template_name,
            LaunchTemplateData=self._content(ids),
            ClientToken=token,
            TagSpecifications=ec2.tag_specifications("launch-template", ids, self),
        )
        return str(answer["LaunchTemplate"]["LaunchTemplateId"])

    def _content(self, ids: Ids) -> dict[str, Any]:
        disk = {
            "VolumeType": "gp3",
            "VolumeSize": self.disk_gib,
            "Encrypted": True,
            "DeleteOnTermination": True,
        }
        # Instances and disks are no resources of the plan, and EKS adds the Kubernetes tag itself.
        tags = [
            {"Key": key, "Value": value}
            for key, value in sorted(ids.owner.tags(self.address).items())
            if key != RESOURCE_TAG and not key.startswith("kubernetes.io/")
        ]
        content: dict[str, Any] = {
            "MetadataOptions": {
                "HttpEndpoint": "enabled",
                "HttpTokens": "required",
                "HttpPutResponseHopLimit": self.hop_limit,
            },
            "BlockDeviceMappings": [{"DeviceName": self.disk_device, "Ebs": disk}],
            "TagSpecifications": [
                {"ResourceType": thing, "Tags": tags} for thing in ("instance", "volume")
            ],
        }
        if self.security_groups:
            content["SecurityGroupIds"] = [ids[group] for group in self.security_groups]
        return content

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag, in the largest pages there are."""
        for found, _ in ec2.each_found(
            aws,
            owner,
            cls,
            "DescribeLaunchTemplates",
            "LaunchTemplates",
            "LaunchTemplateId",
            MaxResults=200,
        ):
            yield found

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion, with all its versions."""
        aws.call("ec2", "DeleteLaunchTemplate", LaunchTemplateId=found.id)

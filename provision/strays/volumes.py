"""EBS volumes that a storage driver made for claims nobody deleted."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.price import Charge
from preflight.resource import Found, Kind, Owner, State, tag_map
from provision.resources.ec2 import arn
from provision.strays import evidence


class Volume(Kind):
    """A disk: it costs money for as long as it exists, and it holds the user's data."""

    kind = "ec2/volume"
    finds = actions("ec2:DescribeVolumes")
    deletes = (Action(name="ec2:DeleteVolume", on=(arn("volume"),)),)
    dies_after = ("eks/nodegroup",)
    holds_data = True

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by the drivers' tags; without `--k8s-tag-cluster-id` they prove only C."""
        described = aws.each(
            "ec2", "DescribeVolumes", "Volumes", Filters=evidence.tag_key_filter(owner)
        )
        for volume in described:
            tags = tag_map(volume.get("Tags"))
            proof = evidence.of_tags(tags, owner)
            if not proof or evidence.is_planned(tags):
                continue
            attached = bool(volume.get("Attachments"))
            yield Found(
                kind=cls.kind,
                id=volume["VolumeId"],
                region=owner.region,
                arn=f"arn:{owner.partition}:ec2:{owner.region}:{owner.account}"
                f":volume/{volume['VolumeId']}",
                name=_claim(tags),
                cluster=owner.cluster,
                state=State.GOING if attached else evidence.state_of_tags(tags, owner),
                note="still attached to an instance" if attached else "",
                evidence=proof,
                created=volume.get("CreateTime"),
                charges=(Charge(sku=f"ebs/{volume['VolumeType']}", quantity=volume["Size"]),),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion, with all that is on it."""
        aws.call("ec2", "DeleteVolume", VolumeId=found.id)


def _claim(tags: dict[str, str]) -> str:
    namespace = tags.get("kubernetes.io/created-for/pvc/namespace", "")
    name = tags.get("kubernetes.io/created-for/pvc/name", "")
    return f"{namespace}/{name}" if namespace and name else tags.get("Name", "")

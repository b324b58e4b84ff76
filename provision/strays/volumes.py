"""EBS volumes that a storage driver made for claims nobody deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Found, Owner, State, tag_map
from preflight.price import Charge
from preflight.resource import Kind
from provision.resources.ec2 import arn
from provision.strays import evidence


class Volume(Kind):
    """A disk: it costs money for as long as it exists, and it holds the user's data."""

    kind = "ec2/volume"
    finds = actions("ec2:DescribeVolumes")
    deletes = (Action(name="ec2:DeleteVolume", on=(arn("volume"),)),)
    dies_after = ("eks/nodegroup", "ec2/instance")
    holds_data = True

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by the drivers' tags; without `--k8s-tag-cluster-id` they prove only C."""
        described = aws.each(
            "ec2", "DescribeVolumes", "Volumes", Filters=evidence.tag_key_filter(owner)
        )
        for volume in described:
            if (found := _found(volume, owner)) is not None:
                yield found

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion, with all that is on it."""
        aws.call("ec2", "DeleteVolume", VolumeId=found.id)


def _found(volume: Mapping[str, Any], owner: Owner) -> Found | None:
    tags = tag_map(volume.get("Tags"))
    if not (proof := evidence.of_tags(tags, owner)):
        return None
    id = volume["VolumeId"]
    state, note = evidence.standing(tags, owner)
    if state is not State.KEPT and (attached := _attached(volume)):
        state, note = State.GOING, attached
    return Found(
        kind=Volume.kind,
        id=id,
        region=owner.region,
        arn=f"arn:{owner.partition}:ec2:{owner.region}:{owner.account}:volume/{id}",
        name=_claim(tags),
        cluster=owner.cluster,
        state=state,
        note=note,
        evidence=proof,
        created=volume.get("CreateTime"),
        charges=(Charge(sku=f"ebs/{volume['VolumeType']}", quantity=volume["Size"]),),
    )


def _attached(volume: Mapping[str, Any]) -> str:
    if volume.get("State") == "deleting":
        return "being deleted"
    instances = [each.get("InstanceId", "something") for each in volume.get("Attachments", ())]
    return f"still attached to {', '.join(instances)}" if instances else ""


def _claim(tags: dict[str, str]) -> str:
    namespace = tags.get("kubernetes.io/created-for/pvc/namespace", "")
    name = tags.get("kubernetes.io/created-for/pvc/name", "")
    return f"{namespace}/{name}" if namespace and name else tags.get("Name", "")

"""Snapshots of a cluster's volumes: shown, because they cost, and kept, because somebody asked."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Found, Owner, State, tag_map
from preflight.price import Charge
from preflight.resource import Kind
from provision.strays import evidence


class Snapshot(Kind):
    """A copy of a disk. Nothing makes one by accident, so none is ever called a leftover."""

    kind = "ec2/snapshot"
    finds = actions("ec2:DescribeSnapshots")
    #: Snapshots can be shared: their ARN holds no account.
    deletes = (
        Action(
            name="ec2:DeleteSnapshot",
            on=("arn:{owner.partition}:ec2:{owner.region}::snapshot/*",),
        ),
    )
    holds_data = True

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find the account's own by tag."""
        for described in aws.each(
            "ec2",
            "DescribeSnapshots",
            "Snapshots",
            OwnerIds=["self"],
            Filters=evidence.tag_key_filter(owner),
        ):
            tags = tag_map(described.get("Tags"))
            if not (proof := evidence.of_tags(tags, owner)):
                continue
            id = described["SnapshotId"]
            _, note = evidence.standing(tags, owner)
            yield Found(
                kind=cls.kind,
                id=id,
                region=owner.region,
                arn=f"arn:{owner.partition}:ec2:{owner.region}::snapshot/{id}",
                name=tags.get("CSIVolumeSnapshotName", tags.get("Name", "")),
                cluster=owner.cluster,
                state=State.KEPT,
                note=note or f"a copy of {described.get('VolumeId', 'a volume')}, made on purpose",
                evidence=proof,
                created=described.get("StartTime"),
                # What it really takes depends on its neighbours; AWS tells the size of the disk.
                charges=(Charge(sku="ebs/snapshot", quantity=described.get("VolumeSize", 0)),),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion, with all that is in it."""
        aws.call("ec2", "DeleteSnapshot", SnapshotId=found.id)

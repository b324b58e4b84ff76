"""Elastic IPs that controllers took for a cluster's load balancers or gateways."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Found, Owner, State, tag_map
from preflight.price import Charge
from preflight.resource import Kind
from provision.resources.addresses import ElasticIp
from provision.resources.ec2 import arn
from provision.strays import evidence


class ControllerAddress(Kind):
    """An address that is paid for by the hour, used or not."""

    kind = "ec2/controller-elastic-ip"
    finds = actions("ec2:DescribeAddresses")
    deletes = (Action(name="ec2:ReleaseAddress", on=(arn("elastic-ip"),)),)
    dies_after = ("elbv2/load-balancer", "ec2/instance", "ec2/nat-gateway")

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag; those of a plan are found by their own rule."""
        for described in aws.each(
            "ec2", "DescribeAddresses", "Addresses", Filters=evidence.tag_key_filter(owner)
        ):
            tags = tag_map(described.get("Tags"))
            proof = evidence.of_tags(tags, owner)
            if not proof or evidence.is_planned(tags):
                continue
            id = described["AllocationId"]
            state, note = evidence.standing(tags, owner)
            if state is not State.KEPT and "AssociationId" in described:
                user = described.get("InstanceId") or described.get("NetworkInterfaceId")
                state, note = State.GOING, f"still in use by {user or 'something'}"
            yield Found(
                kind="ec2/elastic-ip",
                id=id,
                region=owner.region,
                arn=f"arn:{owner.partition}:ec2:{owner.region}:{owner.account}:elastic-ip/{id}",
                name=described.get("PublicIp", ""),
                cluster=owner.cluster,
                state=state,
                note=note,
                evidence=proof,
                charges=(Charge(sku="ec2/public-ipv4"),),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Give the address back."""
        ElasticIp.delete(aws, found)

"""What GuardDuty's Runtime Monitoring puts into a network of ours, and leaves there.

Nobody asked for it but the account, no tag names a cluster, and it stays when cluster and instances
go: an interface endpoint that holds subnets, and its security group that holds the VPC. What is in
a VPC of this cluster's own belongs to it.
https://docs.aws.amazon.com/guardduty/latest/ug/runtime-monitoring-agent-resource-clean-up.html
https://github.com/hashicorp/terraform-provider-aws/issues/46747
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Evidence, Found, Owner, State, Strength
from preflight.resource import Kind
from provision.resources.ec2 import arn
from provision.resources.endpoints import VpcEndpoint
from provision.resources.vpc import Vpc

MANAGED = {"Name": "tag:GuardDutyManaged", "Values": ["true"]}


class MonitoringEndpoint(Kind):
    """The way of GuardDuty's agents to GuardDuty: free, but its interfaces hold the subnets.

    GuardDuty makes it anew as long as something runs in the VPC, so it goes after all that does.
    """

    kind = "ec2/guardduty-endpoint"
    finds = actions("ec2:DescribeVpcs", "ec2:DescribeVpcEndpoints")
    deletes = VpcEndpoint.deletes
    dies_after = ("autoscaling/group", "ec2/instance", "eks/cluster", "eks/nodegroup")

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by GuardDuty's tag and service, in the VPCs that carry the owner's tag."""
        for vpc in Vpc.find(aws, owner):
            for described in aws.each(
                "ec2", "DescribeVpcEndpoints", "VpcEndpoints", Filters=[MANAGED, _within(vpc)]
            ):
                if not described["ServiceName"].endswith(".guardduty-data"):
                    continue
                subnets = described.get("SubnetIds", ())
                groups = [group["GroupId"] for group in described.get("Groups", ())]
                yield _found(
                    cls,
                    owner,
                    vpc,
                    described["VpcEndpointId"],
                    "vpc-endpoint",
                    name=described["ServiceName"],
                    going=str(described["State"]).lower() == "deleting",
                    blocks=(*subnets, *groups, vpc.id),
                )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion, as for any endpoint."""
        VpcEndpoint.delete(aws, found)


class MonitoringGroup(Kind):
    """The security group of that endpoint, named after the VPC it holds."""

    kind = "ec2/guardduty-security-group"
    finds = actions("ec2:DescribeVpcs", "ec2:DescribeSecurityGroups")
    deletes = (Action(name="ec2:DeleteSecurityGroup", on=(arn("security-group"),)),)
    dies_after = (MonitoringEndpoint.kind,)

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by GuardDuty's tag and the name that the VPC's id gives."""
        for vpc in Vpc.find(aws, owner):
            for described in aws.each(
                "ec2", "DescribeSecurityGroups", "SecurityGroups", Filters=[MANAGED, _within(vpc)]
            ):
                if described["GroupName"] == f"GuardDutyManagedSecurityGroup-{vpc.id}":
                    yield _found(
                        cls,
                        owner,
                        vpc,
                        described["GroupId"],
                        "security-group",
                        name=described["GroupName"],
                        blocks=(vpc.id,),
                    )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; refused while the endpoint has it."""
        aws.call("ec2", "DeleteSecurityGroup", GroupId=found.id)


def _within(vpc: Found) -> dict[str, Any]:
    return {"Name": "vpc-id", "Values": [vpc.id]}


def _found(
    cls: type[Kind],
    owner: Owner,
    vpc: Found,
    id: str,
    thing: str,
    *,
    name: str,
    blocks: tuple[str, ...],
    going: bool = False,
) -> Found:
    text = f"tag GuardDutyManaged=true, in {vpc.id} of this cluster"
    return Found(
        kind=cls.kind,
        id=id,
        region=owner.region,
        arn=f"arn:{owner.partition}:ec2:{owner.region}:{owner.account}:{thing}/{id}",
        name=name,
        cluster=owner.cluster,
        state=State.GOING if going else State.PRESENT,
        note="being deleted" if going else "made by GuardDuty Runtime Monitoring",
        evidence=(Evidence(strength=Strength.B, text=text),),
        blocks=blocks,
    )

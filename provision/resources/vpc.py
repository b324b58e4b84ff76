"""The network a cluster lives in: the VPC and its subnets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Found, Owner
from preflight.quota import Demand
from preflight.quotas.catalogue import SUBNETS_PER_VPC, VPCS
from preflight.resource import READY, WAIT, Ids, Readiness, Resource
from provision.resources import ec2


class Vpc(Resource):
    """The private network of one cluster, with the DNS names that EKS asks for.

    https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
    """

    kind = "ec2/vpc"
    creates = (
        *ec2.creates("CreateVpc", "vpc"),
        Action(name="ec2:ModifyVpcAttribute", on=(ec2.arn("vpc"),)),
    )
    finds = actions("ec2:DescribeVpcs")
    deletes = (Action(name="ec2:DeleteVpc", on=(ec2.arn("vpc"),)),)
    dies_after = ("ec2/controller-security-group", "ec2/guardduty-security-group")

    cidr: str

    def demands(self) -> Iterator[Demand]:
        """One of the VPCs of the Region."""
        yield Demand(quota=VPCS)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the VPC. EC2 has no client token here: a lost answer is found by its tags."""
        del token
        answer = aws.call(
            "ec2",
            "CreateVpc",
            CidrBlock=self.cidr,
            TagSpecifications=ec2.tag_specifications("vpc", ids, self),
        )
        return str(answer["Vpc"]["VpcId"])

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Turn on DNS; AWS takes one attribute in a call."""
        del ids
        aws.call("ec2", "ModifyVpcAttribute", VpcId=id, EnableDnsSupport={"Value": True})
        aws.call("ec2", "ModifyVpcAttribute", VpcId=id, EnableDnsHostnames={"Value": True})

    def ready(self, aws: Aws, ids: Ids, id: str) -> Readiness:
        """A VPC is `pending` for a moment."""
        del ids
        described = aws.call("ec2", "DescribeVpcs", VpcIds=[id])["Vpcs"]
        return READY if described and described[0]["State"] == "available" else WAIT

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag."""
        for found, _ in ec2.each_found(aws, owner, cls, "DescribeVpcs", "Vpcs", "VpcId"):
            yield found

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; refused while anything is left inside."""
        aws.call("ec2", "DeleteVpc", VpcId=found.id)


class Subnet(Resource):
    """A part of the network in one zone; public ones hold NAT gateways and load balancers."""

    kind = "ec2/subnet"
    creates = (
        *ec2.creates("CreateSubnet", "subnet", "vpc"),
        Action(name="ec2:ModifySubnetAttribute", on=(ec2.arn("subnet"),)),
    )
    finds = actions("ec2:DescribeSubnets")
    deletes = (Action(name="ec2:DeleteSubnet", on=(ec2.arn("subnet"),)),)
    #: Their network interfaces live in it, some minutes longer than they do.
    dies_after = (
        "eks/cluster",
        "eks/nodegroup",
        "ec2/nat-gateway",
        "ec2/vpc-endpoint",
        "ec2/guardduty-endpoint",
        "ec2/network-interface",
        "elbv2/load-balancer",
        "elb/load-balancer",
    )

    vpc: Vpc
    cidr: str
    zone: str
    public: bool = False
    #: Where load balancers may go: `kubernetes.io/role/elb` or `.../internal-elb`.
    tags: Mapping[str, str] = field(default_factory=dict)

    def demands(self) -> Iterator[Demand]:
        """One of the subnets of its VPC."""
        yield Demand(quota=SUBNETS_PER_VPC, within=self.vpc.address)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the subnet in its zone."""
        del token
        answer = aws.call(
            "ec2",
            "CreateSubnet",
            VpcId=ids[self.vpc],
            CidrBlock=self.cidr,
            AvailabilityZone=self.zone,
            TagSpecifications=ec2.tag_specifications("subnet", ids, self),
        )
        return str(answer["Subnet"]["SubnetId"])

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Give what starts in a public subnet a public address."""
        del ids
        if self.public:
            aws.call(
                "ec2", "ModifySubnetAttribute", SubnetId=id, MapPublicIpOnLaunch={"Value": True}
            )

    def ready(self, aws: Aws, ids: Ids, id: str) -> Readiness:
        """A subnet is `pending` for a moment."""
        return type(self).ready_all(aws, ids, {self: id})[self]

    @classmethod
    def ready_all(
        cls, aws: Aws, ids: Ids, made: Mapping[Resource, str]
    ) -> Mapping[Resource, Readiness]:
        """Ask about all subnets in one call."""
        del ids
        states = {
            subnet["SubnetId"]: subnet["State"]
            for subnet in aws.each(
                "ec2", "DescribeSubnets", "Subnets", SubnetIds=sorted(made.values())
            )
        }
        return {
            resource: READY if states.get(id) == "available" else WAIT
            for resource, id in made.items()
        }

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag."""
        for found, _ in ec2.each_found(aws, owner, cls, "DescribeSubnets", "Subnets", "SubnetId"):
            yield found

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; refused while a network interface is left inside."""
        aws.call("ec2", "DeleteSubnet", SubnetId=found.id)

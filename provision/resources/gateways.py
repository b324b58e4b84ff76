"""The ways out of a network: internet gateway and NAT gateways."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import suppress

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import AlreadyExists, NotFound
from preflight.found import Found, Owner, State
from preflight.price import Charge
from preflight.quota import Demand
from preflight.quotas.catalogue import INTERNET_GATEWAYS, NAT_GATEWAYS_PER_ZONE, NETWORK_INTERFACES
from preflight.resource import READY, WAIT, Failed, Ids, Readiness, Resource
from provision.resources import ec2
from provision.resources.addresses import ElasticIp
from provision.resources.vpc import Subnet, Vpc

__all__ = ["ElasticIp", "InternetGateway", "NatGateway"]

NAT_CHARGE = Charge(sku="ec2/nat-gateway")

#: Failures of a NAT gateway that a second try is known to cure.
#: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
PASSING = frozenset({"Gateway.NotAttached", "InternalError"})
NAT_HINTS: Mapping[str, str] = {
    "InsufficientFreeAddressesInSubnet": "make room in the subnet or give it a larger CIDR",
    "Gateway.NotAttached": "the VPC needs an attached internet gateway first",
    "InvalidAllocationID.NotFound": "the Elastic IP was released while the gateway was made",
    "Resource.AlreadyAssociated": "something else took the Elastic IP",
}


class InternetGateway(Resource):
    """Joins a VPC to the internet.

    https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
    """

    kind = "ec2/internet-gateway"
    creates = (
        *ec2.creates("CreateInternetGateway", "internet-gateway"),
        Action(name="ec2:AttachInternetGateway", on=(ec2.arn("internet-gateway"), ec2.arn("vpc"))),
    )
    finds = actions("ec2:DescribeInternetGateways")
    deletes = (
        Action(name="ec2:DetachInternetGateway", on=(ec2.arn("internet-gateway"), ec2.arn("vpc"))),
        Action(name="ec2:DeleteInternetGateway", on=(ec2.arn("internet-gateway"),)),
    )
    #: It cannot be detached while anything in the VPC has a public address.
    dies_after = (
        "ec2/elastic-ip",
        "ec2/nat-gateway",
        "eks/nodegroup",
        "elbv2/load-balancer",
        "elb/load-balancer",
    )

    vpc: Vpc

    def demands(self) -> Iterator[Demand]:
        """One of the internet gateways of the Region."""
        yield Demand(quota=INTERNET_GATEWAYS)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the gateway, not yet attached."""
        del token
        answer = aws.call(
            "ec2",
            "CreateInternetGateway",
            TagSpecifications=ec2.tag_specifications("internet-gateway", ids, self),
        )
        return str(answer["InternetGateway"]["InternetGatewayId"])

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Attach it to its VPC, unless an earlier try did."""
        with suppress(AlreadyExists):
            aws.call("ec2", "AttachInternetGateway", InternetGatewayId=id, VpcId=ids[self.vpc])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag, with the VPC it is attached to."""
        for found, described in ec2.each_found(
            aws, owner, cls, "DescribeInternetGateways", "InternetGateways", "InternetGatewayId"
        ):
            attached = [each["VpcId"] for each in described.get("Attachments", ())]
            detail = {"vpc": attached[0]} if attached else {}
            yield dataclasses.replace(found, detail=detail, blocks=tuple(attached))

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Detach it, then ask for its deletion; refused while a public address is in use."""
        if vpc := found.detail.get("vpc"):
            with suppress(NotFound):
                aws.call("ec2", "DetachInternetGateway", InternetGatewayId=found.id, VpcId=vpc)
        aws.call("ec2", "DeleteInternetGateway", InternetGatewayId=found.id)


class NatGateway(Resource):
    """Lets private subnets reach the internet; `after` holds the internet gateway it goes through.

    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
    """

    kind = "ec2/nat-gateway"
    creates = ec2.creates("CreateNatGateway", "natgateway", "subnet", "elastic-ip")
    finds = actions("ec2:DescribeNatGateways")
    deletes = (Action(name="ec2:DeleteNatGateway", on=(ec2.arn("natgateway"),)),)
    #: Nodes and what runs on them clean up after themselves through it.
    dies_after = ("eks/nodegroup",)
    takes = (105.0, 60.0)

    subnet: Subnet
    elastic_ip: ElasticIp

    def demands(self) -> Iterator[Demand]:
        """One of the NAT gateways of its zone, and the network interface it lives on."""
        yield Demand(quota=NAT_GATEWAYS_PER_ZONE, within=self.subnet.zone)
        yield Demand(quota=NETWORK_INTERFACES)

    def charges(self) -> Iterator[Charge]:
        """The gateway by the hour; what it carries comes on top and is not known here."""
        yield NAT_CHARGE

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the gateway; the token holds at most 64 ASCII characters."""
        answer = aws.call(
            "ec2",
            "CreateNatGateway",
            SubnetId=ids[self.subnet],
            AllocationId=ids[self.elastic_ip],
            ClientToken=token,
            TagSpecifications=ec2.tag_specifications("natgateway", ids, self),
        )
        return str(answer["NatGateway"]["NatGatewayId"])

    def ready(self, aws: Aws, ids: Ids, id: str) -> Readiness:
        """It is `pending` for about two minutes."""
        return type(self).ready_all(aws, ids, {self: id})[self]

    @classmethod
    def ready_all(
        cls, aws: Aws, ids: Ids, made: Mapping[Resource, str]
    ) -> Mapping[Resource, Readiness]:
        """Ask about all gateways in one call; one that is not listed yet is waited for."""
        del ids
        # A filter, not NatGatewayIds: one id not known everywhere yet would fail the whole call.
        wanted = [{"Name": "nat-gateway-id", "Values": sorted(made.values())}]
        described = {
            gateway["NatGatewayId"]: gateway
            for gateway in aws.each("ec2", "DescribeNatGateways", "NatGateways", Filter=wanted)
        }
        return {resource: _nat_readiness(described.get(id)) for resource, id in made.items()}

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag, leaving out the ones that AWS shows for an hour after they are gone."""
        for found, described in ec2.each_found(
            aws,
            owner,
            cls,
            "DescribeNatGateways",
            "NatGateways",
            "NatGatewayId",
            thing="natgateway",
            filters="Filter",
        ):
            state = described["State"]
            if state == "deleted":
                continue
            addresses = described.get("NatGatewayAddresses", ())
            allocations = [each["AllocationId"] for each in addresses if "AllocationId" in each]
            yield dataclasses.replace(
                found,
                state=State.GOING if state == "deleting" else State.PRESENT,
                note=str(_failure(described)) if state == "failed" else "",
                charges=(NAT_CHARGE,) if state in {"pending", "available"} else (),
                blocks=(described["SubnetId"], *allocations),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; the Elastic IP stays taken until that is done."""
        aws.call("ec2", "DeleteNatGateway", NatGatewayId=found.id)


def _nat_readiness(gateway: Mapping[str, str] | None) -> Readiness:
    state = gateway["State"] if gateway else "pending"
    if gateway is None or state == "pending":
        return WAIT
    if state == "available":
        return READY
    if state != "failed":
        return Failed(reason=f"it is {state}", again=True)
    code = gateway.get("FailureCode", "")
    return Failed(reason=_failure(gateway), hint=NAT_HINTS.get(code), again=code in PASSING)


def _failure(gateway: Mapping[str, str]) -> str:
    return f"{gateway.get('FailureCode', 'failed')}: {gateway.get('FailureMessage', 'no message')}"

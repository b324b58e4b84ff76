"""Private ways to AWS's own services: gateway endpoints for S3, interface endpoints for others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from preflight.actions import Action, actions
from preflight.aws import Aws, translate
from preflight.found import Found, Owner, State
from preflight.price import Charge
from preflight.quota import Demand
from preflight.quotas.catalogue import (
    GATEWAY_ENDPOINTS,
    INTERFACE_ENDPOINTS_PER_VPC,
    NETWORK_INTERFACES,
    ROUTES_PER_TABLE,
)
from preflight.resource import READY, WAIT, Failed, Ids, Readiness, Resource
from provision.resources import ec2
from provision.resources.routes import RouteTable
from provision.resources.security import SecurityGroup
from provision.resources.vpc import Subnet, Vpc

ZONE_SKU = "ec2/interface-endpoint-zone"

#: Interface endpoints whose names begin with `cn.` in China; the others there do not.
#: https://docs.amazonaws.cn/en_us/vpc/latest/privatelink/aws-services-privatelink-support.html
CHINESE = frozenset(
    """
    application-autoscaling autoscaling backup cloudformation ebs ec2 ecr.api ecr.dkr eks
    elasticfilesystem fsx lambda monitoring rds s3 sqs states sts xray
    """.split()
)


class VpcEndpoint(Resource):
    """A way from a VPC to one service of AWS that does not lead through the internet.

    `service` is AWS's short name (`s3`, `ecr.api`). A gateway endpoint is free and put into
    `route_tables`; an interface endpoint costs by the hour in each of `subnets`, has addresses in
    them behind `security_group`, and with `private_dns` answers under the service's usual name.
    https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html
    """

    kind = "ec2/vpc-endpoint"
    creates = (
        *ec2.creates(
            "CreateVpcEndpoint",
            "vpc-endpoint",
            "vpc",
            "subnet",
            "route-table",
            "security-group",
            context={
                "ec2:VpceServiceName": "com.amazonaws.{owner.region}.{self.service}",
                "ec2:VpceServiceOwner": "amazon",
            },
        ),
        # AWS asks for it in the caller's name, to give the endpoint its private DNS names.
        Action(
            name="route53:AssociateVPCWithHostedZone",
            on=("arn:{owner.partition}:route53:::hostedzone/*",),
            by_hand=True,
        ),
    )
    finds = actions("ec2:DescribeVpcEndpoints")
    deletes = (Action(name="ec2:DeleteVpcEndpoints", on=(ec2.arn("vpc-endpoint"),)),)
    #: Nodes reach AWS through it until they are gone.
    dies_after = ("eks/nodegroup",)
    takes = (110.0, 75.0)

    vpc: Vpc
    service: str
    endpoint_type: Literal["Gateway", "Interface"] = "Interface"
    subnets: tuple[Subnet, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    security_group: SecurityGroup | None = None
    private_dns: bool = True

    def demands(self) -> Iterator[Demand]:
        """One endpoint of its type, and a route in each table or an interface in each subnet."""
        if self.endpoint_type == "Gateway":
            yield Demand(quota=GATEWAY_ENDPOINTS)
            for table in self.route_tables:
                yield Demand(quota=ROUTES_PER_TABLE, within=table.address)
        else:
            yield Demand(quota=INTERFACE_ENDPOINTS_PER_VPC, within=self.vpc.address)
            yield Demand(quota=NETWORK_INTERFACES, amount=len(self.subnets))

    def charges(self) -> Iterator[Charge]:
        """Interface endpoints cost by the hour and zone; gateway endpoints nothing."""
        if self.endpoint_type == "Interface":
            yield Charge(sku=ZONE_SKU, quantity=len(self.subnets))

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the endpoint; botocore does not fill in the token of this operation."""
        settings: dict[str, Any] = {}
        if self.endpoint_type == "Gateway":
            settings["RouteTableIds"] = [ids[table] for table in self.route_tables]
        else:
            settings["SubnetIds"] = [ids[subnet] for subnet in self.subnets]
            settings["PrivateDnsEnabled"] = self.private_dns
            if self.security_group is not None:
                settings["SecurityGroupIds"] = [ids[self.security_group]]
        answer = aws.call(
            "ec2",
            "CreateVpcEndpoint",
            VpcId=ids[self.vpc],
            VpcEndpointType=self.endpoint_type,
            ServiceName=self.service_name(ids.owner),
            ClientToken=token,
            TagSpecifications=ec2.tag_specifications("vpc-endpoint", ids, self),
            **settings,
        )
        return str(answer["VpcEndpoint"]["VpcEndpointId"])

    def service_name(self, owner: Owner) -> str:
        """Give AWS's full name of the service: `com.amazonaws.us-west-2.ecr.api`."""
        is_prefixed = self.endpoint_type == "Interface" and self.service in CHINESE
        prefix = "cn." if owner.partition == "aws-cn" and is_prefixed else ""
        return f"{prefix}com.amazonaws.{owner.region}.{self.service}"

    def ready(self, aws: Aws, ids: Ids, id: str) -> Readiness:
        """An interface endpoint is `pending` for about two minutes."""
        return type(self).ready_all(aws, ids, {self: id})[self]

    @classmethod
    def ready_all(
        cls, aws: Aws, ids: Ids, made: Mapping[Resource, str]
    ) -> Mapping[Resource, Readiness]:
        """Ask about all endpoints in one call; one that is not listed yet is waited for."""
        # By tag, not VpcEndpointIds: one id not known everywhere yet would fail the whole call.
        own = ec2.of_owner(ids.owner)
        described = {
            endpoint["VpcEndpointId"]: endpoint
            for endpoint in aws.each("ec2", "DescribeVpcEndpoints", "VpcEndpoints", Filters=own)
        }
        return {resource: _readiness(described.get(id)) for resource, id in made.items()}

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag, leaving out the ones that AWS still shows after they are gone."""
        for found, described in ec2.each_found(
            aws, owner, cls, "DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointId"
        ):
            state = _state(described)
            if state == "deleted":
                continue
            subnets = described.get("SubnetIds", ())
            groups = [group["GroupId"] for group in described.get("Groups", ())]
            yield dataclasses.replace(
                found,
                state=State.GOING if state == "deleting" else State.PRESENT,
                note=described.get("ServiceName", ""),
                charges=(Charge(sku=ZONE_SKU, quantity=len(subnets)),) if subnets else (),
                blocks=(*subnets, *described.get("RouteTableIds", ()), *groups),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; AWS answers 200 and says in the body what did not work."""
        answer = aws.call("ec2", "DeleteVpcEndpoints", VpcEndpointIds=[found.id])
        for failure in answer.get("Unsuccessful", ()):
            raise translate.from_response("ec2", "DeleteVpcEndpoints", {**answer, **failure})


def _state(endpoint: Mapping[str, Any]) -> str:
    """EC2 says `available`; its own model says `Available`."""
    return str(endpoint["State"]).lower()


def _readiness(endpoint: Mapping[str, Any] | None) -> Readiness:
    state = _state(endpoint) if endpoint else "pending"
    if endpoint is None or state in {"pending", "pendingacceptance"}:
        return WAIT
    if state == "available":
        return READY
    last = endpoint.get("LastError", {})
    said = f"{last.get('Code', '')}: {last.get('Message', '')}" if last else "AWS does not say why"
    return Failed(reason=f"it is {state}: {said}")

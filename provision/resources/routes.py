"""Where packets of a subnet go: route tables, their routes, and which subnet uses which table.

Routes and associations carry no tags. They are found through the tagged table and the tagged
subnet, so their names are not chosen but follow from those.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import AlreadyExists
from preflight.found import Found, Owner, State
from preflight.quota import Demand
from preflight.quotas.catalogue import ROUTE_TABLES_PER_VPC, ROUTES_PER_TABLE
from preflight.resource import Ids, Resource
from provision.resources import ec2
from provision.resources.gateways import InternetGateway, NatGateway
from provision.resources.vpc import Subnet, Vpc

TABLES = ("DescribeRouteTables", "RouteTables", "RouteTableId")


class RouteTable(Resource):
    """The routes of one or more subnets.

    https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
    """

    kind = "ec2/route-table"
    creates = ec2.creates("CreateRouteTable", "route-table", "vpc")
    finds = actions("ec2:DescribeRouteTables")
    deletes = (Action(name="ec2:DeleteRouteTable", on=(ec2.arn("route-table"),)),)
    #: The association goes with the subnet, so nothing has to be disassociated.
    dies_after = ("ec2/subnet",)

    vpc: Vpc

    def demands(self) -> Iterator[Demand]:
        """One of the route tables of its VPC."""
        yield Demand(quota=ROUTE_TABLES_PER_VPC, within=self.vpc.address)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the table, which knows the way within the VPC from the start."""
        answer = aws.call(
            "ec2",
            "CreateRouteTable",
            VpcId=ids[self.vpc],
            ClientToken=token,
            TagSpecifications=ec2.tag_specifications("route-table", ids, self),
        )
        return str(answer["RouteTable"]["RouteTableId"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag."""
        for found, described in ec2.each_found(aws, owner, cls, *TABLES):
            yield dataclasses.replace(found, blocks=(described["VpcId"],))

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion, with all its routes; refused while a subnet uses it."""
        aws.call("ec2", "DeleteRouteTable", RouteTableId=found.id)


class Route(Resource):
    """One line of a route table. Its id is `rtb-.../0.0.0.0/0`, its name follows from the table."""

    kind = "ec2/route"
    creates = (Action(name="ec2:CreateRoute", on=(ec2.arn("route-table"),)),)
    finds = actions("ec2:DescribeRouteTables")
    deletes = (Action(name="ec2:DeleteRoute", on=(ec2.arn("route-table"),)),)
    dies_with = "ec2/route-table"

    name: str = field(init=False)
    route_table: RouteTable
    destination: str
    target: InternetGateway | NatGateway

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.route_table.name}/{self.destination}")

    def demands(self) -> Iterator[Demand]:
        """One of the routes of its table."""
        yield Demand(quota=ROUTES_PER_TABLE, within=self.route_table.address)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the route, and take the place of one that leads elsewhere.

        What is there already may lead to a gateway that is gone: AWS keeps such routes as black
        holes. Raises `NotFound` as long as EC2 does not know a new gateway everywhere; trying
        again helps.
        """
        del token
        table = ids[self.route_table]
        key = "GatewayId" if isinstance(self.target, InternetGateway) else "NatGatewayId"
        route = {"RouteTableId": table, "DestinationCidrBlock": self.destination}
        target = {key: ids[self.target]}
        try:
            aws.call("ec2", "CreateRoute", **route, **target)
        except AlreadyExists:
            described = aws.call("ec2", "DescribeRouteTables", RouteTableIds=[table])
            if not _leads(described["RouteTables"][0], self.destination, target):
                aws.call("ec2", "DeleteRoute", **route)
                aws.call("ec2", "CreateRoute", **route, **target)
        return f"{table}/{self.destination}"

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find the routes of tagged tables, but for those that AWS puts there itself."""
        for table, described in ec2.each_found(aws, owner, RouteTable, *TABLES):
            for route in described.get("Routes", ()):
                destination = route.get("DestinationCidrBlock")
                if destination is None or route.get("Origin") != "CreateRoute":
                    continue
                yield dataclasses.replace(
                    table,
                    kind=cls.kind,
                    id=f"{table.id}/{destination}",
                    arn="",
                    name=destination,
                    address=_within(table.address, RouteTable, f"{cls.kind}/", f"/{destination}"),
                    note="a black hole" if route.get("State") == "blackhole" else "",
                )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Take the route out of its table."""
        table, destination = found.id.split("/", 1)
        aws.call("ec2", "DeleteRoute", RouteTableId=table, DestinationCidrBlock=destination)


class RouteTableAssociation(Resource):
    """Makes a subnet use a route table; a subnet has one, so it is called as the subnet is."""

    kind = "ec2/route-table-association"
    creates = (
        Action(name="ec2:AssociateRouteTable", on=(ec2.arn("route-table"), ec2.arn("subnet"))),
    )
    finds = actions("ec2:DescribeRouteTables", "ec2:DescribeSubnets")
    deletes = (
        Action(name="ec2:DisassociateRouteTable", on=(ec2.arn("route-table"), ec2.arn("subnet"))),
    )
    dies_with = "ec2/subnet"

    name: str = field(init=False)
    subnet: Subnet
    route_table: RouteTable

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.subnet.name)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Associate them; doing so again gives the same association."""
        del token
        table, subnet = ids[self.route_table], ids[self.subnet]
        answer = aws.call("ec2", "AssociateRouteTable", RouteTableId=table, SubnetId=subnet)
        return str(answer["AssociationId"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find the associations of tagged tables; the subnet's tag gives the address."""
        subnets = {subnet.id: subnet.address for subnet in Subnet.find(aws, owner)}
        for table, described in ec2.each_found(aws, owner, RouteTable, *TABLES):
            for association in described.get("Associations", ()):
                state = association.get("AssociationState", {}).get("State", "associated")
                subnet = association.get("SubnetId", "")
                if not subnet or state == "disassociated":
                    continue
                yield dataclasses.replace(
                    table,
                    kind=cls.kind,
                    id=association["RouteTableAssociationId"],
                    arn="",
                    name=subnet,
                    address=_within(subnets.get(subnet, ""), Subnet, f"{cls.kind}/"),
                    state=State.GOING if state == "disassociating" else State.PRESENT,
                    blocks=(table.id,),
                )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Let the subnet fall back to the main route table of its VPC."""
        aws.call("ec2", "DisassociateRouteTable", AssociationId=found.id)


def _within(address: str, kind: type[Resource], before: str, after: str = "") -> str:
    """Derive the address of something without tags; empty when the tagged one has none."""
    name = address.removeprefix(f"{kind.kind}/")
    return f"{before}{name}{after}" if name != address else ""


def _leads(table: Mapping[str, Any], destination: str, target: Mapping[str, str]) -> bool:
    wanted = {"DestinationCidrBlock": destination, "State": "active", **target}
    return any(wanted.items() <= route.items() for route in table.get("Routes", ()))

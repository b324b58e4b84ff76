"""The network: a VPC over several zones, ways out of it, and private ways to AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from preflight.found import Owner
from preflight.resource import Resource
from preflight.spec import ClusterSpec
from provision.resources.addresses import ElasticIp
from provision.resources.endpoints import VpcEndpoint
from provision.resources.gateways import InternetGateway, NatGateway
from provision.resources.routes import Route, RouteTable, RouteTableAssociation
from provision.resources.security import SecurityGroup, SecurityGroupRule
from provision.resources.vpc import Subnet, Vpc

ANYWHERE = "0.0.0.0/0"
#: How controllers find the subnets for load balancers.
#: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
PUBLIC_TAGS = {"kubernetes.io/role/elb": "1"}
PRIVATE_TAGS = {"kubernetes.io/role/internal-elb": "1"}
#: Webhooks of common controllers, which the control plane calls on the nodes.
WEBHOOK_PORTS = (4443, 6443, 8443, 9443, 10251)


@dataclass(frozen=True, kw_only=True)
class Network:
    """The drawn network, with the parts that others build on.

    `open` is everything that must be ready before a node can reach the cluster and its images.
    """

    vpc: Vpc
    private: tuple[Subnet, ...]
    public: tuple[Subnet, ...]
    cluster_group: SecurityGroup
    node_group: SecurityGroup
    open: tuple[Resource, ...]
    resources: tuple[Resource, ...]


def draw_network(spec: ClusterSpec, owner: Owner) -> Network:
    """Draw the network of a spec."""
    vpc = Vpc(name="main", cidr=spec.network.cidr)
    subnets = [
        Subnet(
            name=f"{'public' if range_.public else 'private'}-{range_.zone}",
            vpc=vpc,
            cidr=range_.cidr,
            zone=f"{owner.region}{range_.zone}",
            public=range_.public,
            tags=PUBLIC_TAGS if range_.public else PRIVATE_TAGS,
        )
        for range_ in spec.network.subnets
    ]
    public = tuple(subnet for subnet in subnets if subnet.public)
    private = tuple(subnet for subnet in subnets if not subnet.public)
    routing = tuple(_routing(spec, vpc, public, private))
    tables = tuple(table for table in routing if isinstance(table, RouteTable))
    cluster_group, node_group, groups = _groups(vpc, owner)
    endpoints = tuple(_endpoints(spec, vpc, private, tables, owner))
    rules = tuple(rule for rule in groups if isinstance(rule, SecurityGroupRule))
    ways_out = tuple(way for way in routing if isinstance(way, Route | RouteTableAssociation))
    return Network(
        vpc=vpc,
        private=private,
        public=public,
        cluster_group=cluster_group,
        node_group=node_group,
        open=(*ways_out, *rules, *(e for e in endpoints if isinstance(e, VpcEndpoint))),
        resources=(vpc, *subnets, *routing, *groups, *endpoints),
    )


def _routing(
    spec: ClusterSpec, vpc: Vpc, public: tuple[Subnet, ...], private: tuple[Subnet, ...]
) -> Iterator[Resource]:
    gateway = InternetGateway(name="main", vpc=vpc)
    table = RouteTable(name="public", vpc=vpc)
    out = Route(route_table=table, destination=ANYWHERE, target=gateway)
    yield from (gateway, table, out)
    for subnet in public:
        yield RouteTableAssociation(subnet=subnet, route_table=table)
    nats: dict[str, NatGateway] = {}
    for letter in spec.network.nat_zones:
        home = next(subnet for subnet in public if subnet.name == f"public-{letter}")
        address = ElasticIp(name=f"nat-{letter}")
        # A NAT gateway fails when its subnet has no way to the internet yet.
        nats[letter] = NatGateway(name=letter, subnet=home, elastic_ip=address, after=(gateway,))
        yield from (address, nats[letter])
    for subnet in private:
        letter = subnet.name.removeprefix("private-")
        own = RouteTable(name=subnet.name, vpc=vpc)
        yield from (own, RouteTableAssociation(subnet=subnet, route_table=own))
        if nats:
            target = nats.get(letter) or next(iter(nats.values()))
            yield Route(route_table=own, destination=ANYWHERE, target=target)


def _groups(vpc: Vpc, owner: Owner) -> tuple[SecurityGroup, SecurityGroup, tuple[Resource, ...]]:
    cluster = SecurityGroup(
        name="cluster",
        vpc=vpc,
        group_name=f"{owner.eks_name}-control-plane",
        description=f"control plane of {owner.eks_name}",
    )
    node = SecurityGroup(
        name="node",
        vpc=vpc,
        group_name=f"{owner.eks_name}-nodes",
        description=f"nodes of {owner.eks_name}",
    )
    rules = (
        _allow("cluster-from-node-443", cluster, node, 443),
        _allow("node-from-cluster-443", node, cluster, 443),
        _allow("node-from-cluster-10250", node, cluster, 10250),
        *(_allow(f"node-from-cluster-{port}", node, cluster, port) for port in WEBHOOK_PORTS),
        # Training traffic between nodes uses any protocol; EFA wants both directions said.
        SecurityGroupRule(name="node-from-node", group=node, source=node, protocol="-1"),
        SecurityGroupRule(
            name="node-to-node", group=node, source=node, direction="egress", protocol="-1"
        ),
    )
    return cluster, node, (cluster, node, *rules)


def _allow(
    name: str, group: SecurityGroup, source: SecurityGroup | str, port: int
) -> SecurityGroupRule:
    return SecurityGroupRule(name=name, group=group, source=source, from_port=port, to_port=port)


def _endpoints(
    spec: ClusterSpec,
    vpc: Vpc,
    private: tuple[Subnet, ...],
    tables: tuple[RouteTable, ...],
    owner: Owner,
) -> Iterator[Resource]:
    wanted = spec.network.endpoints
    inner = tuple(table for table in tables if table.name != "public")
    for service in wanted.gateway:
        yield VpcEndpoint(
            name=service, vpc=vpc, service=service, endpoint_type="Gateway", route_tables=inner
        )
    if not wanted.interface:
        return
    group = SecurityGroup(
        name="endpoint",
        vpc=vpc,
        group_name=f"{owner.eks_name}-endpoints",
        description=f"AWS endpoints of {owner.eks_name}",
    )
    yield from (group, _allow("endpoint-from-vpc-443", group, spec.network.cidr, 443))
    for service in wanted.interface:
        yield VpcEndpoint(
            name=service, vpc=vpc, service=service, subnets=private, security_group=group
        )

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import botocore.session
import pytest

from preflight.aws import Aws
from preflight.errors import Dependency, NotFound
from preflight.found import Found, Owner, State, Strength
from preflight.names import LAUNCH_TEMPLATE, SECURITY_GROUP, derive, problems
from preflight.plan import Plan
from preflight.price import Charge
from preflight.quota import total
from preflight.quotas import catalogue
from preflight.resource import READY, WAIT, Failed, Resource
from provision.resources.endpoints import VpcEndpoint
from provision.resources.gateways import ElasticIp, InternetGateway, NatGateway
from provision.resources.launch import LaunchTemplate
from provision.resources.routes import Route, RouteTable, RouteTableAssociation
from provision.resources.security import SecurityGroup, SecurityGroupRule
from provision.resources.vpc import Subnet, Vpc

VPC = Vpc(name="main", cidr="10.0.0.0/16")
PUBLIC = Subnet(name="public-a", vpc=VPC, cidr="10.0.0.0/24", zone="us-west-2a", public=True)
PRIVATE = Subnet(name="private-a", vpc=VPC, cidr="10.0.1.0/24", zone="us-west-2a")
GATEWAY = InternetGateway(name="main", vpc=VPC)
ADDRESS = ElasticIp(name="a")
NAT = NatGateway(name="a", subnet=PUBLIC, elastic_ip=ADDRESS, after=(GATEWAY,))
OUTER = RouteTable(name="public", vpc=VPC)
INNER = RouteTable(name="private-a", vpc=VPC)
TO_GATEWAY = Route(route_table=OUTER, destination="0.0.0.0/0", target=GATEWAY)
TO_NAT = Route(route_table=INNER, destination="0.0.0.0/0", target=NAT)
ASSOCIATION = RouteTableAssociation(subnet=PRIVATE, route_table=INNER)
NODES = SecurityGroup(name="nodes", vpc=VPC, group_name="c--nodes")
CONTROL = SecurityGroup(name="control", vpc=VPC, group_name="c--control")
ALONE = SecurityGroup(name="alone", vpc=VPC, group_name="c--alone")
FROM_CONTROL = SecurityGroupRule(
    name="kubelet", group=NODES, source=CONTROL, from_port=1025, to_port=65535
)
FROM_NODES = SecurityGroupRule(name="api", group=CONTROL, source=NODES, from_port=443)
ITSELF = SecurityGroupRule(name="efa", group=NODES, source=NODES, direction="egress", protocol="-1")
S3 = VpcEndpoint(name="s3", vpc=VPC, service="s3", endpoint_type="Gateway", route_tables=(INNER,))
STS = VpcEndpoint(
    name="sts", vpc=VPC, service="sts", subnets=(PRIVATE, PUBLIC), security_group=NODES
)

#: Each kind, made in every way that makes another call.
KINDS: dict[type[Resource], tuple[Resource, ...]] = {
    InternetGateway: (GATEWAY,),
    ElasticIp: (ADDRESS,),
    NatGateway: (NAT,),
    RouteTable: (OUTER, INNER),
    Route: (TO_GATEWAY, TO_NAT),
    RouteTableAssociation: (ASSOCIATION,),
    SecurityGroup: (ALONE,),
    SecurityGroupRule: (FROM_CONTROL, FROM_NODES, ITSELF),
    VpcEndpoint: (S3, STS),
    LaunchTemplate: (
        LaunchTemplate(name="cpu", template_name="c--cpu", disk_gib=80, security_groups=(NODES,)),
    ),
}
each_kind = pytest.mark.parametrize(
    ("kind", "wanted"), KINDS.items(), ids=lambda value: getattr(value, "kind", "")
)

Build = Callable[[str], Any]


def of_cluster(wanted: tuple[Resource, ...], cluster: str) -> tuple[Resource, ...]:
    """Give launch templates, whose names the whole Region shares, a name of this cluster."""
    return tuple(
        replace(each, template_name=f"{cluster}--cpu") if isinstance(each, LaunchTemplate) else each
        for each in wanted
    )


def test_things_are_found_by_their_owner_and_by_nobody_else(builder: Build) -> None:
    prod, twin = builder("prod"), builder("prod-2")
    for each in (prod, twin):
        for wanted in KINDS.values():
            each.build(*of_cluster(wanted, each.owner.cluster))
    earlier = replace(prod.owner, incarnation="earlier")
    for kind in KINDS:
        ids: set[str] = set()
        for each in (prod, twin):
            found = list(kind.find(each.aws, each.owner))
            assert {one.address: one.id for one in found} == each.made(kind)
            assert {(one.kind, one.strength) for one in found} == {(kind.kind, Strength.A)}
            assert not ids & {one.id for one in found}
            ids |= {one.id for one in found}
        assert list(kind.find(prod.aws, earlier)) == []


@each_kind
def test_a_thing_comes_and_goes_by_exactly_the_declared_calls(
    kind: type[Resource], wanted: tuple[Resource, ...], builder: Build, connect: Callable[[], Aws]
) -> None:
    prod = builder("prod")
    prod.build(*(need for each in wanted for need in each.needs))
    prod.aws = connect()
    prod.build(*wanted)
    found = prod.found(kind)
    for each in wanted:
        kind.delete(prod.aws, found[each.address])
        assert prod.is_gone(kind, prod[each])
        with suppress(NotFound):  # all that AWS may say to a second one
            kind.delete(prod.aws, found[each.address])
    declared = (*kind.creates, *kind.finds, *kind.deletes)
    assert prod.aws.calls.actions == {action.name for action in declared if not action.by_hand}


@each_kind
def test_declared_actions_are_operations_of_aws_on_arns_without_holes(
    kind: type[Resource], wanted: tuple[Resource, ...]
) -> None:
    owner = Owner(cluster="prod", account="111122223333", region="us-west-2")
    operations = botocore.session.get_session().get_service_model("ec2").operation_names
    for resource in wanted:
        for action in (*kind.creates, *kind.finds, *kind.deletes):
            service, operation = action.name.split(":")
            assert operation in operations or service == "route53"
            filled = action.of(resource, owner)
            assert not any("{" in text for text in (*filled.on, *filled.context.values()))


def test_one_plan_of_everything_has_an_order_and_adds_up() -> None:
    owner = Owner(cluster="prod", account="111122223333", region="us-west-2")
    wanted = [each for resources in KINDS.values() for each in resources]
    plan = Plan(owner, tuple({*wanted, VPC, PUBLIC, PRIVATE, NODES, CONTROL}))
    assert len(plan.ordered) == len(plan.resources)
    demands = {str(quota): needed for (quota, _), needed in plan.demands.items()}
    assert demands[str(catalogue.NETWORK_INTERFACES)] == 3
    assert plan.demands[catalogue.NAT_GATEWAYS_PER_ZONE, "us-west-2a"] == 1
    assert plan.demands[catalogue.SECURITY_GROUPS, ""] == 3
    # The rule AWS adds by itself and the one towards the group.
    within = f"{NODES.address}/egress"
    assert plan.demands[catalogue.RULES_PER_SECURITY_GROUP, within] == 2
    # The way out, and the way to S3.
    assert plan.demands[catalogue.ROUTES_PER_TABLE, INNER.address] == 2
    assert sorted(plan.charges, key=lambda charge: charge.sku) == [
        Charge(sku="ec2/interface-endpoint-zone", quantity=2),
        Charge(sku="ec2/nat-gateway"),
        Charge(sku="ec2/public-ipv4"),
    ]


def test_a_gateway_endpoint_is_free_and_counts_apart_from_interface_endpoints() -> None:
    assert list(S3.charges()) == []
    assert total(S3.demands())[catalogue.GATEWAY_ENDPOINTS, ""] == 1
    assert total(STS.demands()) == {
        (catalogue.INTERFACE_ENDPOINTS_PER_VPC, VPC.address): 1,
        (catalogue.NETWORK_INTERFACES, ""): 2,
    }


@pytest.mark.parametrize(
    ("partition", "region", "endpoint", "name"),
    [
        ("aws", "us-west-2", STS, "com.amazonaws.us-west-2.sts"),
        ("aws-us-gov", "us-gov-west-1", STS, "com.amazonaws.us-gov-west-1.sts"),
        ("aws-cn", "cn-north-1", STS, "cn.com.amazonaws.cn-north-1.sts"),
        ("aws-cn", "cn-north-1", S3, "com.amazonaws.cn-north-1.s3"),
        ("aws-cn", "cn-north-1", replace(STS, service="logs"), "com.amazonaws.cn-north-1.logs"),
    ],
)
def test_a_service_is_called_as_its_partition_calls_it(
    partition: str, region: str, endpoint: VpcEndpoint, name: str
) -> None:
    owner = Owner(cluster="c", account="111122223333", region=region, partition=partition)
    assert endpoint.service_name(owner) == name


def test_names_given_to_aws_are_shown_to_the_name_rules() -> None:
    group = replace(NODES, group_name=derive(SECURITY_GROUP, "team.a", "nodes"))
    template = LaunchTemplate(name="cpu", template_name="a template")
    assert [problems(rule, value) for rule, value in group.names()] == [()]
    [(rule, value)] = template.names()
    assert rule is LAUNCH_TEMPLATE
    assert problems(rule, value)


def test_attaching_a_gateway_again_changes_nothing(builder: Build) -> None:
    prod = builder("prod")
    prod.build(GATEWAY)
    GATEWAY.configure(prod.aws, prod, prod[GATEWAY])
    assert prod.found(InternetGateway)[GATEWAY.address].detail == {"vpc": prod[VPC]}


@pytest.mark.parametrize("rule", [FROM_CONTROL, FROM_NODES, ITSELF], ids=lambda rule: rule.name)
def test_a_rule_that_is_there_already_is_used(builder: Build, rule: SecurityGroupRule) -> None:
    prod = builder("prod")
    prod.build(FROM_CONTROL, FROM_NODES, ITSELF)
    assert rule.create(prod.aws, prod, "again") == prod[rule]


def test_the_outbound_rule_of_aws_itself_is_used(builder: Build) -> None:
    prod = builder("prod")
    outbound = SecurityGroupRule(
        name="out", group=NODES, source="0.0.0.0/0", direction="egress", protocol="-1"
    )
    prod.build(outbound)
    assert prod[outbound].startswith("sgr-")
    assert prod.found(SecurityGroupRule) == {}


def test_rules_of_mutual_groups_say_which_group_they_hold_back(builder: Build) -> None:
    prod = builder("prod")
    prod.build(FROM_CONTROL, ITSELF)
    found = prod.found(SecurityGroupRule)
    assert found[FROM_CONTROL.address].blocks == (prod[CONTROL],)
    assert found[ITSELF.address].blocks == ()


def test_a_route_that_leads_elsewhere_is_replaced_and_a_right_one_left(builder: Build) -> None:
    prod = builder("prod")
    wrong = Route(route_table=INNER, destination="0.0.0.0/0", target=GATEWAY)
    prod.build(wrong, NAT)
    assert TO_NAT.create(prod.aws, prod, "") == f"{prod[INNER]}/0.0.0.0/0"
    assert TO_NAT.create(prod.aws, prod, "") == f"{prod[INNER]}/0.0.0.0/0"
    tables = prod.aws.call("ec2", "DescribeRouteTables", RouteTableIds=[prod[INNER]])
    [route] = [
        each
        for each in tables["RouteTables"][0]["Routes"]
        if each["DestinationCidrBlock"] == "0.0.0.0/0"
    ]
    assert route["NatGatewayId"] == prod[NAT]
    assert prod.aws.calls.by_operation["ec2:DeleteRoute"] == 1


def test_an_association_of_a_subnet_without_tags_has_no_address(builder: Build) -> None:
    prod = builder("prod")
    prod.build(ASSOCIATION)
    tags = [{"Key": "preflight:cluster"}, {"Key": "preflight:resource"}]
    prod.aws.call("ec2", "DeleteTags", Resources=[prod[PRIVATE]], Tags=tags)
    [found] = RouteTableAssociation.find(prod.aws, prod.owner)
    assert (found.id, found.address) == (prod[ASSOCIATION], "")


def test_nodes_start_with_session_tokens_an_encrypted_disk_and_their_owner(builder: Build) -> None:
    prod = builder("prod")
    template = KINDS[LaunchTemplate][0]
    prod.build(template)
    answer = prod.aws.call(
        "ec2",
        "DescribeLaunchTemplateVersions",
        LaunchTemplateId=prod[template],
        Versions=["$Latest"],
    )
    content = answer["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert content["MetadataOptions"]["HttpTokens"] == "required"
    assert content["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    [disk] = content["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"] is True
    assert (disk["Ebs"]["VolumeType"], disk["Ebs"]["VolumeSize"]) == ("gp3", 80)
    assert content["SecurityGroupIds"] == [prod[NODES]]
    tags = {each["ResourceType"]: each["Tags"] for each in content["TagSpecifications"]}
    for thing in ("instance", "volume"):
        keys = {tag["Key"]: tag["Value"] for tag in tags[thing]}
        assert keys["preflight:cluster"] == "prod"
        assert "preflight:resource" not in keys
    assert not {"InstanceType", "IamInstanceProfile", "InstanceMarketOptions"} & set(content)


# What the embedded AWS does not do by itself, AWS is quoted for.

NATS = "<Response><natGatewaySet>{}</natGatewaySet></Response>"
ONE_NAT = """<item><natGatewayId>nat-1</natGatewayId><subnetId>subnet-1</subnetId>
<state>{state}</state>{more}<natGatewayAddressSet><item><allocationId>eipalloc-1</allocationId>
</item></natGatewayAddressSet><tagSet><item><key>preflight:cluster</key><value>prod</value></item>
</tagSet></item>"""
REASON = "<failureCode>{}</failureCode><failureMessage>no luck</failureMessage>"
OWNER = Owner(cluster="prod", account="111122223333", region="us-west-2")
ERROR = "<Response><Errors><Error><Code>{}</Code><Message>no</Message></Error></Errors></Response>"
FAILED = """<DeleteVpcEndpointsResponse><unsuccessful><item><resourceId>vpce-1</resourceId><error>
<code>{}</code><message>no</message></error></item></unsuccessful></DeleteVpcEndpointsResponse>"""

Script = Callable[..., Aws]


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ("", WAIT),
        (ONE_NAT.format(state="pending", more=""), WAIT),
        (ONE_NAT.format(state="available", more=""), READY),
        (
            ONE_NAT.format(state="failed", more=REASON.format("InternalError")),
            Failed(reason="InternalError: no luck", again=True),
        ),
        (
            ONE_NAT.format(state="failed", more=REASON.format("InsufficientFreeAddressesInSubnet")),
            Failed(
                reason="InsufficientFreeAddressesInSubnet: no luck",
                hint="make room in the subnet or give it a larger CIDR",
            ),
        ),
        (ONE_NAT.format(state="deleting", more=""), Failed(reason="it is deleting", again=True)),
    ],
    ids=["unknown", "pending", "available", "failed-passing", "failed-for-good", "deleting"],
)
def test_a_nat_gateway_says_how_it_is_doing(
    scripted: Script, described: str, expected: object
) -> None:
    aws = scripted((200, NATS.format(described)))
    ids: Any = None
    assert NatGateway.ready_all(aws, ids, {NAT: "nat-1"}) == {NAT: expected}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("deleted", []),
        ("deleting", [(State.GOING, 0)]),
        ("failed", [(State.PRESENT, 0)]),
        ("available", [(State.PRESENT, 1)]),
    ],
)
def test_a_nat_gateway_that_is_gone_is_not_found_and_one_that_goes_costs_nothing(
    scripted: Script, state: str, expected: list[tuple[State, int]]
) -> None:
    aws = scripted((200, NATS.format(ONE_NAT.format(state=state, more=""))))
    found = list(NatGateway.find(aws, OWNER))
    assert [(one.state, len(one.charges)) for one in found] == expected
    assert {one.blocks for one in found} <= {("subnet-1", "eipalloc-1")}
    assert all(":natgateway/nat-1" in one.arn for one in found)


@pytest.mark.parametrize(
    ("code", "error"),
    [("InvalidVpcEndpoint.NotFound", NotFound), ("DependencyViolation", Dependency)],
)
def test_an_endpoint_that_aws_does_not_delete_raises_although_the_call_succeeds(
    scripted: Script, code: str, error: type[Exception]
) -> None:
    aws = scripted((200, FAILED.format(code)))
    with pytest.raises(error):
        VpcEndpoint.delete(aws, Found(kind="ec2/vpc-endpoint", id="vpce-1", region="us-west-2"))


@pytest.mark.parametrize(
    ("then", "error"),
    [
        ((200, "<DescribeAddressesResponse/>"), Dependency),
        ((400, ERROR.format("InvalidAllocationID.NotFound")), NotFound),
    ],
    ids=["in-use", "released-before"],
)
def test_a_refused_release_of_an_address_is_not_taken_for_wrong_credentials(
    scripted: Script, then: tuple[int, str], error: type[Exception]
) -> None:
    aws = scripted((400, ERROR.format("AuthFailure")), then)
    with pytest.raises(error):
        ElasticIp.delete(aws, Found(kind="ec2/elastic-ip", id="eipalloc-1", region="us-west-2"))

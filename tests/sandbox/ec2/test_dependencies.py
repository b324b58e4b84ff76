"""What EC2 refuses to delete because something depends on it, with its codes and its words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

Refusal = Any


@pytest.fixture
def ec2(client: Any) -> Any:
    """EC2 of an empty account."""
    return client("ec2")


@pytest.fixture
def vpc(ec2: Any) -> str:
    """A VPC."""
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def subnet(ec2: Any, vpc: str) -> str:
    """A subnet in it."""
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"])


def interface(ec2: Any, subnet: str, groups: list[str] | None = None) -> str:
    made = ec2.create_network_interface(SubnetId=subnet, Groups=groups or [])
    return str(made["NetworkInterface"]["NetworkInterfaceId"])


def group(ec2: Any, vpc: str, name: str) -> str:
    return str(ec2.create_security_group(GroupName=name, Description="x", VpcId=vpc)["GroupId"])


def subnet_in(ec2: Any, vpc: str) -> Callable[[], Any]:
    id = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24")["Subnet"]["SubnetId"]
    return lambda: ec2.delete_subnet(SubnetId=id)


def table_in(ec2: Any, vpc: str) -> Callable[[], Any]:
    id = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    return lambda: ec2.delete_route_table(RouteTableId=id)


def group_in(ec2: Any, vpc: str) -> Callable[[], Any]:
    id = group(ec2, vpc, "a")
    return lambda: ec2.delete_security_group(GroupId=id)


def internet_gateway_at(ec2: Any, vpc: str) -> Callable[[], Any]:
    id = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=id, VpcId=vpc)
    return lambda: ec2.detach_internet_gateway(InternetGatewayId=id, VpcId=vpc)


def egress_only_gateway_of(ec2: Any, vpc: str) -> Callable[[], Any]:
    made = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    id = made["EgressOnlyInternetGatewayId"]
    return lambda: ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=id)


def carrier_gateway_of(ec2: Any, vpc: str) -> Callable[[], Any]:
    id = ec2.create_carrier_gateway(VpcId=vpc)["CarrierGateway"]["CarrierGatewayId"]
    return lambda: ec2.delete_carrier_gateway(CarrierGatewayId=id)


def vpn_gateway_at(ec2: Any, vpc: str) -> Callable[[], Any]:
    id = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    ec2.attach_vpn_gateway(VpcId=vpc, VpnGatewayId=id)
    return lambda: ec2.detach_vpn_gateway(VpcId=vpc, VpnGatewayId=id)


def network_acl_in(ec2: Any, vpc: str) -> Callable[[], Any]:
    id = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    return lambda: ec2.delete_network_acl(NetworkAclId=id)


def peering_of(ec2: Any, vpc: str) -> Callable[[], Any]:
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)
    id = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=id)
    return lambda: ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=id)


@pytest.mark.parametrize(
    "put_into",
    [
        subnet_in,
        table_in,
        group_in,
        internet_gateway_at,
        egress_only_gateway_of,
        carrier_gateway_of,
        vpn_gateway_at,
        network_acl_in,
        peering_of,
    ],
)
def test_a_vpc_stays_while_anything_is_in_it(
    ec2: Any, vpc: str, refusal: Refusal, put_into: Callable[[Any, str], Callable[[], Any]]
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html"""
    take_out = put_into(ec2, vpc)
    assert refusal(ec2.delete_vpc, VpcId=vpc) == (
        "DependencyViolation",
        400,
        f"The vpc '{vpc}' has dependencies and cannot be deleted.",
    )
    take_out()
    ec2.delete_vpc(VpcId=vpc)


@pytest.mark.parametrize("kind", ["Interface", "Gateway"])
def test_a_vpc_stays_while_an_endpoint_is_in_it_even_one_that_goes(
    ec2: Any, vpc: str, refusal: Refusal, advance: Any, kind: str
) -> None:
    id = ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType=kind, ServiceName="com.amazonaws.us-west-2.s3"
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[id])
    assert refusal(ec2.delete_vpc, VpcId=vpc)[0] == "DependencyViolation"
    advance(76)
    ec2.delete_vpc(VpcId=vpc)


def test_what_a_vpc_has_by_itself_goes_with_it(ec2: Any, vpc: str) -> None:
    """Main route table, default security group and network ACL:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html
    """
    ec2.delete_vpc(VpcId=vpc)
    of_it = [{"Name": "vpc-id", "Values": [vpc]}]
    assert ec2.describe_route_tables(Filters=of_it)["RouteTables"] == []
    assert ec2.describe_security_groups(Filters=of_it)["SecurityGroups"] == []
    assert ec2.describe_network_acls(Filters=of_it)["NetworkAcls"] == []


def test_a_request_for_peering_goes_with_its_vpc(ec2: Any, vpc: str) -> None:
    """https://docs.aws.amazon.com/vpc/latest/peering/delete-vpc-peering-connection.html"""
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)
    ec2.delete_vpc(VpcId=vpc)
    (one,) = ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert one["Status"]["Code"] == "deleted"


def test_a_vpc_has_one_internet_gateway(ec2: Any, vpc: str, refusal: Refusal) -> None:
    internet_gateway_at(ec2, vpc)
    second = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert refusal(ec2.attach_internet_gateway, InternetGatewayId=second, VpcId=vpc) == (
        "InvalidParameterValue",
        400,
        f"Network {vpc} already has an internet gateway attached",
    )


def test_a_subnet_stays_while_an_interface_is_in_it(
    ec2: Any, subnet: str, refusal: Refusal
) -> None:
    eni = interface(ec2, subnet)
    assert refusal(ec2.delete_subnet, SubnetId=subnet) == (
        "DependencyViolation",
        400,
        f"The subnet '{subnet}' has dependencies and cannot be deleted.",
    )
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_subnet(SubnetId=subnet)


def nat_gateway_in(account: Any) -> Callable[[], Any]:
    internet_gateway_at(account.ec2, account.vpc)
    address = account.ec2.allocate_address(Domain="vpc")["AllocationId"]
    id = account.ec2.create_nat_gateway(SubnetId=account.subnets[0], AllocationId=address)[
        "NatGateway"
    ]["NatGatewayId"]
    return lambda: account.ec2.delete_nat_gateway(NatGatewayId=id)


def endpoint_in(account: Any) -> Callable[[], Any]:
    id = account.ec2.create_vpc_endpoint(
        VpcId=account.vpc, VpcEndpointType="Interface", SubnetIds=account.subnets,
        ServiceName="com.amazonaws.us-west-2.sts",
    )["VpcEndpoint"]["VpcEndpointId"]  # fmt: skip
    return lambda: account.ec2.delete_vpc_endpoints(VpcEndpointIds=[id])


def balancer_in(account: Any) -> Callable[[], Any]:
    elb = account.client("elbv2")
    made = elb.create_load_balancer(Name="web", Subnets=account.subnets)["LoadBalancers"][0]
    return lambda: elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])


def control_plane_in(account: Any) -> Callable[[], Any]:
    account.cluster()
    return lambda: account.eks.delete_cluster(name="prod")


def resolver_endpoint_in(account: Any) -> Callable[[], Any]:
    resolver = account.client("route53resolver")
    id = resolver.create_resolver_endpoint(
        CreatorRequestId="e", Direction="INBOUND",
        SecurityGroupIds=[group(account.ec2, account.vpc, "dns")],
        IpAddresses=[{"SubnetId": one} for one in account.subnets],
    )["ResolverEndpoint"]["Id"]  # fmt: skip
    return lambda: resolver.delete_resolver_endpoint(ResolverEndpointId=id)


@pytest.mark.parametrize(
    "put_into",
    [nat_gateway_in, endpoint_in, balancer_in, control_plane_in, resolver_endpoint_in],
)
def test_a_subnet_stays_while_something_of_aws_s_is_in_it_and_as_long_as_that_goes(
    account: Any, refusal: Refusal, put_into: Callable[[Any], Callable[[], Any]]
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html"""
    ec2, subnet = account.ec2, account.subnets[0]
    take_out = put_into(account)
    account.advance(120)
    words = (
        "DependencyViolation",
        400,
        f"The subnet '{subnet}' has dependencies and cannot be deleted.",
    )
    assert refusal(ec2.delete_subnet, SubnetId=subnet) == words
    take_out()
    account.advance(40)
    assert refusal(ec2.delete_subnet, SubnetId=subnet) == words
    account.advance(200)
    ec2.delete_subnet(SubnetId=subnet)


def test_a_security_group_stays_while_an_interface_has_it(
    ec2: Any, vpc: str, subnet: str, refusal: Refusal
) -> None:
    id = group(ec2, vpc, "a")
    eni = interface(ec2, subnet, [id])
    assert refusal(ec2.delete_security_group, GroupId=id) == (
        "DependencyViolation",
        400,
        f"resource {id} has a dependent object",
    )
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_security_group(GroupId=id)


@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_a_security_group_stays_while_a_rule_of_another_names_it(
    ec2: Any, vpc: str, way: str, refusal: Refusal
) -> None:
    one, other = group(ec2, vpc, "one"), group(ec2, vpc, "other")
    rules = [
        {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "UserIdGroupPairs": [{"GroupId": other}],
        }
    ]
    getattr(ec2, f"authorize_security_group_{way}")(GroupId=one, IpPermissions=rules)
    assert refusal(ec2.delete_security_group, GroupId=other)[0] == "DependencyViolation"
    getattr(ec2, f"revoke_security_group_{way}")(GroupId=one, IpPermissions=rules)
    ec2.delete_security_group(GroupId=other)


def test_two_security_groups_that_name_each_other_go_once_their_rules_are_revoked(
    ec2: Any, vpc: str, refusal: Refusal
) -> None:
    """https://github.com/openshift/installer/pull/2346"""
    one, other = group(ec2, vpc, "one"), group(ec2, vpc, "other")

    def rule(id: str) -> list[dict[str, Any]]:
        return [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": id}]}]

    ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=rule(other))
    ec2.authorize_security_group_egress(GroupId=other, IpPermissions=rule(one))
    for id in (one, other):
        assert refusal(ec2.delete_security_group, GroupId=id)[0] == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=rule(other))
    ec2.revoke_security_group_egress(GroupId=other, IpPermissions=rule(one))
    for id in (one, other):
        ec2.delete_security_group(GroupId=id)


@pytest.mark.parametrize("what", ["nat gateway", "instance"])
def test_an_internet_gateway_stays_for_a_nat_gateway_and_for_a_public_instance(
    account: Any, refusal: Refusal, what: str
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html"""
    ec2 = account.ec2
    if what == "nat gateway":
        end, seconds = nat_gateway_in(account), 61
    else:
        detach = internet_gateway_at(ec2, account.vpc)
        assert detach
        made = ec2.run_instances(
            ImageId="ami-0", InstanceType="t3.micro", MinCount=1, MaxCount=1,
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": account.subnets[0],
                    "AssociatePublicIpAddress": True,
                }
            ],
        )["Instances"][0]["InstanceId"]  # fmt: skip
        end, seconds = partial(ec2.terminate_instances, InstanceIds=[made]), 0
    (gateway,) = ec2.describe_internet_gateways()["InternetGateways"]
    at = {"InternetGatewayId": gateway["InternetGatewayId"], "VpcId": account.vpc}
    assert refusal(ec2.detach_internet_gateway, **at)[:2] == ("DependencyViolation", 400)
    end()
    account.advance(seconds)
    ec2.detach_internet_gateway(**at)


def test_a_security_group_that_names_itself_can_go(ec2: Any, vpc: str) -> None:
    id = group(ec2, vpc, "a")
    pairs = [{"GroupId": id}]
    ec2.authorize_security_group_ingress(
        GroupId=id, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": pairs}]
    )
    ec2.delete_security_group(GroupId=id)
    names = [{"Name": "group-id", "Values": [id]}]
    assert ec2.describe_security_groups(Filters=names)["SecurityGroups"] == []


def test_the_default_security_group_cannot_be_deleted(ec2: Any, vpc: str, refusal: Refusal) -> None:
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    default = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    assert refusal(ec2.delete_security_group, GroupId=default)[0] == "CannotDelete"


def test_an_internet_gateway_stays_while_public_addresses_are_mapped(
    ec2: Any, vpc: str, subnet: str, refusal: Refusal
) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    eni = interface(ec2, subnet)
    association = ec2.associate_address(AllocationId=address, NetworkInterfaceId=eni)
    code, _, message = refusal(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)
    assert code == "DependencyViolation"
    assert message.startswith(f"Network {vpc} has some mapped public address(es).")
    assert refusal(ec2.delete_internet_gateway, InternetGatewayId=gateway) == (
        "DependencyViolation",
        400,
        f"The internetGateway '{gateway}' has dependencies and cannot be deleted.",
    )
    assert refusal(ec2.release_address, AllocationId=address)[0] == "InvalidIPAddress.InUse"
    ec2.disassociate_address(AssociationId=association["AssociationId"])
    ec2.release_address(AllocationId=address)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert refusal(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)[0] == (
        "Gateway.NotAttached"
    )
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def test_a_route_table_stays_while_associated_and_the_main_one_always(
    ec2: Any, vpc: str, subnet: str, refusal: Refusal
) -> None:
    main = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    main_id = main["RouteTables"][0]["RouteTableId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    for id in (main_id, table):
        assert refusal(ec2.delete_route_table, RouteTableId=id) == (
            "DependencyViolation",
            400,
            f"The routeTable '{id}' has dependencies and cannot be deleted.",
        )
    ec2.disassociate_route_table(AssociationId=association["AssociationId"])
    ec2.delete_route_table(RouteTableId=table)

"""The sandbox's network in virtual time: pending, available, deleting, deleted, forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def ec2(client: Any) -> Any:
    """EC2 of an empty account."""
    return client("ec2")


@pytest.fixture
def network(ec2: Any, advance: Any) -> dict[str, str]:
    """A VPC with a subnet, and a gateway to the internet."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    advance(2)
    return {"vpc": vpc, "subnet": subnet, "gateway": gateway}


def nat_gateway(ec2: Any, network: dict[str, str]) -> tuple[str, str]:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=network["subnet"], AllocationId=address)
    return made["NatGateway"]["NatGatewayId"], address


def state_of_nat(ec2: Any, id: str) -> str:
    return str(ec2.describe_nat_gateways(NatGatewayIds=[id])["NatGateways"][0]["State"])


def test_a_vpc_and_a_subnet_are_pending_for_a_moment(ec2: Any, advance: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]

    def states() -> tuple[str, str]:
        return (
            ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["State"],
            ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["State"],
        )

    before = states()
    advance(1.5)
    assert (before, states()) == (("pending", "pending"), ("available", "available"))


def test_a_nat_gateway_takes_its_time_to_come_and_to_go(
    ec2: Any, network: dict[str, str], advance: Any
) -> None:
    id, _ = nat_gateway(ec2, network)
    seen = [state_of_nat(ec2, id)]
    advance(100)
    seen.append(state_of_nat(ec2, id))
    advance(10)
    seen.append(state_of_nat(ec2, id))
    ec2.delete_nat_gateway(NatGatewayId=id)
    seen.append(state_of_nat(ec2, id))
    advance(65)
    seen.append(state_of_nat(ec2, id))
    assert seen == ["pending", "pending", "available", "deleting", "deleted"]
    advance(3600)
    with pytest.raises(ClientError, match="NatGatewayNotFound"):
        state_of_nat(ec2, id)


def test_a_nat_gateway_deleted_while_pending_does_not_come_back(
    ec2: Any, network: dict[str, str], advance: Any
) -> None:
    id, _ = nat_gateway(ec2, network)
    advance(10)
    ec2.delete_nat_gateway(NatGatewayId=id)
    advance(300)
    assert state_of_nat(ec2, id) == "deleted"


def test_a_nat_gateway_without_a_way_to_the_internet_fails(
    ec2: Any, network: dict[str, str], advance: Any
) -> None:
    """https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html"""
    ec2.detach_internet_gateway(InternetGatewayId=network["gateway"], VpcId=network["vpc"])
    id, address = nat_gateway(ec2, network)
    advance(106)
    (found,) = ec2.describe_nat_gateways(NatGatewayIds=[id])["NatGateways"]
    assert (found["State"], found["FailureCode"], found["FailureMessage"]) == (
        "failed",
        "Gateway.NotAttached",
        f"Network {network['vpc']} has no Internet gateway attached",
    )
    ec2.release_address(AllocationId=address)
    ec2.delete_subnet(SubnetId=network["subnet"])
    advance(3600)
    assert ec2.describe_nat_gateways()["NatGateways"] == []


def test_a_private_nat_gateway_needs_none(ec2: Any, network: dict[str, str], advance: Any) -> None:
    ec2.detach_internet_gateway(InternetGatewayId=network["gateway"], VpcId=network["vpc"])
    made = ec2.create_nat_gateway(SubnetId=network["subnet"], ConnectivityType="private")
    advance(106)
    assert state_of_nat(ec2, made["NatGateway"]["NatGatewayId"]) == "available"


def test_the_same_client_token_makes_no_second_nat_gateway(
    ec2: Any, network: dict[str, str], advance: Any
) -> None:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    wanted = {"SubnetId": network["subnet"], "AllocationId": address, "ClientToken": "t"}
    first = ec2.create_nat_gateway(**wanted)["NatGateway"]["NatGatewayId"]
    advance(106)
    again = ec2.create_nat_gateway(**wanted)["NatGateway"]["NatGatewayId"]
    assert (again, state_of_nat(ec2, first)) == (first, "available")
    assert len(ec2.describe_nat_gateways()["NatGateways"]) == 1
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        ec2.create_nat_gateway(SubnetId=network["subnet"], ClientToken="t")


def test_the_address_of_a_nat_gateway_stays_until_the_gateway_is_gone(
    ec2: Any, network: dict[str, str], advance: Any
) -> None:
    id, address = nat_gateway(ec2, network)
    interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert [(i["InterfaceType"], i["RequesterManaged"], i["Status"]) for i in interfaces] == [
        ("nat_gateway", True, "in-use")
    ]
    advance(200)
    ec2.delete_nat_gateway(NatGatewayId=id)
    with pytest.raises(ClientError, match="AuthFailure"):
        ec2.release_address(AllocationId=address)
    association = ec2.describe_addresses()["Addresses"][0]["AssociationId"]
    with pytest.raises(ClientError, match="AuthFailure"):
        ec2.disassociate_address(AssociationId=association)
    advance(60)
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert "AssociationId" not in ec2.describe_addresses()["Addresses"][0]
    ec2.release_address(AllocationId=address)


def test_a_route_through_what_is_gone_becomes_a_black_hole(
    ec2: Any, network: dict[str, str], advance: Any
) -> None:
    id, _ = nat_gateway(ec2, network)
    table = ec2.create_route_table(VpcId=network["vpc"])["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=id)

    def states() -> list[str]:
        (one,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        return [route["State"] for route in one["Routes"]]

    before = states()
    ec2.delete_nat_gateway(NatGatewayId=id)
    advance(61)
    assert (before, states()) == (["active", "active"], ["active", "blackhole"])


def test_a_terminated_instance_takes_its_interface_with_it(
    ec2: Any, network: dict[str, str]
) -> None:
    started = ec2.run_instances(
        ImageId="ami-0", InstanceType="t3.micro", MinCount=1, MaxCount=1,
        SubnetId=network["subnet"],
    )  # fmt: skip
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_subnet(SubnetId=network["subnet"])
    ec2.terminate_instances(InstanceIds=[started["Instances"][0]["InstanceId"]])
    ec2.delete_subnet(SubnetId=network["subnet"])

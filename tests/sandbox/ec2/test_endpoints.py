"""VPC endpoints in virtual time: pending, available or failed, deleting.

https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html
"""

from __future__ import annotations

from typing import Any

import pytest

Account = Any
Refusal = Any


@pytest.fixture
def ec2(account: Account) -> Any:
    return account.ec2


def test_endpoints_come_and_go_by_their_kind(account: Account, ec2: Any, advance: Any) -> None:
    table = ec2.create_route_table(VpcId=account.vpc)["RouteTable"]["RouteTableId"]
    interface = ec2.create_vpc_endpoint(
        VpcId=account.vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.us-west-2.sts",
        SubnetIds=account.subnets[:1],
    )["VpcEndpoint"]["VpcEndpointId"]
    gateway = ec2.create_vpc_endpoint(
        VpcId=account.vpc, ServiceName="com.amazonaws.us-west-2.s3", RouteTableIds=[table]
    )["VpcEndpoint"]["VpcEndpointId"]

    def states() -> dict[str, str]:
        found = ec2.describe_vpc_endpoints()["VpcEndpoints"]
        return {one["VpcEndpointId"]: one["State"] for one in found}

    def routes() -> list[Any]:
        (one,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        return list(one["Routes"])

    assert states() == {interface: "pending", gateway: "pending"}
    advance(10)
    assert states() == {interface: "pending", gateway: "available"}
    advance(110)
    assert states() == {interface: "available", gateway: "available"}
    assert len(routes()) == 2

    answer = ec2.delete_vpc_endpoints(VpcEndpointIds=[interface, gateway, "vpce-0"])
    assert [(u["ResourceId"], u["Error"]["Code"]) for u in answer["Unsuccessful"]] == [
        ("vpce-0", "InvalidVpcEndpointId.NotFound")
    ]
    assert states() == {interface: "deleting", gateway: "deleting"}
    assert len(ec2.describe_network_interfaces()["NetworkInterfaces"]) == 1
    advance(76)
    assert states() == {}
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert len(routes()) == 1


def test_an_endpoint_can_fail_and_be_deleted(account: Account, ec2: Any, advance: Any) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html"""
    fault = {"action": "sandbox:EndpointFailure", "error": "InternalError", "count": 1}
    account.post("faults", [fault])
    id = ec2.create_vpc_endpoint(
        VpcId=account.vpc, VpcEndpointType="Interface", SubnetIds=account.subnets,
        ServiceName="com.amazonaws.us-west-2.sts",
    )["VpcEndpoint"]["VpcEndpointId"]  # fmt: skip
    advance(111)
    (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[id])["VpcEndpoints"]
    assert (found["State"], found["LastError"]["Code"]) == ("failed", "InternalError")
    ec2.delete_vpc_endpoints(VpcEndpointIds=[id])
    advance(76)
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []

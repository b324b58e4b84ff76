"""Lists of EC2: filters and pages that moto lacks."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox


@pytest.fixture
def ec2(client: Any) -> Any:
    return client("ec2")


def tags(kind: str, **pairs: str) -> list[dict[str, Any]]:
    listed = [{"Key": key, "Value": value} for key, value in pairs.items()]
    return [{"ResourceType": kind, "Tags": listed}]


def named(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


@pytest.fixture
def network(ec2: Any) -> dict[str, str]:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    return {"vpc": vpc, "subnet": subnet}


def test_launch_templates_come_in_pages_and_all_at_once(ec2: Any) -> None:
    for number in range(17):
        ec2.create_launch_template(
            LaunchTemplateName=f"t{number:02}", LaunchTemplateData={"InstanceType": "t3.micro"}
        )
    assert len(ec2.describe_launch_templates()["LaunchTemplates"]) == 17
    pages = list(
        ec2.get_paginator("describe_launch_templates").paginate(PaginationConfig={"PageSize": 7})
    )
    assert [len(page["LaunchTemplates"]) for page in pages] == [7, 7, 3]
    names = {one["LaunchTemplateName"] for page in pages for one in page["LaunchTemplates"]}
    assert len(names) == 17
    wanted = ec2.describe_launch_templates(Filters=named("launch-template-name", "t03"))
    assert [one["LaunchTemplateName"] for one in wanted["LaunchTemplates"]] == ["t03"]
    with pytest.raises(ClientError, match="nextToken"):
        ec2.describe_launch_templates(NextToken="nothing")


def test_nat_gateways_are_filtered_by_tags_and_by_what_moto_knows(
    ec2: Any, network: dict[str, str]
) -> None:
    made = [
        ec2.create_nat_gateway(
            SubnetId=network["subnet"],
            ConnectivityType="private",
            TagSpecifications=tags("natgateway", owner=owner),
        )["NatGateway"]["NatGatewayId"]
        for owner in ("dev", "prod")
    ]

    def found(*filters: dict[str, Any]) -> list[str]:
        listed = ec2.describe_nat_gateways(Filter=list(filters))["NatGateways"]
        return [one["NatGatewayId"] for one in listed]

    assert found(*named("tag:owner", "dev")) == made[:1]
    assert found(*named("tag:owner", "d*", "prod")) == made
    assert found(*named("tag-key", "owner", "other")) == made
    assert found(*named("tag:owner", "dev"), *named("vpc-id", network["vpc"])) == made[:1]
    assert found(*named("tag:owner", "dev"), *named("vpc-id", "vpc-0")) == []


def test_endpoints_are_filtered_by_id(ec2: Any, network: dict[str, str]) -> None:
    made = [
        ec2.create_vpc_endpoint(
            VpcId=network["vpc"],
            ServiceName=f"com.amazonaws.us-west-2.{service}",
            TagSpecifications=tags("vpc-endpoint", owner="dev"),
        )["VpcEndpoint"]["VpcEndpointId"]
        for service in ("s3", "dynamodb")
    ]

    def found(*filters: dict[str, Any]) -> list[str]:
        listed = ec2.describe_vpc_endpoints(Filters=list(filters))["VpcEndpoints"]
        return [one["VpcEndpointId"] for one in listed]

    assert found(*named("vpc-endpoint-id", made[1])) == made[1:]
    assert found(*named("vpc-endpoint-id", *made), *named("tag:owner", "dev")) == made
    assert found(*named("vpc-endpoint-id", *made), *named("tag:owner", "prod")) == []


def test_addresses_are_listed_by_tag_and_id(ec2: Any) -> None:
    made = [
        ec2.allocate_address(Domain="vpc", TagSpecifications=tags("elastic-ip", owner=owner))
        for owner in ("dev", "prod")
    ]
    (found,) = ec2.describe_addresses(Filters=named("tag:owner", "prod"))["Addresses"]
    assert found["AllocationId"] == made[1]["AllocationId"]
    assert found["Tags"] == [{"Key": "owner", "Value": "prod"}]
    by_id = ec2.describe_addresses(Filters=named("allocation-id", made[0]["AllocationId"]))
    assert [one["PublicIp"] for one in by_id["Addresses"]] == [made[0]["PublicIp"]]


def test_tags_are_listed_with_the_types_of_aws(ec2: Any, network: dict[str, str]) -> None:
    address = ec2.allocate_address(
        Domain="vpc", TagSpecifications=tags("elastic-ip", owner="dev", more="x")
    )["AllocationId"]
    gateway = ec2.create_nat_gateway(
        SubnetId=network["subnet"],
        AllocationId=address,
        TagSpecifications=tags("natgateway", owner="prod"),
    )["NatGateway"]["NatGatewayId"]

    def found(*filters: dict[str, Any]) -> list[tuple[str, str, str]]:
        listed = ec2.describe_tags(Filters=list(filters))["Tags"]
        return sorted((one["ResourceId"], one["ResourceType"], one["Key"]) for one in listed)

    assert found(*named("resource-type", "elastic-ip"), *named("key", "owner")) == [
        (address, "elastic-ip", "owner")
    ]
    assert found(*named("tag:owner", "prod")) == [(gateway, "natgateway", "owner")]
    assert found(*named("resource-id", address), *named("value", "x")) == [
        (address, "elastic-ip", "more")
    ]
    ec2.create_tags(Resources=[network["vpc"]], Tags=[{"Key": key, "Value": ""} for key in "abc"])
    pages = ec2.get_paginator("describe_tags").paginate(PaginationConfig={"PageSize": 5})
    assert [len(page["Tags"]) for page in pages] == [5, 1]
    with pytest.raises(ClientError, match="colour"):
        found(*named("colour", "red"))


def test_tags_of_what_is_gone_are_not_listed(sandbox: Sandbox, ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=tags("vpc", owner="dev"))
    ec2.delete_vpc(VpcId=vpc["Vpc"]["VpcId"])
    address = ec2.allocate_address(TagSpecifications=tags("elastic-ip", owner="dev"))
    ec2.release_address(AllocationId=address["AllocationId"])
    stays = ec2.allocate_address(TagSpecifications=tags("elastic-ip", owner="dev"))
    listed = ec2.describe_tags(Filters=named("key", "owner"))["Tags"]
    assert [one["ResourceId"] for one in listed] == [stays["AllocationId"]]


def test_a_route_table_can_be_deleted_once_its_subnets_are(
    ec2: Any, network: dict[str, str]
) -> None:
    table = ec2.create_route_table(VpcId=network["vpc"])["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=network["subnet"])
    with pytest.raises(ClientError) as error:
        ec2.delete_route_table(RouteTableId=table)
    assert error.value.response["Error"]["Code"] == "DependencyViolation"
    ec2.delete_subnet(SubnetId=network["subnet"])
    (left,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    assert left["Associations"] == []
    ec2.delete_route_table(RouteTableId=table)

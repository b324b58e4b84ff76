"""Quotas that bite around a cluster, and what EC2 and Systems Manager tell of machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]


def test_gateway_endpoints_and_groups_of_an_interface_have_their_limits(
    sandbox: Sandbox, client: Client
) -> None:
    quotas = [("L-1B52E74A", 1), ("L-2AFB9258", 1)]
    sandbox.reset({"quotas": [{"service": "vpc", "code": c, "applied": n} for c, n in quotas]})
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    groups = [
        ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]
        for name in "ab"
    ]
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-west-2.s3")
    with pytest.raises(ClientError, match="VpcEndpointLimitExceeded"):
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-west-2.dynamodb")
    ec2.create_network_interface(SubnetId=subnet, Groups=groups[:1])
    with pytest.raises(ClientError, match="SecurityGroupsPerInterfaceLimitExceeded"):
        ec2.create_network_interface(SubnetId=subnet, Groups=groups)


def test_rules_count_by_family_and_a_prefix_list_as_its_maximum(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.reset({"quotas": [{"service": "vpc", "code": "L-0EA8095F", "applied": 4}]})
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    offices = ec2.create_managed_prefix_list(
        PrefixListName="offices", MaxEntries=3, AddressFamily="IPv4"
    )["PrefixList"]["PrefixListId"]

    def permit(port: int, **sources: Any) -> None:
        one = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **sources}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[one])

    permit(1, PrefixListIds=[{"PrefixListId": offices}])
    permit(2, Ipv6Ranges=[{"CidrIpv6": "2001:db8::/32"}, {"CidrIpv6": "2001:db9::/32"}])
    permit(3, UserIdGroupPairs=[{"GroupId": group}])
    with pytest.raises(ClientError, match="RulesPerSecurityGroupLimitExceeded"):
        permit(4, IpRanges=[{"CidrIp": "10.9.0.0/16"}])
    permit(5, Ipv6Ranges=[{"CidrIpv6": "2001:dba::/32"}])
    with pytest.raises(ClientError, match="RulesPerSecurityGroupLimitExceeded"):
        permit(6, UserIdGroupPairs=[{"GroupId": group}])


def test_instances_tell_their_processors_and_their_spot_requests(
    sandbox: Sandbox, client: Client
) -> None:
    codes = ("L-1216C47A", "L-34B43A08")
    sandbox.reset({"quotas": [{"service": "ec2", "code": c, "applied": 99} for c in codes]})
    ec2 = client("ec2")
    run = {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1, "InstanceType": "m5.xlarge"}
    ec2.run_instances(**run)
    ec2.run_instances(**run, CpuOptions={"CoreCount": 1, "ThreadsPerCore": 1})
    ec2.run_instances(**run, InstanceMarketOptions={"MarketType": "spot"})
    rows = [one for r in ec2.describe_instances()["Reservations"] for one in r["Instances"]]
    processors = [
        (one["CpuOptions"]["CoreCount"], one["CpuOptions"]["ThreadsPerCore"]) for one in rows
    ]
    assert sorted(processors) == [(1, 1), (2, 2), (2, 2)]
    [spot] = [one for one in rows if one.get("InstanceLifecycle") == "spot"]
    [request] = ec2.describe_spot_instance_requests(
        Filters=[{"Name": "state", "Values": ["open", "active"]}]
    )["SpotInstanceRequests"]
    assert request["SpotInstanceRequestId"] == spot["SpotInstanceRequestId"]
    assert (request["InstanceId"], request["Status"]["Code"]) == (spot["InstanceId"], "fulfilled")
    assert not any("SpotInstanceRequestId" in one for one in rows if one is not spot)
    with pytest.raises(ClientError, match=r"InvalidSpotInstanceRequestID\.NotFound"):
        ec2.describe_spot_instance_requests(SpotInstanceRequestIds=["sir-00000000"])
    assert ec2.describe_reserved_instances()["ReservedInstances"] == []


def test_systems_manager_names_the_images_of_eks(client: Client) -> None:
    ssm, root = client("ssm"), "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023"
    name = f"{root}/x86_64/standard/recommended"
    image = ssm.get_parameter(Name=f"{name}/image_id")["Parameter"]["Value"]
    assert image.startswith("ami-")
    assert json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])["image_id"] == image
    elsewhere = client("ssm", region="us-east-1").get_parameter(Name=f"{name}/image_id")
    assert elsewhere["Parameter"]["Value"] != image
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name=f"{root.replace('1.34', '1.10')}/x86_64/standard/recommended")
    ssm.put_parameter(Name="/mine", Value="v", Type="String")
    both = ssm.get_parameters(
        Names=["/mine", f"{name}/image_id", "/aws/service/eks/optimized-ami/x"]
    )
    assert sorted(one["Value"] for one in both["Parameters"]) == [image, "v"]
    assert both["InvalidParameters"] == ["/aws/service/eks/optimized-ami/x"]
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=root, Recursive=True)
    names = [one["Name"] for page in pages for one in page["Parameters"]]
    assert len(names) == 20
    assert f"{name}/release_version" in names

"""Quotas that bite around a cluster, and what EC2 and Systems Manager tell of machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]
TEMPLATE = {"ImageId": "ami-1", "InstanceType": "t3.micro"}
# Service and code of the quota, limit, client, call (with a number) that fits as often as the
# limit says, and the code of the error after that.
LIMITS: list[tuple[str, str, int, str, Callable[[Any, int], Any], str]] = [
    ("ec2", "L-FB451C26", 1, "ec2", lambda c, n: c.create_launch_template(
        LaunchTemplateName=f"t{n}", LaunchTemplateData=TEMPLATE), "ResourceLimitExceeded"),
    ("ebs", "L-7A658B76", 2, "ec2", lambda c, _: c.create_volume(
        AvailabilityZone="us-west-2a", Size=1024, VolumeType="gp3"), "VolumeLimitExceeded"),
    ("ebs", "L-8D977E7E", 2, "ec2", lambda c, _: c.create_volume(
        AvailabilityZone="us-west-2a", Size=4, VolumeType="io2", Iops=1), "MaxIOPSLimitExceeded"),
    ("ecr", "L-CFEB8E8D", 1, "ecr", lambda c, n: c.create_repository(repositoryName=f"rr{n}"),
     "LimitExceededException"),
    ("events", "L-244521F2", 1, "events", lambda c, n: c.put_rule(
        Name=f"u{n}", ScheduleExpression="rate(1 day)"), "LimitExceededException"),
    ("kms", "L-C2F1777E", 1, "kms", lambda c, _: c.create_key(), "LimitExceededException"),
    ("logs", "L-C7B9AAAB", 1, "logs", lambda c, n: c.create_log_group(logGroupName=f"g{n}"),
     "LimitExceededException"),
    ("sns", "L-61103206", 1, "sns", lambda c, n: c.create_topic(Name=f"t{n}"),
     "TopicLimitExceeded"),
]  # fmt: skip


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_one_more_than_the_quota_is_refused_in_the_words_of_its_service(
    sandbox: Sandbox, client: Client, row: Any
) -> None:
    service, code, limit, name, call, error_code = row
    sandbox.reset(
        {"rates": "off", "quotas": [{"service": service, "code": code, "applied": limit}]}
    )
    aws = client(name)
    for number in range(limit):
        call(aws, number)
    with pytest.raises(ClientError) as error:
        call(aws, limit)
    assert error.value.response["Error"]["Code"] == error_code


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

"""The state of the account, before and after."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

from preflight.sandbox.account.snapshot import difference
from preflight.sandbox.server import Sandbox

State = Callable[[], dict[str, Any]]
DAY = 86_400


@pytest.fixture
def state(sandbox: Sandbox) -> State:
    """Ask for the state as anybody would."""

    def ask() -> dict[str, Any]:
        with urlopen(f"{sandbox.endpoint}/_sandbox/state") as answer:  # noqa: S310
            told: dict[str, Any] = json.load(answer)
            return told

    return ask


def tags(kind: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "owner", "Value": "dev"}]}]


def test_things_made_changed_and_gone_are_told_by_their_place(state: State, client: Any) -> None:
    ec2 = client("ec2")
    (default,) = ec2.describe_vpcs()["Vpcs"]
    before = state()
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    during = state()
    assert f"services/ec2/us-west-2/vpcs/{vpc}: added" in difference(before, during)
    assert f"services/ec2/us-west-2/vpcs/{vpc}: removed" in difference(during, before)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    (changed,) = difference(during, state())
    assert changed == (f"services/ec2/us-west-2/vpcs/{vpc}/enable_dns_hostnames: false became true")
    ec2.delete_vpc(VpcId=vpc)
    assert difference(before, state()) == []
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=default["VpcId"])
    assert state()["services"]["ec2"]["us-west-2"]["vpcs"] is None
    assert "services/ec2/us-west-2/vpcs: removed" in difference(before, state())
    assert "services/ec2/us-west-2/vpcs: added" in difference(state(), before)


def test_what_has_tags_leaves_nothing_behind(state: State, client: Any) -> None:
    before = state()
    ec2, logs, s3 = client("ec2"), client("logs"), client("s3")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags("vpc"))["Vpc"]["VpcId"]
    group = ec2.create_security_group(
        GroupName="g", Description="d", VpcId=vpc, TagSpecifications=tags("security-group")
    )["GroupId"]
    template = ec2.create_launch_template(
        LaunchTemplateName="t",
        LaunchTemplateData={"InstanceType": "t3.micro"},
        TagSpecifications=tags("launch-template"),
    )["LaunchTemplate"]["LaunchTemplateId"]
    logs.create_log_group(logGroupName="g", tags={"owner": "dev"})
    place = {"LocationConstraint": "us-west-2", "Tags": [{"Key": "owner", "Value": "dev"}]}
    s3.create_bucket(Bucket="bucket-of-snapshots", CreateBucketConfiguration=place)
    assert "owner" in json.dumps(state())
    ec2.delete_launch_template(LaunchTemplateId=template)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)
    logs.delete_log_group(logGroupName="g")
    s3.delete_bucket(Bucket="bucket-of-snapshots")
    assert difference(before, state()) == []


def test_a_load_balancer_leaves_nothing_behind(sandbox: Sandbox, state: State, client: Any) -> None:
    ec2, elb, owned = client("ec2"), client("elbv2"), [{"Key": "owner", "Value": "dev"}]
    subnet = ec2.describe_subnets()["Subnets"][0]
    before = state()
    balancer = elb.create_load_balancer(
        Name="web", Subnets=[subnet["SubnetId"]], Type="network", Tags=owned
    )["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(
        Name="web", Protocol="TCP", Port=80, VpcId=subnet["VpcId"], Tags=owned
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="TCP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        Tags=owned,
    )
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    (told,) = elb.describe_tags(ResourceArns=[group])["TagDescriptions"]
    assert told["Tags"] == owned
    elb.delete_target_group(TargetGroupArn=group)
    sandbox.world.clock.advance(DAY)
    assert difference(before, state()) == []


def test_a_log_group_and_a_bucket_made_anew_have_no_tags_of_the_old_ones(client: Any) -> None:
    logs, s3 = client("logs"), client("s3")
    place = {"LocationConstraint": "us-west-2"}
    tagged = {**place, "Tags": [{"Key": "owner", "Value": "dev"}]}
    logs.create_log_group(logGroupName="g", tags={"owner": "dev"})
    logs.delete_log_group(logGroupName="g")
    logs.create_log_group(logGroupName="g")
    (group,) = logs.describe_log_groups()["logGroups"]
    arn = group["arn"].removesuffix(":*")
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}
    s3.create_bucket(Bucket="bucket-of-snapshots", CreateBucketConfiguration=tagged)
    s3.delete_bucket(Bucket="bucket-of-snapshots")
    s3.create_bucket(Bucket="bucket-of-snapshots", CreateBucketConfiguration=place)
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket="bucket-of-snapshots")


def test_a_key_waits_for_its_deletion_and_is_gone(
    sandbox: Sandbox, state: State, client: Any
) -> None:
    before, kms = state(), client("kms")
    key = kms.create_key(Tags=[{"TagKey": "owner", "TagValue": "dev"}])["KeyMetadata"]
    during = json.dumps(state())
    assert key["KeyId"] in during
    assert "key_material" not in during
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    (waiting,) = state()["pending_deletion"]
    assert waiting["arn"] == key["Arn"]
    (changed,) = difference(before, state())
    assert changed.startswith("pending_deletion: [] became ")
    sandbox.world.clock.advance(8 * DAY)
    assert difference(before, state()) == []


def test_what_aws_keeps_or_forgets_by_itself_is_no_part_of_the_state(
    state: State, client: Any
) -> None:
    before, ec2 = state(), client("ec2")
    client("iam").create_service_linked_role(AWSServiceName="eks.amazonaws.com")
    (instance,) = ec2.run_instances(
        ImageId="ami-12345678",
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=tags("instance"),
    )["Instances"]
    assert instance["InstanceId"] in json.dumps(state())
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert difference(before, state()) == []
    assert ec2.describe_instances()["Reservations"][0]["Instances"][0]["Tags"]

"""The tagging API: what it covers, what it does not, and how old it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from preflight.sandbox.server import Sandbox

Account = Any
Client = Callable[..., Any]
TAG = {"Key": "team", "Value": "a"}


def specification(kind: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [TAG]}]


def arns(client: Client, **wanted: Any) -> list[str]:
    pages = client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(**wanted)
    return [row["ResourceARN"] for page in pages for row in page["ResourceTagMappingList"]]


def test_it_covers_what_aws_says_and_neither_scaling_groups_nor_roles(client: Client) -> None:
    ec2, iam = client("ec2"), client("iam")
    address = ec2.allocate_address(TagSpecifications=specification("elastic-ip"))["AllocationId"]
    template = ec2.create_launch_template(
        LaunchTemplateName="t",
        LaunchTemplateData={"ImageId": "ami-1", "InstanceType": "t3.micro"},
        TagSpecifications=specification("launch-template"),
    )["LaunchTemplate"]["LaunchTemplateId"]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification("vpc"))["Vpc"]
    client("logs").create_log_group(logGroupName="g")
    client("logs").tag_resource(
        resourceArn="arn:aws:logs:us-west-2:111122223333:log-group:g", tags={"team": "a"}
    )
    client("ecr").create_repository(repositoryName="rr", tags=[TAG])
    client("events").put_rule(Name="u", ScheduleExpression="rate(1 day)", Tags=[TAG])
    detector = client("guardduty").create_detector(Enable=True, Tags={"team": "a"})["DetectorId"]
    client("sns").create_topic(Name="s", Tags=[TAG])
    client("sqs").create_queue(QueueName="q", tags={"team": "a"})
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="o", AssumeRolePolicyDocument=document, Tags=[TAG])
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="a",
        MinSize=0,
        MaxSize=1,
        AvailabilityZones=["us-west-2a"],
        LaunchTemplate={"LaunchTemplateId": template},
        Tags=[{**TAG, "ResourceId": "a", "ResourceType": "auto-scaling-group"}],
    )
    here = "us-west-2:111122223333"
    expected = [
        f"arn:aws:ec2:{here}:elastic-ip/{address}",
        f"arn:aws:ec2:{here}:launch-template/{template}",
        f"arn:aws:ec2:{here}:vpc/{vpc['VpcId']}",
        f"arn:aws:ecr:{here}:repository/rr",
        f"arn:aws:events:{here}:rule/u",
        f"arn:aws:guardduty:{here}:detector/{detector}",
        f"arn:aws:logs:{here}:log-group:g",
        f"arn:aws:sns:{here}:s",
        f"arn:aws:sqs:{here}:q",
    ]
    assert arns(client) == expected
    assert (
        arns(client, ResourcesPerPage=2, TagFilters=[{"Key": "team", "Values": ["a"]}]) == expected
    )
    assert arns(client, TagFilters=[{"Key": "team", "Values": ["b"]}]) == []
    assert arns(client, ResourceTypeFilters=["logs:log-group", "ec2:vpc"]) == [
        expected[2],
        expected[6],
    ]


# How a thing is made with a tag, gives its ARN or what ends it, loses the tag, and is deleted.
UNTAGGED: dict[
    str, tuple[Callable[[Any], str], Callable[[Any, str], Any], Callable[[Any, str], Any]]
]
UNTAGGED = {
    "ec2": (
        lambda ec2: ec2.create_vpc(
            CidrBlock="10.0.0.0/16", TagSpecifications=specification("vpc")
        )["Vpc"]["VpcId"],
        lambda ec2, vpc: ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "team"}]),
        lambda ec2, vpc: ec2.delete_vpc(VpcId=vpc),
    ),
    "ecr": (
        lambda ecr: ecr.create_repository(repositoryName="rr", tags=[TAG])["repository"][
            "repositoryArn"
        ],
        lambda ecr, arn: ecr.untag_resource(resourceArn=arn, tagKeys=["team"]),
        lambda ecr, _: ecr.delete_repository(repositoryName="rr"),
    ),
    "elbv2": (
        lambda elb: elb.create_target_group(
            Name="t", Protocol="HTTP", Port=80, TargetType="ip", Tags=[TAG],
            VpcId=boto3.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"],
        )["TargetGroups"][0]["TargetGroupArn"],
        lambda elb, arn: elb.remove_tags(ResourceArns=[arn], TagKeys=["team"]),
        lambda elb, arn: elb.delete_target_group(TargetGroupArn=arn),
    ),
    "events": (
        lambda events: events.put_rule(
            Name="u", ScheduleExpression="rate(1 day)", Tags=[TAG]
        )["RuleArn"],
        lambda events, arn: events.untag_resource(ResourceARN=arn, TagKeys=["team"]),
        lambda events, _: events.delete_rule(Name="u"),
    ),
    "logs": (
        lambda logs: logs.create_log_group(logGroupName="g", tags={"team": "a"}) and "log-group:g",
        lambda logs, arn: logs.untag_resource(
            resourceArn=f"arn:aws:logs:us-west-2:111122223333:{arn}", tagKeys=["team"]
        ),
        lambda logs, _: logs.delete_log_group(logGroupName="g"),
    ),
    "s3": (
        lambda s3: s3.create_bucket(
            Bucket="bbb",
            CreateBucketConfiguration={"LocationConstraint": "us-west-2", "Tags": [TAG]},
        ) and "bbb",
        lambda s3, name: s3.delete_bucket_tagging(Bucket=name),
        lambda s3, name: s3.delete_bucket(Bucket=name),
    ),
    "sns": (
        lambda sns: sns.create_topic(Name="s", Tags=[TAG])["TopicArn"],
        lambda sns, arn: sns.untag_resource(ResourceArn=arn, TagKeys=["team"]),
        lambda sns, arn: sns.delete_topic(TopicArn=arn),
    ),
    "sqs": (
        lambda sqs: sqs.create_queue(QueueName="q", tags={"team": "a"})["QueueUrl"],
        lambda sqs, url: sqs.untag_queue(QueueUrl=url, TagKeys=["team"]),
        lambda sqs, url: sqs.delete_queue(QueueUrl=url),
    ),
}  # fmt: skip


@pytest.mark.parametrize("service", sorted(UNTAGGED))
def test_it_goes_on_listing_what_was_tagged_once_without_tags(client: Client, service: str) -> None:
    make, untag, delete = UNTAGGED[service]
    aws = client(service)
    made = make(aws)
    [arn] = arns(client)
    assert made.rpartition("/")[2] in arn
    untag(aws, made)
    [row] = client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"]
    assert row == {"ResourceARN": arn, "Tags": []}
    assert arns(client, TagFilters=[{"Key": "team"}]) == []
    delete(aws, made)
    assert arns(client) == []


def test_it_still_lists_the_dead_and_misses_the_new(sandbox: Sandbox, client: Client) -> None:
    topic = {
        "service": "sns",
        "operation": "CreateTopic",
        "parameters": {"Name": "t", "Tags": [TAG]},
    }
    sandbox.reset({"rates": "off", "calls": [topic], "consistency": {"tag_index_lag": 6000}})
    [old] = arns(client)
    new = client("sqs").create_queue(QueueName="q", tags={"team": "a"})["QueueUrl"]
    client("sns").delete_topic(TopicArn=old)
    assert client("sns").list_topics()["Topics"] == []
    assert arns(client) == [old]
    sandbox.world.clock.advance(6000)
    assert arns(client) == ["arn:aws:sqs:us-west-2:111122223333:q"]
    client("sqs").delete_queue(QueueUrl=new)
    sandbox.world.clock.advance(3000)
    assert len(arns(client)) == 1
    sandbox.world.clock.advance(3100)
    assert arns(client) == []


def test_a_token_that_is_none_is_refused(client: Client) -> None:
    tagging = client("resourcegroupstaggingapi")
    with pytest.raises(tagging.exceptions.PaginationTokenExpiredException):
        tagging.get_resources(PaginationToken="é")


def test_the_tagging_api_finds_clusters_by_their_tags(account: Account) -> None:
    arn = account.create("one", tags={"preflight:cluster": "one", "a": "b"})["arn"]
    account.create("two", tags={"preflight:cluster": "two"})
    account.create("bare")
    tagging = account.client("resourcegroupstaggingapi")

    def found(**wanted: Any) -> list[str]:
        mapped = tagging.get_resources(**wanted)["ResourceTagMappingList"]
        return [one["ResourceARN"].rpartition("/")[2] for one in mapped]

    ours = [{"Key": "preflight:cluster", "Values": ["one"]}]
    assert found(TagFilters=ours, ResourceTypeFilters=["eks:cluster"]) == ["one"]
    assert found(ResourceTypeFilters=["eks"]) == ["one", "two"]
    assert found(ResourceTypeFilters=["eks:nodegroup"]) == []
    assert found(ResourceARNList=[arn]) == ["one"]
    account.eks.delete_cluster(name="one")
    account.advance(200)
    assert found(ResourceTypeFilters=["eks"]) == ["two"]


def test_of_iam_it_covers_policies_profiles_and_providers_in_one_region(client: Client) -> None:
    iam = client("iam")
    denial = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    expected = [
        iam.create_instance_profile(InstanceProfileName="p", Tags=[TAG])["InstanceProfile"]["Arn"],
        iam.create_open_id_connect_provider(
            Url="https://example.com", ThumbprintList=["a" * 40], Tags=[TAG]
        )["OpenIDConnectProviderArn"],
        iam.create_policy(PolicyName="d", PolicyDocument=document, Tags=[TAG])["Policy"]["Arn"],
    ]
    iam.create_user(UserName="u", Tags=[TAG])
    assert arns(client) == []
    [page] = (
        client("resourcegroupstaggingapi", region="us-east-1")
        .get_paginator("get_resources")
        .paginate(TagFilters=[{"Key": "team", "Values": ["a"]}])
    )
    assert [row["ResourceARN"] for row in page["ResourceTagMappingList"]] == expected

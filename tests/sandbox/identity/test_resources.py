"""On which ARNs the sandbox asks the policies."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

Admin = Any
Refusal = Any

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}

NAMED: list[tuple[str, str, dict[str, Any], str]] = [
    ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}, "arn:aws:ec2:us-west-2:{a}:vpc/*"),
    ("ec2", "delete_vpc", {"VpcId": "vpc-1"}, "arn:aws:ec2:us-west-2:{a}:vpc/vpc-1"),
    ("ec2", "describe_vpcs", {}, "*"),
    (
        "ecr",
        "create_repository",
        {"repositoryName": "a/b"},
        "arn:aws:ecr:us-west-2:{a}:repository/a/b",
    ),
    ("eks", "describe_cluster", {"name": "c"}, "arn:aws:eks:us-west-2:{a}:cluster/c"),
    ("eks", "list_clusters", {}, "*"),
    (
        "eks",
        "delete_nodegroup",
        {"clusterName": "c", "nodegroupName": "n"},
        "arn:aws:eks:us-west-2:{a}:nodegroup/c/n/*",
    ),
    ("events", "delete_rule", {"Name": "r"}, "arn:aws:events:us-west-2:{a}:rule/r"),
    ("events", "list_rules", {}, "arn:aws:events:us-west-2:{a}:rule/*"),
    ("events", "list_targets_by_rule", {"Rule": "r"}, "arn:aws:events:us-west-2:{a}:rule/r"),
    (
        "iam",
        "create_policy",
        {"PolicyName": "p", "PolicyDocument": "{}"},
        "arn:aws:iam::{a}:policy/p",
    ),
    ("iam", "delete_role", {"RoleName": "r"}, "arn:aws:iam::{a}:role/r"),
    (
        "iam",
        "create_service_linked_role",
        {"AWSServiceName": "eks.amazonaws.com"},
        "arn:aws:iam::{a}:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS",
    ),
    (
        "iam",
        "create_service_linked_role",
        {"AWSServiceName": "spot.amazonaws.com"},
        "arn:aws:iam::{a}:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot",
    ),
    ("kms", "describe_key", {"KeyId": "k"}, "arn:aws:kms:us-west-2:{a}:key/k"),
    ("logs", "create_log_group", {"logGroupName": "g"}, "arn:aws:logs:us-west-2:{a}:log-group:g:*"),
    ("s3", "put_bucket_tagging", {"Bucket": "b", "Tagging": {"TagSet": []}}, "arn:aws:s3:::b"),
    (
        "service-quotas",
        "request_service_quota_increase",
        {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE", "DesiredValue": 9},
        "arn:aws:servicequotas:us-west-2:{a}:vpc/L-F678F1CE",
    ),
    # What the sweeper deletes.
    ("ec2", "delete_snapshot", {"SnapshotId": "snap-1"}, "arn:aws:ec2:us-west-2::snapshot/snap-1"),
    ("ec2", "delete_volume", {"VolumeId": "vol-1"}, "arn:aws:ec2:us-west-2:{a}:volume/vol-1"),
    (
        "ec2",
        "delete_network_interface",
        {"NetworkInterfaceId": "eni-1"},
        "arn:aws:ec2:us-west-2:{a}:network-interface/eni-1",
    ),
    (
        "ec2",
        "release_address",
        {"AllocationId": "eipalloc-1"},
        "arn:aws:ec2:us-west-2:{a}:elastic-ip/eipalloc-1",
    ),
    (
        "autoscaling",
        "delete_auto_scaling_group",
        {"AutoScalingGroupName": "g"},
        "arn:aws:autoscaling:us-west-2:{a}:autoScalingGroup:*:autoScalingGroupName/g",
    ),
    (
        "elb",
        "delete_load_balancer",
        {"LoadBalancerName": "b"},
        "arn:aws:elasticloadbalancing:us-west-2:{a}:loadbalancer/b",
    ),
    (
        "elbv2",
        "delete_load_balancer",
        {"LoadBalancerArn": "arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/net/b/1"},
        "arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/net/b/1",
    ),
    (
        "elbv2",
        "create_target_group",
        {"Name": "g"},
        "arn:aws:elasticloadbalancing:us-west-2:{a}:targetgroup/g/*",
    ),
    (
        "iam",
        "remove_role_from_instance_profile",
        {"InstanceProfileName": "p", "RoleName": "r"},
        "arn:aws:iam::{a}:instance-profile/p",
    ),
    (
        "guardduty",
        "delete_detector",
        {"DetectorId": "d"},
        "arn:aws:guardduty:us-west-2:{a}:detector/d",
    ),
    (
        "route53resolver",
        "delete_resolver_query_log_config",
        {"ResolverQueryLogConfigId": "rqlc-1"},
        "arn:aws:route53resolver:us-west-2:{a}:resolver-query-log-config/rqlc-1",
    ),
    ("route53resolver", "list_resolver_query_log_configs", {}, "*"),
    ("logs", "describe_log_groups", {}, "arn:aws:logs:us-west-2:{a}:log-group:*"),
    ("ecr", "describe_repositories", {}, "arn:aws:ecr:us-west-2:{a}:repository/*"),
    (
        "eks",
        "describe_access_entry",
        {"clusterName": "c", "principalArn": "arn:aws:iam::1:role/p/r"},
        "arn:aws:eks:us-west-2:{a}:access-entry/c/role/1/r/*",
    ),
    ("organizations", "describe_organization", {}, "*"),
    ("account", "list_regions", {}, "arn:aws:account::{a}:account"),
    ("sns", "create_topic", {"Name": "t"}, "arn:aws:sns:us-west-2:{a}:t"),
    ("sns", "list_topics", {}, "arn:aws:sns:us-west-2:{a}:*"),
    ("sqs", "create_queue", {"QueueName": "q"}, "arn:aws:sqs:us-west-2:{a}:q"),
    ("ssm", "get_parameter", {"Name": "/a/b"}, "arn:aws:ssm:us-west-2:{a}:parameter/a/b"),
]
NUMBERS = itertools.count(1)


def test_resources_are_told_apart_where_the_request_names_them(
    admin: Admin, refusal: Refusal
) -> None:
    account = admin.sandbox.account
    buckets = ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]
    roles = f"arn:aws:iam::{account}:role/a/*"
    user = admin.user(
        {"Effect": "Allow", "Action": "s3:*", "Resource": buckets},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": f"arn:aws:sqs:*:{account}:mine-*"},
        {"Effect": "Allow", "Action": "iam:GetRole", "Resource": roles},
    )
    s3 = user.client("s3")
    where = {"LocationConstraint": "us-west-2"}
    s3.create_bucket(Bucket="mine", CreateBucketConfiguration=where)
    s3.put_object(Bucket="mine", Key="a/b", Body=b"x")
    refused = refusal(s3.create_bucket, Bucket="other", CreateBucketConfiguration=where)
    assert "on resource: arn:aws:s3:::other" in refused[2]
    user.client("sqs").create_queue(QueueName="mine-1")
    assert refusal(user.client("sqs").create_queue, QueueName="other")[0] == "AccessDenied"
    within = admin.role(path="/a/")
    user.client("iam").get_role(RoleName=within.rpartition("/")[2])
    outside = admin.role()
    assert refusal(user.client("iam").get_role, RoleName=outside.rpartition("/")[2])[0] == (
        "AccessDenied"
    )


def test_a_denial_names_the_resource_as_aws_does(admin: Admin, refusal: Refusal) -> None:
    user = admin.user()
    for service, operation, parameters, resource in NAMED:
        message = refusal(getattr(user.client(service), operation), **parameters)[2]
        expected = resource.format(a=admin.sandbox.account)
        assert f" on resource: {expected} because no identity-based policy" in message


def test_a_resource_the_sandbox_cannot_name_is_matched_by_its_service_alone(
    admin: Admin,
    refusal: Refusal,
) -> None:
    here = f"arn:aws:ec2:us-west-2:{admin.sandbox.account}:key-pair/x"
    only = {"Effect": "Allow", "Action": "ec2:*", "Resource": here}
    elsewhere = {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::*"}
    denied = {"Effect": "Deny", "Action": "ec2:*", "Resource": here}
    admin.user(only).client("ec2").create_key_pair(KeyName=f"key{next(NUMBERS)}")
    admin.user(EVERYTHING, denied).client("ec2").create_key_pair(KeyName="another")
    refused = refusal(admin.user(elsewhere).client("ec2").create_key_pair, KeyName="x")
    assert refused[0] == "UnauthorizedOperation"


SEVERAL: list[tuple[str, dict[str, Any], list[str]]] = [
    ("create_subnet", {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"}, ["subnet/*", "vpc/vpc-1"]),
    (
        "create_security_group",
        {"GroupName": "g", "Description": "g", "VpcId": "vpc-1"},
        ["security-group/*", "vpc/vpc-1"],
    ),
    (
        "attach_internet_gateway",
        {"InternetGatewayId": "igw-1", "VpcId": "vpc-1"},
        ["internet-gateway/igw-1", "vpc/vpc-1"],
    ),
    (
        "create_nat_gateway",
        {"SubnetId": "subnet-1", "AllocationId": "eipalloc-1"},
        ["natgateway/*", "subnet/subnet-1", "elastic-ip/eipalloc-1"],
    ),
    (
        "delete_vpc_endpoints",
        {"VpcEndpointIds": ["vpce-1", "vpce-2"]},
        ["vpc-endpoint/vpce-1", "vpc-endpoint/vpce-2"],
    ),
    (
        "create_tags",
        {"Resources": ["vpc-1", "subnet-1"], "Tags": [{"Key": "a", "Value": "b"}]},
        ["vpc/vpc-1", "subnet/subnet-1"],
    ),
    ("terminate_instances", {"InstanceIds": ["i-1"]}, ["instance/i-1"]),
]


@pytest.mark.parametrize(("operation", "parameters", "on"), SEVERAL)
def test_an_operation_is_judged_on_every_resource_it_takes(
    admin: Admin,
    refusal: Refusal,
    operation: str,
    parameters: dict[str, Any],
    on: list[str],
) -> None:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    arns = [f"arn:aws:ec2:us-west-2:{admin.sandbox.account}:{one}" for one in on]
    for left_out in arns:
        rest = [one for one in arns if one != left_out] or ["arn:aws:ec2:*:*:nothing/*"]
        statement = {"Effect": "Allow", "Action": "ec2:*", "Resource": rest}
        call = getattr(admin.user(statement).client("ec2"), operation)
        assert f"on resource: {left_out} because" in refusal(call, **parameters)[2]
    every = admin.user({"Effect": "Allow", "Action": "ec2:*", "Resource": arns})
    allowed = refusal(getattr(every.client("ec2"), operation), DryRun=True, **parameters)
    assert allowed[0] == "DryRunOperation"

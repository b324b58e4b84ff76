"""Tags decide where policies ask for them: on the thing, in the request, and on the caller."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

Admin = Any
Refusal = Any

SCENARIO = {
    "rates": "off",
    "quotas": [{"service": "vpc", "code": "L-F678F1CE", "applied": 99}],
}
NUMBERS = itertools.count(1)
Client = Any
Pairs = dict[str, str]


def listed(tags: Pairs, key: str = "Key", value: str = "Value") -> list[Pairs]:
    return [{key: name, value: given} for name, given in tags.items()]


def named() -> str:
    return f"thing{next(NUMBERS)}"


def vpc(ec2: Client, tags: Pairs) -> Callable[[Client], Any]:
    id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    if tags:
        ec2.create_tags(Resources=[id], Tags=listed(tags))
    return lambda caller: caller.delete_vpc(VpcId=id)


def security_group(ec2: Client, tags: Pairs) -> Callable[[Client], Any]:
    specs = [{"ResourceType": "security-group", "Tags": listed(tags)}] if tags else []
    id = ec2.create_security_group(GroupName=named(), Description="d", TagSpecifications=specs)
    return lambda caller: caller.delete_security_group(GroupId=id["GroupId"])


def subnet(ec2: Client, tags: Pairs) -> Callable[[Client], Any]:
    id = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ec2.delete_tags(Resources=[id], Tags=[{"Key": "team"}])
    if tags:
        ec2.create_tags(Resources=[id], Tags=listed(tags))
    on = {"Value": True}
    return lambda caller: caller.modify_subnet_attribute(SubnetId=id, MapPublicIpOnLaunch=on)


def address(ec2: Client, tags: Pairs) -> Callable[[Client], Any]:
    specs = [{"ResourceType": "elastic-ip", "Tags": listed(tags)}] if tags else []
    id = ec2.allocate_address(Domain="vpc", TagSpecifications=specs)["AllocationId"]
    return lambda caller: caller.release_address(AllocationId=id)


def role(iam: Client, tags: Pairs) -> Callable[[Client], Any]:
    name = named()
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": trust})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=text, Tags=listed(tags))
    return lambda caller: caller.get_role(RoleName=name)


def user(iam: Client, tags: Pairs) -> Callable[[Client], Any]:
    name = named()
    iam.create_user(UserName=name, Tags=listed(tags))
    return lambda caller: caller.get_user(UserName=name)


def policy(iam: Client, tags: Pairs) -> Callable[[Client], Any]:
    text = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*"}}'
    text = text.replace('"*"}', '"*", "Resource": "*"}')
    made = iam.create_policy(PolicyName=named(), PolicyDocument=text, Tags=listed(tags))
    return lambda caller: caller.get_policy(PolicyArn=made["Policy"]["Arn"])


def key(kms: Client, tags: Pairs) -> Callable[[Client], Any]:
    id = kms.create_key(Tags=listed(tags, "TagKey", "TagValue"))["KeyMetadata"]["KeyId"]
    return lambda caller: caller.describe_key(KeyId=id)


def queue(sqs: Client, tags: Pairs) -> Callable[[Client], Any]:
    url = sqs.create_queue(QueueName=named(), tags=tags)["QueueUrl"]
    return lambda caller: caller.get_queue_attributes(QueueUrl=url)


def topic(sns: Client, tags: Pairs) -> Callable[[Client], Any]:
    arn = sns.create_topic(Name=named(), Tags=listed(tags))["TopicArn"]
    return lambda caller: caller.get_topic_attributes(TopicArn=arn)


def repository(ecr: Client, tags: Pairs) -> Callable[[Client], Any]:
    name = named()
    ecr.create_repository(repositoryName=name, tags=listed(tags))
    return lambda caller: caller.list_images(repositoryName=name)


def log_group(logs: Client, tags: Pairs) -> Callable[[Client], Any]:
    name = named()
    logs.create_log_group(logGroupName=name, **({"tags": tags} if tags else {}))
    return lambda caller: caller.put_retention_policy(logGroupName=name, retentionInDays=7)


def rule(events: Client, tags: Pairs) -> Callable[[Client], Any]:
    name = named()
    events.put_rule(Name=name, ScheduleExpression="rate(1 day)", Tags=listed(tags))
    return lambda caller: caller.describe_rule(Name=name)


def target_group(elbv2: Client, tags: Pairs) -> Callable[[Client], Any]:
    extra = {"Tags": listed(tags)} if tags else {}
    made = elbv2.create_target_group(Name=named(), TargetType="lambda", **extra)
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    return lambda caller: caller.delete_target_group(TargetGroupArn=arn)


def classic_balancer(elb: Client, tags: Pairs) -> Callable[[Client], Any]:
    name = named()
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}
    zones = ["us-west-2a"]
    elb.create_load_balancer(LoadBalancerName=name, Listeners=[listener], AvailabilityZones=zones)
    if tags:
        elb.add_tags(LoadBalancerNames=[name], Tags=listed(tags))
    return lambda caller: caller.delete_load_balancer(LoadBalancerName=name)


def detector(guardduty: Client, tags: Pairs) -> Callable[[Client], Any]:
    for one in guardduty.list_detectors()["DetectorIds"]:
        guardduty.delete_detector(DetectorId=one)
    id = guardduty.create_detector(Enable=True, Tags=tags)["DetectorId"]
    return lambda caller: caller.get_detector(DetectorId=id)


KINDS: list[tuple[str, Callable[[Client, Pairs], Callable[[Client], Any]]]] = [
    ("ec2", vpc),
    ("ec2", security_group),
    ("ec2", subnet),
    ("ec2", address),
    ("ecr", repository),
    ("elb", classic_balancer),
    ("elbv2", target_group),
    ("events", rule),
    ("guardduty", detector),
    ("iam", policy),
    ("iam", role),
    ("iam", user),
    ("kms", key),
    ("logs", log_group),
    ("sns", topic),
    ("sqs", queue),
]


# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
@pytest.mark.parametrize(("service", "make"), KINDS)
def test_a_tag_on_a_thing_opens_it_and_no_other(
    admin: Admin, refusal: Refusal, service: str, make: Any
) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "red"}}
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    caller = admin.user(statement).client(service)
    owner = admin.client(service)
    for tags in ({}, {"team": "blue"}):
        assert "not authorized to perform" in refusal(make(owner, tags), caller)[2]
    make(owner, {"team": "red"})(caller)


def test_services_have_names_of_their_own_for_tags(admin: Admin, refusal: Refusal) -> None:
    ec2, iam = admin.client("ec2"), admin.client("iam")
    own = [
        {"Effect": "Allow", "Action": f"{one}:*", "Resource": "*", "Condition": {
            "StringEquals": {f"{one}:ResourceTag/team": "red"}}}
        for one in ("ec2", "iam")
    ]  # fmt: skip
    caller = admin.user(*own)
    vpc(ec2, {"team": "red"})(caller.client("ec2"))
    role(iam, {"team": "red"})(caller.client("iam"))
    assert refusal(vpc(ec2, {}), caller.client("ec2"))[0] == "UnauthorizedOperation"
    assert refusal(role(iam, {}), caller.client("iam"))[0] == "AccessDenied"


def test_a_denial_for_what_lacks_a_tag_spares_what_has_it(admin: Admin, refusal: Refusal) -> None:
    untagged = {"StringNotEquals": {"aws:ResourceTag/team": "red"}}
    deny = {"Effect": "Deny", "Action": "ec2:Delete*", "Resource": "*", "Condition": untagged}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    caller, ec2 = admin.user(everything, deny).client("ec2"), admin.client("ec2")
    assert refusal(vpc(ec2, {}), caller)[0] == "UnauthorizedOperation"
    vpc(ec2, {"team": "red"})(caller)


def test_what_is_about_to_be_made_has_no_tags_yet_and_what_is_not_there_says_so(
    admin: Admin, refusal: Refusal
) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "red"}}
    caller = admin.user({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition})
    tags = [{"ResourceType": "vpc", "Tags": listed({"team": "red"})}]
    create = caller.client("ec2").create_vpc
    refused = refusal(create, CidrBlock="10.0.0.0/16", TagSpecifications=tags)
    assert refused[0] == "UnauthorizedOperation"
    gone = refusal(caller.client("ec2").delete_vpc, VpcId="vpc-0123456789abcdef0")
    assert gone[0] == "InvalidVpcID.NotFound"


def test_the_tags_of_a_request_belong_to_what_it_makes_and_to_nothing_else(
    admin: Admin, refusal: Refusal
) -> None:
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    ec2 = admin.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    tagged = {"StringEquals": {"aws:RequestTag/team": "red"}}
    make = {"Effect": "Allow", "Action": ["ec2:CreateSubnet", "ec2:CreateTags"]}
    everywhere = admin.user({**make, "Resource": "*", "Condition": tagged})
    new = {**make, "Resource": "arn:aws:ec2:*:*:subnet/*", "Condition": tagged}
    within = {"Effect": "Allow", "Action": "ec2:CreateSubnet", "Resource": "arn:aws:ec2:*:*:vpc/*"}
    given = {
        "VpcId": vpc_id,
        "CidrBlock": "10.0.0.0/24",
        "TagSpecifications": [{"ResourceType": "subnet", "Tags": listed({"team": "red"})}],
    }
    refused = refusal(everywhere.client("ec2").create_subnet, **given)
    assert f"on resource: arn:aws:ec2:us-west-2:111122223333:vpc/{vpc_id}" in refused[2]
    admin.user(new, within).client("ec2").create_subnet(**given)


def test_a_policy_can_say_which_tag_keys_may_be_given_or_taken(
    admin: Admin, refusal: Refusal
) -> None:
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]}}
    sqs, name = admin.client("sqs"), named()
    url = sqs.create_queue(QueueName=name, tags={"team": "red", "owner": "me"})["QueueUrl"]
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Condition": only}
    caller = admin.user(statement).client("sqs")
    caller.tag_queue(QueueUrl=url, Tags={"stage": "test"})
    assert refusal(caller.tag_queue, QueueUrl=url, Tags={"owner": "you"})[0] == "AccessDenied"
    caller.untag_queue(QueueUrl=url, TagKeys=["team"])
    assert refusal(caller.untag_queue, QueueUrl=url, TagKeys=["owner"])[0] == "AccessDenied"


def test_the_caller_s_own_tag_can_be_compared_with_that_of_the_thing(
    admin: Admin, refusal: Refusal
) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/tutorial_attribute-based-access-control.html
    same = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    caller = admin.user({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": same})
    mine, other = (key(admin.client("kms"), {"team": one}) for one in ("red", "blue"))
    assert refusal(mine, caller.client("kms"))[0] == "AccessDeniedException"
    admin.client("iam").tag_user(UserName=caller.name, Tags=listed({"team": "red"}))
    mine(caller.client("kms"))
    assert refusal(other, caller.client("kms"))[0] == "AccessDeniedException"

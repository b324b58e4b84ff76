"""Every request is judged by the policies that bind its signer."""

from __future__ import annotations

import itertools
from typing import Any

Admin = Any
Refusal = Any

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}

SCPS = [
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}},
        },
    },
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Deny", "Action": "sqs:PurgeQueue", "Resource": "*"},
    },
]
SCENARIO = {"scps": SCPS, "rates": "off"}
NUMBERS = itertools.count(1)


def test_policies_of_groups_and_attached_policies_count(admin: Admin, refusal: Refusal) -> None:
    iam = admin.client("iam")
    user = admin.user()
    group = f"group{next(NUMBERS)}"
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    iam.attach_group_policy(
        GroupName=group, PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess"
    )
    iam.attach_user_policy(
        UserName=user.name,
        PolicyArn=admin.policy({"Effect": "Allow", "Action": "sns:*", "Resource": "*"}),
    )
    user.client("sqs").list_queues()
    user.client("sns").list_topics()
    assert refusal(user.client("s3").list_buckets)[0] == "AccessDenied"


def test_scps_bind_users_but_not_the_admin_of_the_sandbox(admin: Admin, refusal: Refusal) -> None:
    user = admin.user(EVERYTHING)
    user.client("ec2").describe_vpcs()
    message = refusal(user.client("ec2", "eu-central-1").describe_vpcs)[2]
    assert "with an explicit deny in a service control policy" in message
    admin.client("ec2", "eu-central-1").describe_vpcs()


def test_a_boundary_limits_a_user_until_it_is_taken_away(admin: Admin, refusal: Refusal) -> None:
    only_sns = admin.policy({"Effect": "Allow", "Action": "sns:*", "Resource": "*"})
    user = admin.user(EVERYTHING, boundary=only_sns)
    iam = admin.client("iam")
    shown = iam.get_user(UserName=user.name)["User"]["PermissionsBoundary"]
    assert shown["PermissionsBoundaryArn"] == only_sns
    user.client("sns").list_topics()
    message = refusal(user.client("sqs").list_queues)[2]
    assert message.endswith("because no permissions boundary allows the sqs:ListQueues action")
    iam.delete_user_permissions_boundary(UserName=user.name)
    user.client("sqs").list_queues()
    iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=only_sns)
    assert refusal(user.client("sqs").list_queues)[0] == "AccessDenied"


def test_a_role_session_has_the_rights_of_its_role_and_session_policy(
    admin: Admin, refusal: Refusal
) -> None:
    role = admin.role({"Effect": "Allow", "Action": ["sqs:*", "sns:*"], "Resource": "*"})
    user = admin.user(EVERYTHING)

    session = user.assume(role)
    session.client("sqs").list_queues()
    code, _, message = refusal(session.client("s3").list_buckets)
    assert code == "AccessDenied"
    name = role.rpartition("/")[2]
    assert f"User: arn:aws:sts::{admin.sandbox.account}:assumed-role/{name}/test" in message
    only_sns = {"Effect": "Allow", "Action": "sns:*", "Resource": "*"}
    narrow = user.assume(role, Policy=admin.document(only_sns))
    narrow.client("sns").list_topics()
    assert "because no session policy allows" in refusal(narrow.client("sqs").list_queues)[2]


def test_assuming_a_role_needs_the_caller_allowed_or_named(admin: Admin, refusal: Refusal) -> None:
    user = admin.user()
    to_account = admin.role(trusts=f"arn:aws:iam::{admin.sandbox.account}:root")
    code, status, message = refusal(
        user.client("sts").assume_role, RoleArn=to_account, RoleSessionName="test"
    )
    assert (code, status) == ("AccessDenied", 403)
    assert message == (
        f"User: {user.arn} is not authorized to perform: sts:AssumeRole on resource: {to_account}"
    )
    by_name = admin.role(trusts=user.arn)
    user.client("sts").assume_role(RoleArn=by_name, RoleSessionName="test")


def test_a_policy_that_iam_could_not_read_is_refused(admin: Admin, refusal: Refusal) -> None:
    wrong = admin.document(
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Is": {"a": "b"}}}
    )
    iam, sts = admin.client("iam"), admin.user(EVERYTHING).client("sts")
    assert refusal(iam.create_policy, PolicyName="wrong", PolicyDocument=wrong)[0] == (
        "MalformedPolicyDocument"
    )
    token = refusal(sts.get_federation_token, Name="someone", Policy="{")
    assert token[0] == "MalformedPolicyDocument"


def test_a_federated_user_has_what_both_policies_allow(admin: Admin, refusal: Refusal) -> None:
    user = admin.user({"Effect": "Allow", "Action": ["sqs:*", "sts:*"], "Resource": "*"})
    both = admin.document({"Effect": "Allow", "Action": ["sqs:*", "sns:*"], "Resource": "*"})

    def federated(**policy: str) -> Any:
        keys = user.client("sts").get_federation_token(Name="guest", **policy)["Credentials"]
        return user.with_keys(keys)

    federated(Policy=both).client("sqs").list_queues()
    refused = refusal(federated(Policy=both).client("sns").list_topics)[2]
    assert refused.endswith("because no identity-based policy allows the sns:ListTopics action")
    assert "because no session policy" in refusal(federated().client("sqs").list_queues)[2]

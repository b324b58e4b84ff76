"""How each AWS service says no, and why; what EC2 encodes and STS decodes."""

from __future__ import annotations

import json
from typing import Any

import pytest

Admin = Any
Refusal = Any

SCENARIO = {
    "rates": "off",
    "scps": [
        [
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Deny", "Action": "sqs:PurgeQueue", "Resource": "*"},
            }
        ],
        [
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "NotAction": "ssm:*", "Resource": "*"},
            }
        ],
    ],
}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def test_a_user_without_policies_may_only_ask_who_he_is(admin: Admin, refusal: Refusal) -> None:
    user = admin.user()
    assert user.client("sts").get_caller_identity()["Arn"] == user.arn
    code, status, message = refusal(user.client("iam").list_roles)
    assert (code, status) == ("AccessDenied", 403)
    assert message == (
        f"User: {user.arn} is not authorized to perform: iam:ListRoles on resource: * "
        "because no identity-based policy allows the iam:ListRoles action"
    )


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "status"),
    [
        ("autoscaling", "describe_auto_scaling_groups", {}, "AccessDenied", 403),
        ("ec2", "describe_vpcs", {}, "UnauthorizedOperation", 403),
        ("ecr", "describe_repositories", {}, "AccessDeniedException", 400),
        ("eks", "list_clusters", {}, "AccessDeniedException", 403),
        ("elbv2", "describe_load_balancers", {}, "AccessDenied", 403),
        ("events", "list_rules", {}, "AccessDeniedException", 400),
        ("kms", "list_keys", {}, "AccessDeniedException", 400),
        ("logs", "describe_log_groups", {}, "AccessDeniedException", 400),
        ("resourcegroupstaggingapi", "get_resources", {}, "AccessDeniedException", 400),
        ("s3", "list_buckets", {}, "AccessDenied", 403),
        ("sns", "list_topics", {}, "AuthorizationError", 403),
        ("sqs", "list_queues", {}, "AccessDenied", 403),
    ],
)
def test_each_service_refuses_with_its_own_code(
    admin: Admin,
    refusal: Refusal,
    service: str,
    operation: str,
    parameters: dict[str, Any],
    code: str,
    status: int,
) -> None:
    user = admin.user()
    assert refusal(getattr(user.client(service), operation), **parameters)[:2] == (code, status)
    admin.client("iam").put_user_policy(
        UserName=user.name, PolicyName="all", PolicyDocument=admin.document(EVERYTHING)
    )
    getattr(user.client(service), operation)(**parameters)


def test_an_explicit_deny_is_named_as_one(admin: Admin, refusal: Refusal) -> None:
    deny = {"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}
    user = admin.user(EVERYTHING, deny)
    message = refusal(user.client("iam").list_users)[2]
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_an_encoded_denial_can_be_decoded_by_who_may(admin: Admin, refusal: Refusal) -> None:
    deny = {"Sid": "NoVpcs", "Effect": "Deny", "Action": "ec2:CreateVpc", "Resource": "*"}
    user = admin.user(EVERYTHING, deny)
    message = refusal(user.client("ec2").create_vpc, CidrBlock="10.3.0.0/16")[2]
    encoded = message.rpartition("Encoded authorization failure message: ")[2]
    sts = user.client("sts")
    decoded = json.loads(sts.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert decoded["explicitDeny"] is True
    assert decoded["context"]["action"] == "ec2:CreateVpc"
    assert decoded["context"]["principal"]["arn"] == user.arn
    assert decoded["matchedStatements"]["items"][0]["statementId"] == "NoVpcs"
    assert refusal(sts.decode_authorization_message, EncodedMessage="nonsense")[0] == (
        "InvalidAuthorizationMessageException"
    )
    stranger = admin.user().client("sts")
    assert refusal(stranger.decode_authorization_message, EncodedMessage=encoded)[0] == (
        "AccessDenied"
    )


def only(action: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*"}


def no(action: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": "*"}


# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
def test_every_kind_of_policy_is_named_when_it_denies(admin: Admin, refusal: Refusal) -> None:
    user = admin.user(EVERYTHING)
    anything = admin.role(EVERYTHING)
    queue = "http://sqs/111122223333/q"

    def purge(caller: Any) -> str:
        return str(refusal(caller.client("sqs").purge_queue, QueueUrl=queue)[2])

    def listed(caller: Any) -> str:
        return str(refusal(caller.client("eks").list_clusters)[2])

    explicit = "with an explicit deny in"
    silent = "allows the eks:ListClusters action"
    assert purge(user).endswith(f"{explicit} a service control policy")
    assert refusal(user.client("ssm").describe_parameters)[2].endswith(
        "because no service control policy allows the ssm:DescribeParameters action"
    )
    bounded = {one: admin.policy(*rows) for one, rows in {
        "explicit": (EVERYTHING, no("eks:*")), "implicit": (only("ec2:*"),)}.items()}  # fmt: skip
    assert listed(admin.user(EVERYTHING, boundary=bounded["explicit"])).endswith(
        f"{explicit} a permissions boundary"
    )
    assert listed(admin.user(EVERYTHING, boundary=bounded["implicit"])).endswith(
        f"because no permissions boundary {silent}"
    )
    narrow = admin.document(EVERYTHING, no("eks:*"))
    assert listed(user.assume(anything, Policy=narrow)).endswith(f"{explicit} a session policy")
    by_arn = [{"arn": bounded["implicit"]}]
    assert listed(user.assume(anything, PolicyArns=by_arn)).endswith(
        f"because no session policy {silent}"
    )
    assert listed(admin.user(EVERYTHING, no("eks:*"))).endswith(
        f"{explicit} an identity-based policy"
    )
    assert listed(admin.user()).endswith(f"because no identity-based policy {silent}")


def test_what_ec2_encodes_tells_resource_keys_and_every_statement_that_denied(
    admin: Admin, refusal: Refusal
) -> None:
    tagged = {"StringEquals": {"aws:RequestTag/team": "red"}}
    user = admin.user(
        {**only("ec2:*"), "Condition": tagged}, only("sts:DecodeAuthorizationMessage")
    )
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "team", "Value": "blue"}]}]
    create = user.client("ec2").create_vpc
    message = refusal(create, CidrBlock="10.0.0.0/16", TagSpecifications=tags)[2]
    encoded = message.rpartition(": ")[2]
    answer = user.client("sts").decode_authorization_message(EncodedMessage=encoded)
    decoded = json.loads(answer["DecodedMessage"])
    assert (decoded["allowed"], decoded["explicitDeny"]) == (False, False)
    assert decoded["matchedStatements"] == {"items": []}
    assert decoded["context"]["resource"] == "arn:aws:ec2:us-west-2:111122223333:vpc/*"
    keys = {
        one["key"]: [value["value"] for value in one["values"]["items"]]
        for one in decoded["context"]["conditions"]["items"]
    }
    assert keys["aws:requesttag/team"] == ["blue"]
    assert keys["aws:requestedregion"] == ["us-west-2"]

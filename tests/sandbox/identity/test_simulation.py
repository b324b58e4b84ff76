"""The policy simulator: what a principal, or a set of policies, may do."""

from __future__ import annotations

from typing import Any

import pytest

Admin = Any
Refusal = Any

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}

NO_PURGE = {"Effect": "Deny", "Action": "sqs:PurgeQueue", "Resource": "*"}
SCENARIO = {"scps": [{"Version": "2012-10-17", "Statement": NO_PURGE}], "rates": "off"}


def test_simulation_says_what_is_allowed_and_by_which_statement(admin: Admin) -> None:
    role = admin.role(
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "*"},
    )
    allowed, denied, nothing = admin.simulate(
        role, "ec2:CreateVpc", "ec2:DeleteVpc", "eks:ListClusters"
    )
    decisions = [one["EvalDecision"] for one in (allowed, denied, nothing)]
    assert decisions == ["allowed", "explicitDeny", "implicitDeny"]
    (statement,) = denied["MatchedStatements"]
    assert statement["SourcePolicyId"] == f"role_{role.rpartition('/')[2]}_inline"
    assert statement["SourcePolicyType"] == "role"
    text = admin.document(
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "*"},
    )
    start = text.index('{"Effect": "Deny"') + 1
    assert statement["StartPosition"] == {"Line": 1, "Column": start}
    assert allowed["EvalResourceName"] == "*"
    assert allowed["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}
    assert "PermissionsBoundaryDecisionDetail" not in allowed
    assert nothing["MatchedStatements"] == []


def test_simulation_agrees_with_enforcement(admin: Admin, refusal: Refusal) -> None:
    boundary = admin.policy({"Effect": "Allow", "NotAction": ["sns:*"], "Resource": "*"})
    user = admin.user(
        EVERYTHING,
        {"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"},
        boundary=boundary,
    )
    calls = {
        "iam:ListUsers": user.client("iam").list_users,
        "iam:ListRoles": user.client("iam").list_roles,
        "sns:ListTopics": user.client("sns").list_topics,
        "sqs:ListQueues": user.client("sqs").list_queues,
    }
    region = {
        "ContextKeyName": "aws:RequestedRegion",
        "ContextKeyValues": ["us-west-2"],
        "ContextKeyType": "string",
    }
    for result in admin.simulate(user.arn, *calls, ContextEntries=[region]):
        call = calls[result["EvalActionName"]]
        if result["EvalDecision"] == "allowed":
            call()
        else:
            assert refusal(call)[1] == 403


def test_simulation_reports_each_resource(admin: Admin) -> None:
    mine, other = "arn:aws:s3:::mine-x", "arn:aws:s3:::other-x"
    role = admin.role({"Effect": "Allow", "Action": "s3:*", "Resource": mine})
    (result,) = admin.simulate(role, "s3:ListBucket", ResourceArns=[mine, other])
    assert result["EvalDecision"] == "implicitDeny"
    assert result["EvalResourceName"] == "arn:${Partition}:s3:::${Id}"
    specific = {
        one["EvalResourceName"]: one["EvalResourceDecision"]
        for one in result["ResourceSpecificResults"]
    }
    assert specific == {mine: "allowed", other: "implicitDeny"}


def test_missing_context_keys_are_named_but_never_those_of_scps(admin: Admin) -> None:
    role = admin.role(
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:PassedToService": "eks.amazonaws.com"}},
        },
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"},
    )
    (result,) = admin.simulate(role, "iam:PassRole")
    assert result["EvalDecision"] == "implicitDeny"
    assert result["MissingContextValues"] == ["iam:PassedToService", "aws:username"]
    key = {
        "ContextKeyName": "IAM:passedtoservice",
        "ContextKeyValues": ["eks.amazonaws.com"],
        "ContextKeyType": "string",
    }
    (given,) = admin.simulate(role, "iam:PassRole", ContextEntries=[key])
    assert given["EvalDecision"] == "allowed"
    assert given["MissingContextValues"] == ["aws:username"]
    keys = admin.client("iam").get_context_keys_for_principal_policy(PolicySourceArn=role)
    assert keys["ContextKeyNames"] == ["iam:PassedToService", "aws:username"]


def test_simulation_pages_through_actions(admin: Admin) -> None:
    role = admin.role(EVERYTHING)
    actions = [f"ec2:Describe{number}" for number in range(7)]
    pages = (
        admin.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(PolicySourceArn=role, ActionNames=actions, PaginationConfig={"PageSize": 3})
    )
    found = [[one["EvalActionName"] for one in page["EvaluationResults"]] for page in pages]
    assert found == [actions[:3], actions[3:6], actions[6:]]


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:sts::{account}:assumed-role/role1/session", "InvalidInput"),
        ("arn:aws:iam::{account}:root", "InvalidInput"),
        ("arn:aws:iam::{account}:role/nobody", "NoSuchEntity"),
        ("arn:aws:iam::{account}:user/nobody", "NoSuchEntity"),
    ],
)
def test_simulation_refuses_who_it_does_not_know(
    admin: Admin, refusal: Refusal, arn: str, code: str
) -> None:
    arn = arn.format(account=admin.sandbox.account)
    refused = refusal(
        admin.client("iam").simulate_principal_policy,
        PolicySourceArn=arn,
        ActionNames=["ec2:RunInstances"],
    )
    assert refused[0] == code


def test_a_role_is_found_by_its_whole_arn_only(admin: Admin, refusal: Refusal) -> None:
    arn = admin.role(EVERYTHING, path="/team/")
    assert admin.simulate(arn, "ec2:RunInstances")[0]["EvalDecision"] == "allowed"
    refused = refusal(
        admin.client("iam").simulate_principal_policy,
        PolicySourceArn=arn.replace("/team/", "/"),
        ActionNames=["ec2:RunInstances"],
    )
    assert refused[0] == "NoSuchEntity"


def test_action_names_have_no_wildcards(admin: Admin, refusal: Refusal) -> None:
    refused = refusal(
        admin.client("iam").simulate_principal_policy,
        PolicySourceArn=admin.role(),
        ActionNames=["ec2:*"],
    )
    assert refused[0] == "InvalidInput"


def test_custom_policies_are_simulated_with_boundary_and_scp_levels(
    admin: Admin, refusal: Refusal
) -> None:
    iam = admin.client("iam")
    allow = admin.document(EVERYTHING)
    only_ec2 = admin.document({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})

    def decide(**more: Any) -> dict[str, Any]:
        answer = iam.simulate_custom_policy(
            PolicyInputList=[allow], ActionNames=["sqs:ListQueues"], **more
        )
        (result,) = answer["EvaluationResults"]
        return dict(result)

    plain = decide()
    assert plain["EvalDecision"] == "allowed"
    assert plain["MatchedStatements"][0]["SourcePolicyId"] == "PolicyInputList.1"
    bounded = decide(PermissionsBoundaryPolicyInputList=[only_ec2])
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    levels = [
        {"ServiceControlPolicyInputList": [allow]},
        {"ServiceControlPolicyInputList": [only_ec2]},
    ]
    governed = decide(OrderedOrganizationPolicyInputList=levels)
    assert governed["EvalDecision"] == "implicitDeny"
    assert governed["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    with_variable = admin.document(
        {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username}"}
    )
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[with_variable])
    assert keys["ContextKeyNames"] == ["aws:username"]
    refused = refusal(
        iam.simulate_custom_policy, PolicyInputList=["{"], ActionNames=["sqs:ListQueues"]
    )
    assert refused[0] == "InvalidInput"


def test_who_may_not_simulate_is_told_so(admin: Admin, refusal: Refusal) -> None:
    user = admin.user()
    code, _, message = refusal(
        user.client("iam").simulate_principal_policy,
        PolicySourceArn=user.arn,
        ActionNames=["ec2:RunInstances"],
    )
    assert code == "AccessDenied"
    assert f"iam:SimulatePrincipalPolicy on resource: {user.arn}" in message

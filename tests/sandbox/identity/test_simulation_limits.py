"""What the policy simulator does not look at, does not tell, and does not take: each as AWS has it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from typing import Any

import pytest

Admin = Any
Refusal = Any

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
HOME = {"StringNotEquals": {"aws:RequestedRegion": "us-west-2"}}
LOCK = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition": HOME},
        {"Effect": "Deny", "Action": "sqs:PurgeQueue", "Resource": "*"},
    ],
}
SCENARIO = {"rates": "off", "scps": [LOCK]}
IN_US_WEST_2 = {
    "ContextKeyName": "aws:RequestedRegion",
    "ContextKeyType": "string",
    "ContextKeyValues": ["us-west-2"],
}


def test_statements_of_scps_are_never_shown(admin: Admin) -> None:
    user = admin.user(EVERYTHING)
    (denied,) = admin.simulate(user.arn, "sqs:PurgeQueue", ContextEntries=[IN_US_WEST_2])
    assert denied["EvalDecision"] == "implicitDeny"
    assert denied["MatchedStatements"] == []
    assert denied["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}


def test_a_key_that_only_an_scp_asks_for_is_not_missed(admin: Admin) -> None:
    # The answer is wrong for whoever calls in us-west-2, and nothing says so:
    # https://github.com/aws/aws-cli/issues/10525
    user = admin.user(EVERYTHING)
    (wrong,) = admin.simulate(user.arn, "sqs:ListQueues")
    assert (wrong["EvalDecision"], wrong["MissingContextValues"]) == ("implicitDeny", [])
    (right,) = admin.simulate(user.arn, "sqs:ListQueues", ContextEntries=[IN_US_WEST_2])
    assert right["EvalDecision"] == "allowed"
    user.client("sqs").list_queues()


def test_keys_and_statements_of_a_boundary_are_not_shown_either(admin: Admin) -> None:
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    boundary = admin.policy(EVERYTHING, {**EVERYTHING, "Effect": "Deny", "Condition": mfa})
    user = admin.user(EVERYTHING, boundary=boundary)
    key = {**IN_US_WEST_2, "ContextKeyName": "aws:MultiFactorAuthPresent"}
    with_mfa = {**key, "ContextKeyType": "boolean", "ContextKeyValues": ["true"]}
    (denied,) = admin.simulate(user.arn, "iam:ListUsers", ContextEntries=[with_mfa])
    assert denied["EvalDecision"] == "explicitDeny"
    assert denied["MatchedStatements"] == []
    assert denied["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    (allowed,) = admin.simulate(user.arn, "iam:ListUsers")
    assert (allowed["EvalDecision"], allowed["MissingContextValues"]) == ("allowed", [])


def test_session_policies_are_no_part_of_it(admin: Admin, refusal: Refusal) -> None:
    role = admin.role(EVERYTHING)
    only_topics = admin.document({"Effect": "Allow", "Action": "sns:*", "Resource": "*"})
    session = admin.assume(role, Policy=only_topics)
    assert refusal(session.client("sqs").list_queues)[0] == "AccessDenied"
    (said,) = admin.simulate(role, "sqs:ListQueues", ContextEntries=[IN_US_WEST_2])
    assert said["EvalDecision"] == "allowed"


def test_trust_policies_are_no_part_of_it(admin: Admin, refusal: Refusal) -> None:
    # https://github.com/aws/aws-cli/issues/10314
    user = admin.user(EVERYTHING)
    closed = admin.role(trusts=f"arn:aws:iam::{admin.sandbox.account}:user/sandbox-admin")
    wanted = {"RoleArn": closed, "RoleSessionName": "me"}
    assert refusal(user.client("sts").assume_role, **wanted)[0] == "AccessDenied"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    for more in ({}, {"ResourcePolicy": admin.document(deny)}):
        (said,) = admin.simulate(
            user.arn,
            "sts:AssumeRole",
            ResourceArns=[closed],
            ContextEntries=[IN_US_WEST_2],
            **more,
        )
        assert said["EvalDecision"] == "allowed"


def test_resource_policies_count_for_users_and_not_for_roles(admin: Admin) -> None:
    bucket = "arn:aws:s3:::b"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": bucket}
    more = {
        "ResourceArns": [bucket],
        "ResourcePolicy": admin.document(deny),
        "ContextEntries": [IN_US_WEST_2],
    }
    (user,) = admin.simulate(admin.user(EVERYTHING).arn, "s3:ListBucket", **more)
    assert user["EvalDecision"] == "explicitDeny"
    (statement,) = user["MatchedStatements"]
    assert statement["SourcePolicyType"] == "resource"
    (role,) = admin.simulate(admin.role(EVERYTHING), "s3:ListBucket", **more)
    assert role["EvalDecision"] == "allowed"


def test_rcps_may_be_excluded_and_nothing_comes_of_it(admin: Admin) -> None:
    rcp = [{"PolicyType": "rcp"}, {"PolicyArn": "arn:aws:organizations::1:policy/o-1/rcp/p-1"}]
    (said,) = admin.simulate(
        admin.user(EVERYTHING).arn,
        "iam:ListUsers",
        PolicyExclusionList=rcp,
    )
    assert said["EvalDecision"] == "allowed"


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sts::{account}:assumed-role/role1/session",
        "arn:aws:sts::{account}:federated-user/bob",
        "arn:aws:iam::{account}:root",
    ],
)
def test_sessions_and_root_are_refused_as_source_and_as_caller(
    admin: Admin, refusal: Refusal, arn: str
) -> None:
    arn = arn.format(account=admin.sandbox.account)
    simulate = admin.client("iam").simulate_principal_policy
    given = {"ActionNames": ["iam:ListUsers"]}
    source = refusal(simulate, PolicySourceArn=arn, **given)
    assert source[0] == "InvalidInput"
    assert "does not clearly define entity type and name" in source[2]
    user = admin.user()
    assert refusal(simulate, PolicySourceArn=user.arn, CallerArn=arn, **given)[0] == "InvalidInput"


def test_a_custom_simulation_with_a_resource_policy_must_say_who_calls(
    admin: Admin, refusal: Refusal
) -> None:
    iam, bucket = admin.client("iam"), "arn:aws:s3:::b"
    alice = f"arn:aws:iam::{admin.sandbox.account}:user/alice"
    allow = {"Effect": "Allow", "Principal": {"AWS": alice}, "Action": "s3:*", "Resource": bucket}
    nothing = admin.document({"Effect": "Allow", "Action": "sns:*", "Resource": "*"})
    given = {
        "PolicyInputList": [nothing],
        "ActionNames": ["s3:ListBucket"],
        "ResourceArns": [bucket],
        "ResourcePolicy": admin.document(allow),
    }
    assert refusal(iam.simulate_custom_policy, **given)[0] == "InvalidInput"
    decisions = [
        iam.simulate_custom_policy(**given, CallerArn=caller)["EvaluationResults"][0][
            "EvalDecision"
        ]
        for caller in (alice, alice.replace("alice", "bob"))
    ]
    assert decisions == ["allowed", "implicitDeny"]


def test_across_accounts_the_details_say_what_each_policy_says(admin: Admin) -> None:
    iam, bucket = admin.client("iam"), "arn:aws:s3:::b"
    alice = f"arn:aws:iam::{admin.sandbox.account}:user/alice"
    allow = {"Effect": "Allow", "Principal": {"AWS": alice}, "Action": "s3:*", "Resource": bucket}
    given = {
        "ActionNames": ["s3:ListBucket"],
        "ResourcePolicy": admin.document(allow),
        "CallerArn": alice,
    }

    def simulate(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
        text = admin.document(*statements)
        answer = iam.simulate_custom_policy(PolicyInputList=[text], **given, **more)
        return dict(answer["EvaluationResults"][0])

    theirs = {"ResourceOwner": "arn:aws:iam::999999999999:root", "ResourceArns": [bucket]}
    both = simulate(EVERYTHING, **theirs)
    assert both["EvalDecision"] == "allowed"
    assert sorted(both["EvalDecisionDetails"].values()) == ["allowed", "allowed"]
    (specific,) = both["ResourceSpecificResults"]
    assert specific["EvalDecisionDetails"] == both["EvalDecisionDetails"]
    one = simulate({**EVERYTHING, "Action": "sns:*"}, **theirs)
    assert one["EvalDecision"] == "implicitDeny"
    assert sorted(one["EvalDecisionDetails"].values()) == ["allowed", "implicitDeny"]
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
    assert simulate(EVERYTHING, ResourceArns=[bucket])["EvalDecisionDetails"] == {}
    assert "EvalDecisionDetails" not in simulate(EVERYTHING)


def test_only_statements_that_made_the_decision_are_in_the_whole(admin: Admin) -> None:
    mine, other = "arn:aws:s3:::mine", "arn:aws:s3:::other"
    role = admin.role(
        {"Effect": "Allow", "Action": "s3:*", "Resource": mine},
        {"Effect": "Deny", "Action": "s3:*", "Resource": other},
    )
    (result,) = admin.simulate(
        role, "s3:ListBucket", ResourceArns=[mine, other], ContextEntries=[IN_US_WEST_2]
    )
    assert result["EvalDecision"] == "explicitDeny"
    assert len(result["MatchedStatements"]) == 1
    allowed, denied = result["ResourceSpecificResults"]
    assert denied["MatchedStatements"] == result["MatchedStatements"]
    assert allowed["MatchedStatements"] != denied["MatchedStatements"]
    assert allowed["EvalResourceDecision"] == "allowed"


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("boolean", "true", "yes"),
        ("date", "2026-01-01T00:00:00Z", "yesterday"),
        ("ip", "10.0.0.0/8", "somewhere"),
        ("numeric", "10", "ten"),
        ("numericList", "10", "ten"),
    ],
)
def test_context_values_are_of_the_type_they_are_said_to_be(
    admin: Admin, refusal: Refusal, kind: str, right: str, wrong: str
) -> None:
    def entry(value: str) -> list[dict[str, Any]]:
        return [{"ContextKeyName": "my:key", "ContextKeyType": kind, "ContextKeyValues": [value]}]

    arn = admin.user(EVERYTHING).arn
    admin.simulate(arn, "iam:ListUsers", ContextEntries=entry(right))
    refused = refusal(admin.simulate, arn, "iam:ListUsers", ContextEntries=entry(wrong))
    assert refused[0] == "InvalidInput"


def test_a_scenario_of_ec2_wants_all_its_resources(admin: Admin, refusal: Refusal) -> None:
    prefix = f"arn:aws:ec2:us-west-2:{admin.sandbox.account}:"
    kinds = ["instance", "image", "security-group", "network-interface", "subnet", "volume"]
    arns = [f"{prefix}{kind}/*" for kind in kinds]
    arn = admin.user(EVERYTHING).arn
    given = {"ResourceHandlingOption": "EC2-VPC-EBS-Subnet", "ContextEntries": [IN_US_WEST_2]}
    (result,) = admin.simulate(arn, "ec2:RunInstances", ResourceArns=arns, **given)
    assert result["EvalDecision"] == "allowed"
    refused = refusal(admin.simulate, arn, "ec2:RunInstances", ResourceArns=arns[:-1], **given)
    assert refused[0] == "InvalidInput"
    assert "volume" in refused[2]

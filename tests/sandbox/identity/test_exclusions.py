"""Simulations that leave policies out."""

from __future__ import annotations

from typing import Any

Admin = Any
Refusal = Any

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}

NO_PURGE = {"Effect": "Deny", "Action": "sqs:PurgeQueue", "Resource": "*"}
SCENARIO = {"scps": [{"Version": "2012-10-17", "Statement": NO_PURGE}], "rates": "off"}


def test_simulation_shows_scps_and_boundaries_and_can_leave_them_out(admin: Admin) -> None:
    boundary = admin.policy({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})
    user = admin.user(EVERYTHING, boundary=boundary)
    (by_scp,) = admin.simulate(user.arn, "sqs:PurgeQueue")
    assert by_scp["EvalDecision"] == "implicitDeny"
    assert by_scp["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    assert by_scp["MatchedStatements"] == []
    without_scp = [{"PolicyType": "scp"}]
    (by_boundary,) = admin.simulate(user.arn, "sqs:PurgeQueue", PolicyExclusionList=without_scp)
    assert by_boundary["EvalDecision"] == "implicitDeny"
    assert by_boundary["PermissionsBoundaryDecisionDetail"] == {
        "AllowedByPermissionsBoundary": False
    }
    assert "OrganizationsDecisionDetail" not in by_boundary
    without_both = [*without_scp, {"PolicyType": "permission-boundary"}]
    (free,) = admin.simulate(user.arn, "sqs:PurgeQueue", PolicyExclusionList=without_both)
    assert free["EvalDecision"] == "allowed"
    (no_policies,) = admin.simulate(
        user.arn, "ec2:RunInstances", PolicyExclusionList=[{"PolicyType": "inline"}]
    )
    assert no_policies["EvalDecision"] == "implicitDeny"


def test_a_single_policy_can_be_left_out_by_arn_or_name(admin: Admin, refusal: Refusal) -> None:
    user = admin.user({"Effect": "Allow", "Action": "sns:*", "Resource": "*"})
    arn = admin.policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})
    admin.client("iam").attach_user_policy(UserName=user.name, PolicyArn=arn)

    def decisions(*excluded: dict[str, Any]) -> list[str]:
        results = admin.simulate(
            user.arn, "sns:Publish", "kms:Decrypt", PolicyExclusionList=list(excluded)
        )
        return [one["EvalDecision"] for one in results]

    inline = {"PolicyName": "inline", "AttachmentType": "user", "AttachmentName": "user*"}
    assert decisions() == ["allowed", "allowed"]
    assert decisions({"PolicyArn": arn[:-1] + "?"}) == ["allowed", "implicitDeny"]
    assert decisions({"InlinePolicyIdentifier": inline}) == ["implicitDeny", "allowed"]
    refused = refusal(
        admin.client("iam").simulate_principal_policy,
        PolicySourceArn=user.arn,
        ActionNames=["sns:Publish"],
        PolicyExclusionList=[{"PolicyArn": "arn:aws:iam::*:policy/x"}],
    )
    assert refused[0] == "InvalidInput"

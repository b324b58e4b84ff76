"""The examples by which AWS's own pages explain how policies are evaluated: each names its page.

Pages without an address are below https://docs.aws.amazon.com/IAM/latest/UserGuide/.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from preflight.policy import Context, Decision, Layer, Outcome, Policy, Principal, Request, evaluate

ALLOWED, DENIED, SILENT = Outcome.ALLOWED, Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY
Statement = dict[str, Any]


def document(*statements: Statement) -> Policy:
    return Policy.parse({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: str | list[str], on: str | list[str] = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": on, **more}


def deny(actions: str | list[str], on: str | list[str] = "*", **more: Any) -> Statement:
    return {**allow(actions, on, **more), "Effect": "Deny"}


def ask(
    who: Principal,
    action: str,
    on: str = "*",
    keys: dict[str, Any] | None = None,
    *,
    identity: Iterable[Policy] = (),
    **policies: Any,
) -> Decision:
    request = Request(action=action, principal=who, resource=on, context=Context.of(keys or {}))
    return evaluate(request, identity=list(identity), **policies)


def user(name: str, account: str = "123456789012") -> Principal:
    return Principal(arn=f"arn:aws:iam::{account}:user/{name}")


# reference_policies_evaluation-logic_policy-eval-basics.html: a user, his own bucket, and logs
CARLOS = user("carlossalazar")
OWN = ["arn:aws:s3:::carlossalazar", "arn:aws:s3:::carlossalazar/*"]
CARLOS_HAS = document(
    allow(["s3:GetBucketLocation", "s3:ListAllMyBuckets"], "arn:aws:s3:::*"),
    allow("s3:*", OWN),
    deny("s3:*", "arn:aws:s3:::*log*"),
)
ON_HIS_BUCKET = document(allow("s3:*", OWN, Principal={"AWS": CARLOS.arn}))


@pytest.mark.parametrize(
    ("on", "resource", "identity", "outcome"),
    [
        ("arn:aws:s3:::carlossalazar-logs/file", None, [CARLOS_HAS], DENIED),
        ("arn:aws:s3:::carlossalazar/file", ON_HIS_BUCKET, [CARLOS_HAS], ALLOWED),
        # "If one of the policy types allows the request and the other doesn't": still allowed.
        ("arn:aws:s3:::carlossalazar/file", None, [CARLOS_HAS], ALLOWED),
        ("arn:aws:s3:::carlossalazar/file", ON_HIS_BUCKET, [], ALLOWED),
        ("arn:aws:s3:::somebody-else/file", ON_HIS_BUCKET, [CARLOS_HAS], SILENT),
    ],
)
def test_identity_and_resource_policies_add_up_within_an_account(
    on: str, resource: Policy | None, identity: list[Policy], outcome: Outcome
) -> None:
    # reference_policies_evaluation-logic_policy-eval-basics.html
    decision = ask(CARLOS, "s3:PutObject", on, identity=identity, resource=resource)
    assert decision.outcome is outcome


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("iam:GetUser", ALLOWED),
        ("iam:ListRoles", ALLOWED),
        ("iam:CreatePolicy", SILENT),
        ("iam:GetOrganizationsAccessReport", DENIED),
        ("iam:GenerateCredentialReport", DENIED),
    ],
)
def test_what_is_not_allowed_is_denied_and_what_is_denied_stays_so(
    action: str, outcome: Outcome
) -> None:
    # reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html
    reader = document(allow(["iam:Get*", "iam:List*"]), deny("iam:*Report"))
    more = document(allow("iam:GenerateCredentialReport"))
    assert ask(CARLOS, action, identity=[reader, more]).outcome is outcome


# reference_policies_evaluation-logic-cross-account.html: the bucket is in another account
FOREIGN = "222222222222"
DEVELOPER = user("carlossalazar", "111111111111")
DEVELOPER_HAS = document(
    allow("s3:ListAllMyBuckets"),
    allow("s3:*Object*", "arn:aws:s3:::Production/*"),
    deny("s3:*", ["arn:aws:s3:::*log*", "arn:aws:s3:::*log*/*"]),
)
ON_PRODUCTION = document(
    allow(
        ["s3:GetObject*", "s3:PutObject*", "s3:ReplicateObject", "s3:RestoreObject"],
        "arn:aws:s3:::Production/*",
        Principal={"AWS": DEVELOPER.arn},
    )
)


@pytest.mark.parametrize(
    ("action", "on", "resource", "outcome", "layer"),
    [
        ("s3:PutObject", "arn:aws:s3:::Production-logs/f", None, DENIED, Layer.IDENTITY),
        ("s3:PutObject", "arn:aws:s3:::Production/f", ON_PRODUCTION, ALLOWED, None),
        ("s3:DeleteObject", "arn:aws:s3:::Production/f", ON_PRODUCTION, SILENT, Layer.RESOURCE),
        ("s3:PutBucketPolicy", "arn:aws:s3:::Production", ON_PRODUCTION, SILENT, Layer.RESOURCE),
    ],
)
def test_across_accounts_both_must_allow(
    action: str, on: str, resource: Policy | None, outcome: Outcome, layer: Layer | None
) -> None:
    # reference_policies_evaluation-logic-cross-account.html
    decision = ask(
        DEVELOPER,
        action,
        on,
        identity=[DEVELOPER_HAS],
        resource=resource,
        resource_account=FOREIGN,
    )
    assert (decision.outcome, decision.layer) == (outcome, layer)


def test_across_accounts_a_resource_policy_is_not_enough() -> None:
    # reference_policies_evaluation-logic-cross-account.html
    decision = ask(
        DEVELOPER,
        "s3:PutObject",
        "arn:aws:s3:::Production/f",
        resource=ON_PRODUCTION,
        resource_account=FOREIGN,
    )
    assert (decision.outcome, decision.layer) == (SILENT, Layer.IDENTITY)


def test_a_boundary_limits_and_gives_nothing() -> None:
    # access_policies_boundaries.html: the first example
    shirley = user("ShirleyRodriguez")
    boundary = document(allow(["s3:*", "cloudwatch:*", "ec2:*"]))
    may_create = document(allow("iam:CreateUser"))
    denied = ask(shirley, "iam:CreateUser", identity=[may_create], boundary=boundary)
    assert (denied.outcome, denied.layer) == (SILENT, Layer.BOUNDARY)
    nothing = ask(shirley, "s3:ListAllMyBuckets", identity=[may_create], boundary=boundary)
    assert (nothing.outcome, nothing.layer) == (SILENT, Layer.IDENTITY)


# access_policies_boundaries.html#access_policies_boundaries-delegate: María, Zhang and Nikhil
COMPANY = "arn:aws:iam::123456789012:policy/XCompanyBoundaries"
NIKHIL_MAY_AT_MOST = document(
    allow(["s3:*", "cloudwatch:*", "ec2:*", "dynamodb:*"]),
    allow(["iam:ListUsers", "iam:GetAccountPasswordPolicy"]),
    allow(
        ["iam:*AccessKey*", "iam:ChangePassword", "iam:GetUser"],
        "arn:aws:iam::*:user/${aws:username}",
    ),
    deny("s3:*", ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"]),
    deny("ec2:*", "arn:aws:ec2:*:*:instance/i-1234567890abcdef0"),
)
ZHANG_MAY_AT_MOST = document(
    allow(
        ["iam:CreateUser", "iam:AttachUserPolicy", "iam:PutUserPermissionsBoundary"],
        Condition={"StringEquals": {"iam:PermissionsBoundary": COMPANY}},
    ),
    allow(["cloudwatch:*", "iam:ListUsers", "iam:SetDefaultPolicyVersion"]),
    deny("iam:SetDefaultPolicyVersion", COMPANY),
    deny("iam:DeleteUserPermissionsBoundary"),
)
ZHANG_HAS = document(
    allow("iam:*"),
    allow(["cloudwatch:GetDashboard", "cloudwatch:ListMetrics"]),
    allow("s3:ListBucket", "arn:aws:s3:::ZhangBucket"),
)


@pytest.mark.parametrize(
    ("action", "on", "keys", "outcome"),
    [
        ("iam:CreateUser", "*", {}, SILENT),
        ("iam:CreateUser", "*", {"iam:PermissionsBoundary": COMPANY}, ALLOWED),
        ("iam:CreateUser", "*", {"iam:PermissionsBoundary": f"{COMPANY}2"}, SILENT),
        ("iam:ListUsers", "*", {}, ALLOWED),
        ("iam:CreateRole", "*", {}, SILENT),
        ("iam:DeleteUserPermissionsBoundary", "*", {}, DENIED),
        ("iam:SetDefaultPolicyVersion", COMPANY, {}, DENIED),
        ("cloudwatch:GetDashboard", "*", {}, ALLOWED),
        ("cloudwatch:PutDashboard", "*", {}, SILENT),
        ("s3:ListBucket", "arn:aws:s3:::ZhangBucket", {}, SILENT),
    ],
)
def test_who_delegates_with_a_boundary_gives_no_more_than_that(
    action: str, on: str, keys: dict[str, Any], outcome: Outcome
) -> None:
    # access_policies_boundaries.html#access_policies_boundaries-delegate
    decision = ask(
        user("Zhang"), action, on, keys, identity=[ZHANG_HAS], boundary=ZHANG_MAY_AT_MOST
    )
    assert decision.outcome is outcome


NIKHIL = user("Nikhil")
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"
INSTANCE = "arn:aws:ec2:us-east-1:123456789012:instance/i-1234567890abcdef0"


@pytest.mark.parametrize(
    ("action", "on", "resource", "outcome"),
    [
        ("iam:ChangePassword", NIKHIL.arn, None, ALLOWED),
        ("iam:ChangePassword", user("Zhang").arn, None, SILENT),
        ("iam:CreateUser", "*", None, SILENT),
        ("s3:ListBucket", "arn:aws:s3:::other", None, ALLOWED),
        ("s3:ListBucket", "arn:aws:s3:::logs", None, DENIED),
        ("ec2:StartInstances", INSTANCE, "ec2:StartInstances", DENIED),
        ("secretsmanager:GetSecretValue", SECRET, "secretsmanager:GetSecretValue", ALLOWED),
        ("secretsmanager:GetSecretValue", SECRET, None, SILENT),
    ],
)
def test_a_resource_policy_that_names_a_user_passes_by_his_boundary_but_no_denial(
    action: str, on: str, resource: str | None, outcome: Outcome
) -> None:
    # access_policies_boundaries.html#access_policies_boundaries-delegate, task 4
    on_it = document(allow(resource, on, Principal={"AWS": NIKHIL.arn})) if resource else None
    decision = ask(
        NIKHIL,
        action,
        on,
        {"aws:username": "Nikhil"},
        identity=[document(allow("iam:*"), allow(["s3:Get*", "s3:List*"]))],
        boundary=NIKHIL_MAY_AT_MOST,
        resource=on_it,
    )
    assert decision.outcome is outcome


# reference_policies_evaluation-logic_policy-eval-denyallow.html: whom a resource policy names
ROLE_ARN = "arn:aws:iam::111122223333:role/examplerole"
SESSION_ARN = "arn:aws:sts::111122223333:assumed-role/examplerole/examplerolesessionname"
USER_ARN = "arn:aws:iam::111122223333:user/exampleuser"
FEDERATED_ARN = "arn:aws:sts::111122223333:federated-user/exampleuser"
ROLE = Principal(arn=ROLE_ARN, session_arn=SESSION_ARN)
USER = Principal(arn=USER_ARN)
FEDERATED = Principal(arn=USER_ARN, session_arn=FEDERATED_ARN)
NOTHING = document(allow("none:None"))


@pytest.mark.parametrize(
    ("who", "named", "policies", "allowed"),
    [
        (ROLE, ROLE_ARN, {}, True),
        (ROLE, ROLE_ARN, {"boundary": NOTHING}, False),
        (ROLE, ROLE_ARN, {"session": [NOTHING]}, False),
        (ROLE, SESSION_ARN, {"boundary": NOTHING, "session": [NOTHING]}, True),
        (USER, USER_ARN, {"boundary": NOTHING}, True),
        (FEDERATED, FEDERATED_ARN, {"boundary": NOTHING, "session": [NOTHING]}, True),
        (FEDERATED, USER_ARN, {"boundary": NOTHING, "session": [document(allow("*"))]}, False),
        (FEDERATED, USER_ARN, {"session": [NOTHING]}, False),
        (FEDERATED, USER_ARN, {"session": [document(allow("*"))]}, True),
    ],
)
def test_how_far_a_resource_policy_reaches_hangs_on_whom_it_names(
    who: Principal, named: str, policies: dict[str, Any], allowed: bool
) -> None:
    # reference_policies_evaluation-logic_policy-eval-denyallow.html
    resource = document(allow("s3:*", Principal={"AWS": named}))
    decision = ask(who, "s3:GetObject", "arn:aws:s3:::b/k", resource=resource, **policies)
    assert decision.allowed is allowed


@pytest.mark.parametrize("by_session", [True, False])
def test_a_session_policy_limits_what_the_resource_gives_the_role_and_not_the_session(
    by_session: bool,
) -> None:
    # access_policies.html#policies_session
    named = SESSION_ARN if by_session else ROLE_ARN
    resource = document(allow("s3:*", Principal={"AWS": named}))
    only_topics = [document(allow("sns:*"))]
    bucket, topic = "arn:aws:s3:::b", "arn:aws:sns:us-east-1:111122223333:t"
    asked = {"session": only_topics, "identity": [document(allow(["sns:*", "sqs:*"]))]}
    decision = ask(ROLE, "s3:ListBucket", bucket, resource=resource, **asked)
    assert decision.allowed is by_session
    assert ask(ROLE, "sns:Publish", topic, **asked).allowed
    assert ask(ROLE, "sqs:SendMessage", **asked).layer is Layer.SESSION


def test_root_has_everything_but_what_the_organization_takes() -> None:
    # access_policies.html#access_policies-root
    root = Principal(arn="arn:aws:iam::111122223333:root")
    assert ask(root, "s3:ListAllMyBuckets").allowed
    assert ask(root, "s3:ListAllMyBuckets", scps=[[document(allow("ec2:*"))]]).layer is Layer.SCP


# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
KEY = "arn:aws:kms:us-west-2:111122223333:key/k"
ACCOUNT = {"AWS": "arn:aws:iam::111122223333:root"}


@pytest.mark.parametrize(
    ("on_key", "identity", "layer"),
    [
        (document(allow("kms:*", Principal=ACCOUNT)), [document(allow("kms:*"))], None),
        (document(allow("kms:*", Principal=ACCOUNT)), [], Layer.IDENTITY),
        (document(allow("kms:*", Principal={"AWS": USER_ARN})), [], None),
        (
            document(allow("kms:*", Principal={"AWS": ROLE_ARN})),
            [document(allow("kms:*"))],
            Layer.RESOURCE,
        ),
    ],
)
def test_a_key_listens_to_iam_only_where_its_policy_lets_the_account_in(
    on_key: Policy, identity: list[Policy], layer: Layer | None
) -> None:
    decision = ask(
        USER, "kms:Decrypt", KEY, identity=identity, resource=on_key, resource_must_allow=True
    )
    assert decision.layer is layer


# reference_policies_condition-logic-multiple-context-keys-or-values.html
CONDITION = {
    "StringEquals": {"aws:PrincipalTag/department": ["finance", "hr", "legal"]},
    "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::222222222222:user/Ana*"},
}


@pytest.mark.parametrize(
    ("department", "name", "allowed"),
    [
        ("hr", "AnaSilva", True),
        ("legal", "Ana", True),
        ("sales", "AnaSilva", False),
        ("hr", "Bob", False),
    ],
)
def test_values_are_alternatives_and_keys_must_all_hold(
    department: str, name: str, allowed: bool
) -> None:
    # reference_policies_condition-logic-multiple-context-keys-or-values.html
    keys = {
        "aws:PrincipalTag/department": department,
        "aws:PrincipalArn": f"arn:aws:iam::222222222222:user/{name}",
    }
    policy = document(allow("s3:ListAllMyBuckets", Condition=CONDITION))
    assert ask(USER, "s3:ListAllMyBuckets", "*", keys, identity=[policy]).allowed is allowed


@pytest.mark.parametrize(
    ("qualifier", "given", "matches"),
    [
        ("ForAllValues", ["environment"], True),
        ("ForAllValues", ["environment", "webserver"], True),
        ("ForAllValues", ["environment", "owner"], False),
        ("ForAllValues", [], True),
        ("ForAnyValue", ["environment", "owner"], True),
        ("ForAnyValue", ["owner"], False),
        ("ForAnyValue", [], False),
    ],
)
def test_lists_of_values_are_compared_by_all_or_by_any(
    qualifier: str, given: list[str], matches: bool
) -> None:
    # reference_policies_condition-single-vs-multi-valued-context-keys.html
    wanted = {"aws:TagKeys": ["environment", "webserver"]}
    policy = document(allow("ec2:CreateTags", Condition={f"{qualifier}:StringEquals": wanted}))
    keys = {"aws:TagKeys": given}
    assert ask(USER, "ec2:CreateTags", "*", keys, identity=[policy]).allowed is matches

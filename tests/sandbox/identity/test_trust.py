"""Trust policies are judged as all policies are: principals, conditions, denials, versions."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

Admin = Any
Refusal = Any

SCENARIO = {"rates": "off", "account": {"organization": "o-a1b2c3d4e5"}}
NUMBERS = itertools.count(1)
MAY_ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}


def statement(principal: Any, effect: str = "Allow", **condition: Any) -> dict[str, Any]:
    made = {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole"}
    return made | ({"Condition": condition} if condition else {})


def is_let_in(admin: Admin, who: Any, *statements: dict[str, Any], **given: Any) -> bool:
    role = admin.role(trust=admin.document(*statements))
    try:
        who.assume(role, **given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


EVERYBODY = {"AWS": "*"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-otherother"}}, False),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-otherother"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}, False),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"StringLike": {"sts:RoleSessionName": "${aws:username}"}}, False),
        ({"StringLike": {"sts:RoleSessionName": "te?t"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-west-2"]}}, True),
        ({"Null": {"sts:ExternalId": "true"}}, True),
        ({"Null": {"aws:SourceVpce": "false"}}, False),
        ({"NumericLessThan": {"aws:EpochTime": "10"}}, False),
    ],
)
def test_every_condition_counts(admin: Admin, condition: dict[str, Any], expected: bool) -> None:
    assert is_let_in(admin, admin.user(MAY_ASSUME), statement(EVERYBODY, **condition)) is expected


@pytest.mark.parametrize(
    ("wanted", "given", "expected"),
    [
        ({"StringEquals": {"sts:ExternalId": "a"}}, {"ExternalId": "aa"}, False),
        ({"StringEquals": {"sts:ExternalId": ["aa", "bb"]}}, {"ExternalId": "bb"}, True),
        ({"StringEquals": {"sts:ExternalId": "aa"}}, {}, False),
        ({"StringEqualsIfExists": {"sts:ExternalId": "aa"}}, {}, True),
        ({"StringEqualsIgnoreCase": {"sts:ExternalId": "AA"}}, {"ExternalId": "aa"}, True),
        ({"StringLike": {"STS:externalid": "a*"}}, {"ExternalId": "ab"}, True),
        ({"StringNotEquals": {"sts:ExternalId": "aa"}}, {"ExternalId": "aa"}, False),
    ],
)
def test_the_external_id_is_compared_as_the_policy_says(
    admin: Admin, wanted: dict[str, Any], given: dict[str, Any], expected: bool
) -> None:
    user = admin.user(MAY_ASSUME)
    assert is_let_in(admin, user, statement(EVERYBODY, **wanted), **given) is expected


def test_a_denial_in_the_trust_policy_wins(admin: Admin) -> None:
    user = admin.user(MAY_ASSUME)
    everybody = statement(EVERYBODY)
    assert is_let_in(admin, user, everybody)
    assert not is_let_in(admin, user, everybody, statement({"AWS": user.arn}, "Deny"))
    without_id = statement(EVERYBODY, "Deny", Null={"sts:ExternalId": "true"})
    assert not is_let_in(admin, user, everybody, without_id)
    assert is_let_in(admin, user, everybody, without_id, ExternalId="aa")


def test_not_principal_denies_everybody_but_who_is_listed_with_his_account(admin: Admin) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    spared, other = admin.user(MAY_ASSUME), admin.user(MAY_ASSUME)
    root = f"arn:aws:iam::{admin.sandbox.account}:root"
    but = {
        "Effect": "Deny",
        "NotPrincipal": {"AWS": [spared.arn, root]},
        "Action": "sts:AssumeRole",
    }
    assert is_let_in(admin, spared, statement(EVERYBODY), but)
    assert not is_let_in(admin, other, statement(EVERYBODY), but)


def test_actions_of_a_trust_policy_can_be_left_out_or_have_wildcards(admin: Admin) -> None:
    user = admin.user(MAY_ASSUME)
    plain = statement(EVERYBODY)
    assert is_let_in(admin, user, {**plain, "Action": "sts:Assume*"})
    assert not is_let_in(admin, user, {**plain, "Action": "sts:AssumeRoleWithSAML"})
    rest = {key: value for key, value in plain.items() if key != "Action"}
    assert is_let_in(admin, user, {**rest, "NotAction": "sts:TagSession"})
    assert not is_let_in(admin, user, {**rest, "NotAction": "sts:AssumeRole"})


def test_services_and_identity_providers_are_not_users(admin: Admin) -> None:
    user = admin.user(MAY_ASSUME)
    assert not is_let_in(admin, user, statement({"Service": "eks.amazonaws.com"}))
    assert not is_let_in(admin, user, statement({"Federated": user.arn}))
    both = statement({"Service": "eks.amazonaws.com", "AWS": user.arn})
    assert is_let_in(admin, user, both)


@pytest.mark.parametrize("version", [None, "2008-10-17", "2012-10-17"])
def test_variables_mean_nothing_in_a_policy_without_the_newer_version(
    admin: Admin, version: str | None
) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
    user = admin.user(MAY_ASSUME)
    condition = {"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}
    rows = [statement(EVERYBODY, **condition)]
    trust = json.dumps({"Statement": rows} | ({"Version": version} if version else {}))
    role = admin.role(trust=trust)
    attempt = user.client("sts").assume_role
    if version == "2012-10-17":
        attempt(RoleArn=role, RoleSessionName=user.name)
        return
    with pytest.raises(Exception, match="AccessDenied"):
        attempt(RoleArn=role, RoleSessionName=user.name)


def test_a_variable_without_a_value_takes_its_default(admin: Admin) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    user = admin.user(MAY_ASSUME)
    team = {"StringEquals": {"sts:RoleSessionName": "${aws:PrincipalTag/team, 'test'}"}}
    assert is_let_in(admin, user, statement(EVERYBODY, **team))
    admin.client("iam").tag_user(UserName=user.name, Tags=[{"Key": "team", "Value": "red"}])
    assert not is_let_in(admin, user, statement(EVERYBODY, **team))
    assert is_let_in(admin, user, statement(EVERYBODY, **team), session="red")


def test_the_admin_of_the_sandbox_is_bound_by_trust_policies_alone(
    admin: Admin, refusal: Refusal
) -> None:
    role = admin.role(trusts=admin.user().arn)
    refused = refusal(admin.client("sts").assume_role, RoleArn=role, RoleSessionName="me")
    assert refused[0] == "AccessDenied"
    admin.client("iam").get_role(RoleName=role.rpartition("/")[2])


def test_another_account_is_somebody_else(admin: Admin) -> None:
    user = admin.user(MAY_ASSUME)
    assert not is_let_in(admin, user, statement({"AWS": "999999999999"}))
    assert is_let_in(admin, user, statement({"AWS": admin.sandbox.account}))

"""Who may call: each kind of caller runs a command, and reads who he is and what that is worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from preflight.sandbox.server import Sandbox

ACCOUNT = "111122223333"
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ROOT_KEY = ("AKIAROOTROOTROOTROOT", "the-root-user-s-secret-key")
ALICE_KEY = ("AKIAALICEALICEALICE1", "alice-s-secret-key")
SSO = "AWSReservedSSO_Admin_0123456789abcdef"
CHECK = ("check", "dev", "--region", "us-west-2", "--instance-types", "m7i.large")


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


TRUST = document(
    {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
)


def role(name: str, path: str) -> dict[str, Any]:
    return {"role": name, "path": path, "trust": TRUST, "policies": [document(ANYTHING)]}


ALICE = {
    "user": "alice",
    "path": "/teams/ml/",
    "access_key": list(ALICE_KEY),
    "policies": [document(ANYTHING)],
}
Be = Callable[..., None]


@pytest.fixture
def be(monkeypatch: pytest.MonkeyPatch) -> Be:
    """Put the keys of a caller into the environment."""

    def become(key: str, secret: str, token: str = "") -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        if token:
            monkeypatch.setenv("AWS_SESSION_TOKEN", token)

    return become


def assume(be: Be, name: str, path: str) -> None:
    granted = (
        boto3.Session()
        .client("sts", region_name="us-west-2")
        .assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role{path}{name}", RoleSessionName="me@example.com"
        )["Credentials"]
    )
    be(granted["AccessKeyId"], granted["SecretAccessKey"], granted["SessionToken"])


def found(ran: Any) -> dict[tuple[str, str], dict[str, Any]]:
    report = json.loads(ran.out)
    return {(one["check"], one["subject"]): one for one in report["findings"]}


def scenario(*principals: dict[str, Any], **more: Any) -> dict[str, Any]:
    account = {"id": ACCOUNT, "region": "us-west-2", **more.pop("account", {})}
    return {"account": account, "rates": "off", "principals": list(principals), **more}


def test_a_user_is_named_without_the_path(preflight: Any, sandbox: Sandbox, be: Be) -> None:
    sandbox.reset(scenario(ALICE))
    be(*ALICE_KEY)

    ran = preflight(*CHECK, "-o", "json")

    told = found(ran)
    assert told["identity", "caller"]["message"] == (
        f"the IAM user alice calls, in account {ACCOUNT}"
    )
    assert told["sts-regional-endpoint", "us-west-2"]["status"] == "pass"
    assert told["permissions", "ec2"]["status"] == "pass"


@pytest.mark.parametrize(
    ("name", "path", "words"),
    [
        ("builder", "/vendor/eks/", "a session of the role builder"),
        (SSO, "/aws-reserved/sso.amazonaws.com/", f"IAM Identity Center role {SSO}"),
        (SSO, "/aws-reserved/sso.amazonaws.com/eu-west-1/", f"IAM Identity Center role {SSO}"),
    ],
)
def test_a_session_of_a_role_is_simulated_as_the_role_with_its_path(
    preflight: Any, sandbox: Sandbox, be: Be, name: str, path: str, words: str
) -> None:
    denied = {"Effect": "Deny", "Action": "kms:CreateKey", "Resource": "*"}
    closed = {**role(name, path), "policies": [document(ANYTHING, denied)]}
    sandbox.reset(scenario(closed))
    assume(be, name, path)

    ran = preflight(*CHECK, "-o", "json")

    told = found(ran)
    assert words in told["identity", "caller"]["message"]
    message = told["permissions", "kms:CreateKey"]["message"]
    assert f"arn:aws:iam::{ACCOUNT}:role{path}{name} may not do kms:CreateKey" in message
    # Nothing tells a session whether STS is active; the way to find out is named.
    assert told["sts-regional-endpoint", "us-west-2"]["status"] == "unknown"
    assert "--role-arn" in told["sts-regional-endpoint", "us-west-2"]["hint"]
    assert ran.code == 3


def test_a_federated_user_is_named_and_nothing_is_passed_for_him(
    preflight: Any, sandbox: Sandbox, be: Be
) -> None:
    sandbox.reset(scenario(ALICE))
    be(*ALICE_KEY)
    granted = (
        boto3.Session()
        .client("sts", region_name="us-west-2")
        .get_federation_token(Name="bob", Policy=json.dumps(document(ANYTHING)))["Credentials"]
    )
    be(granted["AccessKeyId"], granted["SecretAccessKey"], granted["SessionToken"])

    ran = preflight(*CHECK, "-o", "json")

    told = found(ran)
    assert "the federated user bob calls" in told["identity", "caller"]["message"]
    simulation = told["permissions", "simulation"]
    assert simulation["status"] == "unknown"
    assert "the federated user bob cannot be simulated" in simulation["message"]
    assert "--role-arn" in simulation["hint"]
    assert not [
        key for key, one in told.items() if key[0] == "permissions" and one["status"] == "pass"
    ]


SCP = document(ANYTHING, {"Effect": "Deny", "Action": "eks:CreateCluster", "Resource": "*"})


@pytest.mark.parametrize(
    ("account", "scps", "status", "words"),
    [
        ({}, [], "pass", "is in no organization"),
        (
            {"organization": "o-0123456789", "management": ACCOUNT},
            [SCP],
            "pass",
            "manages its organization",
        ),
        ({"organization": "o-0123456789"}, [SCP], "unknown", "member of the organization o-012"),
        ({}, [SCP], "unknown", "not known whether SCPs bind the root user"),
    ],
    ids=["alone", "management", "member", "member-unnamed"],
)
def test_scps_bind_the_root_user_of_a_member_account_and_no_other(
    preflight: Any,
    sandbox: Sandbox,
    be: Be,
    account: dict[str, Any],
    scps: list[dict[str, Any]],
    status: str,
    words: str,
) -> None:
    sandbox.reset(scenario(account={**account, "root_key": list(ROOT_KEY)}, scps=scps))
    be(*ROOT_KEY)

    ran = preflight(*CHECK, "-o", "json")

    told = found(ran)
    assert told["identity", "caller"]["status"] == "warn"
    assert f"the root user calls, in account {ACCOUNT}" in told["identity", "caller"]["message"]
    bound = told["permissions", "service control policies"]
    assert bound["status"] == status
    assert words in bound["message"]
    assert ran.code == 3  # a new account has too few VPCs free, whoever asks


def test_a_root_user_who_may_not_ask_about_the_organization_is_not_known(
    preflight: Any, sandbox: Sandbox, be: Be
) -> None:
    denied = {"action": "organizations:DescribeOrganization", "error": "AccessDeniedException"}
    sandbox.reset(scenario(account={"root_key": list(ROOT_KEY)}, faults=[denied]))
    be(*ROOT_KEY)

    bound = found(preflight(*CHECK, "-o", "json"))["permissions", "service control policies"]

    assert bound["status"] == "unknown"
    assert bound["data"]["missing_action"] == "organizations:DescribeOrganization"


def test_an_expired_session_says_that_it_has_ended(
    preflight: Any, sandbox: Sandbox, be: Be
) -> None:
    sandbox.reset(scenario(role("builder", "/")))
    assume(be, "builder", "/")
    sessions = sandbox.world.sessions
    for key, session in sessions.items():
        sessions[key] = replace(session, expires=0.0)

    ran = preflight(*CHECK)

    assert ran.code == 4
    assert "[ExpiredToken]" in ran.message()
    assert "hint: the session has ended: `aws sso login`, or assume the role again" in ran.err


def test_a_clock_that_is_off_is_told_as_such(preflight: Any, sandbox: Sandbox) -> None:
    skewed = {"action": "sts:GetCallerIdentity", "error": "RequestTimeTooSkewed", "status": 403}
    sandbox.reset(scenario(faults=[skewed]))

    ran = preflight(*CHECK)

    assert ran.code == 4
    assert "[RequestTimeTooSkewed]" in ran.message()
    assert "hint: set the clock of this machine" in ran.err


def test_credentials_of_another_partition_than_the_region_s_fail(
    preflight: Any, sandbox: Sandbox
) -> None:
    sandbox.reset(scenario())

    ran = preflight("check", "dev", "--region", "cn-north-1", "-o", "json")

    told = found(ran)["identity", "partition of the caller"]
    assert (ran.code, told["status"]) == (3, "fail")
    assert told["message"] == ("the caller is of the partition aws, and cn-north-1 is of aws-cn")
    assert told["hint"] == "choose a Region of aws, or credentials of aws-cn"


def test_keys_that_the_other_partition_does_not_know_say_so(
    preflight: Any, sandbox: Sandbox
) -> None:
    unknown = {"action": "sts:*", "error": "InvalidClientTokenId", "status": 403}
    sandbox.reset(scenario(faults=[unknown]))

    ran = preflight("check", "dev", "--region", "cn-north-1")

    assert ran.code == 4
    assert "they belong to another partition" in ran.err


def test_another_account_than_asked_for_closes_the_gate_and_is_not_built_in(
    preflight: Any, sandbox: Sandbox, changed: Callable[[], list[str]]
) -> None:
    sandbox.reset(scenario())

    checked = preflight(*CHECK, "--account", "999988887777", "-o", "json")
    built = preflight("provision", *CHECK[1:], "--account", "999988887777", "--yes")

    told = found(checked)["identity", "account"]
    assert (checked.code, told["status"]) == (3, "fail")
    assert told["message"] == f"the account is {ACCOUNT}, and 999988887777 was asked for"
    assert "--profile NAME" in told["hint"]
    assert built.code == 7
    assert built.message() == f"these credentials belong to account {ACCOUNT}, not 999988887777"
    assert changed() == []

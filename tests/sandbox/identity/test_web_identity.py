"""Roles for pods by way of the issuer of their cluster's tokens."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

Admin = Any
Refusal = Any

ISSUER = "oidc.eks.us-west-2.amazonaws.com/id/EXAMPLE"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
POD = "system:serviceaccount:team:app"


def token(**claims: Any) -> str:
    """Write a token as Kubernetes does, without a signature."""
    given = {"iss": f"https://{ISSUER}", "aud": ["sts.amazonaws.com"], "sub": POD} | claims
    parts = ({"alg": "none"}, given)
    coded = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in parts]
    return ".".join([*(one.rstrip("=") for one in coded), "signature"])


@pytest.fixture(scope="module")
def role(admin: Admin) -> str:
    admin.client("iam").create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"]
    )
    # https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
    wanted = {f"{ISSUER}:sub": POD, f"{ISSUER}:aud": "sts.amazonaws.com"}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": wanted},
    }
    return str(admin.role(trust=admin.document(statement)))


def test_a_pod_becomes_the_role_without_a_signature(admin: Admin, role: str) -> None:
    answer = admin.client("sts").assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="pod", WebIdentityToken=token()
    )
    who = admin.with_keys(answer["Credentials"]).client("sts").get_caller_identity()
    assert who["Arn"].endswith(f"assumed-role/{role.rpartition('/')[2]}/pod")
    assert answer["SubjectFromWebIdentityToken"] == POD
    assert answer["Provider"] == PROVIDER


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "system:serviceaccount:team:other"}, "AccessDenied"),
        ({"aud": ["somebody"]}, "InvalidIdentityToken"),
        ({"iss": "https://oidc.eks.us-west-2.amazonaws.com/id/OTHER"}, "InvalidIdentityToken"),
        ({"exp": time.time() - 60}, "ExpiredTokenException"),
    ],
)
def test_a_token_that_says_something_else_is_refused(
    admin: Admin, refusal: Refusal, role: str, claims: dict[str, Any], code: str
) -> None:
    attempt = admin.client("sts").assume_role_with_web_identity
    refused = refusal(
        attempt, RoleArn=role, RoleSessionName="pod", WebIdentityToken=token(**claims)
    )
    assert refused[0] == code


def test_what_is_no_token_is_refused(admin: Admin, refusal: Refusal, role: str) -> None:
    attempt = admin.client("sts").assume_role_with_web_identity
    refused = refusal(attempt, RoleArn=role, RoleSessionName="pod", WebIdentityToken="x.y.z1")
    assert refused[0] == "InvalidIdentityToken"


def test_nobody_becomes_a_pod_by_calling_assume_role(
    admin: Admin, refusal: Refusal, role: str
) -> None:
    user = admin.user({"Effect": "Allow", "Action": "*", "Resource": "*"}).client("sts")
    assert refusal(user.assume_role, RoleArn=role, RoleSessionName="me")[0] == "AccessDenied"

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

Client = Any
ARN = "arn:aws:iam::111122223333:role/"


def trust(principal: str, **condition: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
    }
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


ROLES = [
    {
        "role": "plain",
        "trust": trust("arn:aws:iam::111122223333:root"),
        "policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    },
    {"role": "mine", "trust": trust("arn:aws:iam::111122223333:user/sandbox-admin")},
    {"role": "theirs", "trust": trust("arn:aws:iam::111122223333:user/somebody")},
    {"role": "vendor", "trust": trust("999999999999")},
    {
        "role": "external",
        "trust": trust("111122223333", StringEquals={"sts:ExternalId": "right"}),
    },
    {"role": "odd", "trust": trust("*", Bool={"aws:MultiFactorAuthPresent": "true"})},
]


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_role_session_is_who_aws_says_it_is(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset({"principals": ROLES})
    answer = client("sts").assume_role(RoleArn=f"{ARN}plain", RoleSessionName="me")
    session = client("sts", credentials=answer["Credentials"]).get_caller_identity()
    assert session["Arn"] == "arn:aws:sts::111122223333:assumed-role/plain/me"
    assert session["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    role = client("iam").get_role(RoleName="plain")["Role"]
    assert session["UserId"] == f"{role['RoleId']}:me"
    assert client("ec2", credentials=answer["Credentials"]).describe_regions()["Regions"]


@pytest.mark.parametrize(
    ("role", "external_id", "is_let_in"),
    [
        ("plain", None, True),
        ("plain", "whatever", True),
        ("mine", None, True),
        ("theirs", None, False),
        ("vendor", None, False),
        ("external", "right", True),
        ("external", "wrong", False),
        ("external", None, False),
        ("odd", None, False),
        ("missing", None, False),
    ],
)
def test_the_trust_policy_decides(
    sandbox: Sandbox, client: Client, role: str, external_id: str | None, is_let_in: bool
) -> None:
    sandbox.reset({"principals": ROLES})
    parameters = {"RoleArn": ARN + role, "RoleSessionName": "me"}
    if external_id is not None:
        parameters["ExternalId"] = external_id
    if is_let_in:
        assert client("sts").assume_role(**parameters)["Credentials"]
        return
    with pytest.raises(ClientError) as error:
        client("sts").assume_role(**parameters)
    assert code(error) == "AccessDenied"
    assert f"perform: sts:AssumeRole on resource: {ARN}{role}" in str(error.value)


def test_a_deactivated_region_makes_no_credentials_but_tells_who_calls(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.reset({"principals": ROLES, "regions": {"eu-west-2": {"sts": "deactivated"}}})
    there = client("sts", region="eu-west-2")
    attempts = [
        lambda: there.assume_role(RoleArn=f"{ARN}plain", RoleSessionName="me"),
        there.get_session_token,
        lambda: there.get_federation_token(Name="bob"),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError) as error:
            attempt()
        assert code(error) == "RegionDisabledException"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert "STS is not activated in this region" in str(error.value)
    assert there.get_caller_identity()["Account"] == "111122223333"
    assert client("sts").assume_role(RoleArn=f"{ARN}plain", RoleSessionName="me")


def test_a_session_is_refused_when_it_has_expired(sandbox: Sandbox, client: Client) -> None:
    credentials = client("sts").get_session_token()["Credentials"]
    assert client("sts", credentials=credentials).get_caller_identity()
    key = credentials["AccessKeyId"]
    sessions = sandbox.world.sessions
    sessions[key] = replace(sessions[key], expires=time.time() - 1)
    for service, expected in (("sts", "ExpiredToken"), ("ec2", "RequestExpired")):
        method = "get_caller_identity" if service == "sts" else "describe_vpcs"
        with pytest.raises(ClientError) as error:
            getattr(client(service, credentials=credentials), method)()
        assert code(error) == expected


def test_a_session_key_without_its_token_is_unknown(client: Client) -> None:
    credentials = client("sts").get_session_token()["Credentials"]
    for token in ("", "forged"):
        with pytest.raises(ClientError) as error:
            client("sts", credentials={**credentials, "SessionToken": token}).get_caller_identity()
        assert code(error) == "InvalidClientTokenId"


def test_session_credentials_cannot_ask_for_a_session_token(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.reset({"principals": ROLES})
    answer = client("sts").assume_role(RoleArn=f"{ARN}plain", RoleSessionName="me")
    with pytest.raises(ClientError) as error:
        client("sts", credentials=answer["Credentials"]).get_session_token()
    assert code(error) == "AccessDenied"


def test_a_session_longer_than_the_role_allows_is_refused(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset({"principals": ROLES})
    with pytest.raises(ClientError) as error:
        client("sts").assume_role(RoleArn=f"{ARN}plain", RoleSessionName="me", DurationSeconds=7200)
    assert code(error) == "ValidationError"


def test_regions_that_are_not_opted_in_do_not_know_the_keys(
    sandbox: Sandbox, client: Client
) -> None:
    calls = [
        ("ec2", "describe_vpcs", "AuthFailure"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("eks", "list_clusters", "UnrecognizedClientException"),
    ]
    for service, method, expected in calls:
        with pytest.raises(ClientError) as error:
            getattr(client(service, region="af-south-1"), method)()
        assert code(error) == expected
    sandbox.reset({"regions": {"af-south-1": {"opt_in": "opted-in"}}})
    assert client("sts", region="af-south-1").get_caller_identity()


def test_both_apis_tell_which_regions_are_enabled(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset({"regions": {"af-south-1": {"opt_in": "opted-in"}}})
    ec2, account = client("ec2"), client("account", region="us-east-1")
    enabled = {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
    assert len(enabled) == 18
    everything = ec2.describe_regions(AllRegions=True)["Regions"]
    status = {region["RegionName"]: region["OptInStatus"] for region in everything}
    assert status["af-south-1"] == "opted-in"
    assert status["me-south-1"] == "not-opted-in"
    assert status["us-west-2"] == "opt-in-not-required"
    told = account.list_regions(RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"])
    assert {region["RegionName"] for region in told["Regions"]} == enabled
    assert account.get_region_opt_status(RegionName="me-south-1")["RegionOptStatus"] == "DISABLED"

"""The regional endpoint of STS: what is proven, what is only not known."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import boto3
import pytest

from checks.sts import sts
from preflight.aws import Aws
from preflight.errors import AccessDenied, AwsError, RegionDisabled, Throttled, Unreachable
from preflight.finding import Status

ROLE = "arn:aws:iam::111122223333:role/builder"
OFF = {"us-west-2": {"sts": "deactivated"}}
SECRET = "an-external-id-nobody-may-see"


def test_a_user_gets_a_session_where_sts_is_active(bench: Any) -> None:
    found = bench.ask(sts, bench.context())["us-west-2"]

    assert (found.status, found.data["probe"]) == (Status.PASS, "GetSessionToken")


def test_a_role_is_assumed_by_whoever_started(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder")])
    caller = bench.aws()
    context = bench.context(caller.assume(ROLE), caller, role_arn=ROLE)

    found = bench.ask(sts, context)["us-west-2"]

    assert (found.status, found.data["probe"]) == (Status.PASS, "AssumeRole")


@pytest.mark.parametrize("role_arn", [None, ROLE])
def test_sts_that_is_off_fails_with_where_to_activate_it_and_why(
    bench: Any, role_arn: str | None
) -> None:
    bench.begin(principals=[bench.role("builder")], regions=OFF)

    found = bench.ask(sts, bench.context(role_arn=role_arn))["us-west-2"]

    assert found.status is Status.FAIL
    assert "kubelet" in found.message
    assert "account_settings" in found.hint


def test_a_session_with_nothing_to_assume_is_unknown_even_where_sts_is_off(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder")])
    session = bench.aws().assume(ROLE)
    context = bench.context(session)
    bench.sandbox.world.scenario["regions"] = OFF

    found = bench.ask(sts, context)["us-west-2"]

    assert found.status is Status.UNKNOWN
    assert "--role-arn" in found.hint


def _session(bench: Any) -> Aws:
    """Start as a role of the account, whose session can ask for no other."""
    arn = ROLE.replace("builder", "starter")
    made = bench.aws().call("sts", "AssumeRole", RoleArn=arn, RoleSessionName="start")
    granted = made["Credentials"]
    session = boto3.Session(
        aws_access_key_id=granted["AccessKeyId"],
        aws_secret_access_key=granted["SecretAccessKey"],
        aws_session_token=granted["SessionToken"],
    )
    return Aws("us-west-2", session=session)


def _untrusting(bench: Any) -> dict[str, Any]:
    stranger = {"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "sts:AssumeRole"}
    return {**bench.role("builder"), "trust": bench.document(stranger)}


def test_a_role_that_does_not_trust_the_caller_says_nothing_of_sts(bench: Any) -> None:
    bench.begin(principals=[_untrusting(bench), bench.role("starter")])
    context = bench.context(_session(bench), role_arn=ROLE, external_id=SECRET)

    found = bench.ask(sts, context)

    assert found["us-west-2"].status is Status.UNKNOWN
    assert "trust policy" in found["us-west-2"].hint
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("sts_is", "status"), [("active", Status.PASS), ("deactivated", Status.FAIL)]
)
def test_a_user_of_the_account_tells_what_a_role_that_does_not_trust_him_cannot(
    bench: Any, sts_is: str, status: Status
) -> None:
    regions = {"us-west-2": {"sts": sts_is}}
    bench.begin(principals=[_untrusting(bench)], regions=regions)

    found = bench.ask(sts, bench.context(bench.aws(), role_arn=ROLE))["us-west-2"]

    assert (found.status, found.data["probe"]) == (status, "GetSessionToken")


def test_no_secret_of_the_session_leaves_the_check(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder")])
    context = bench.context(role_arn=ROLE, external_id=SECRET)

    found = bench.ask(sts, context)

    assert SECRET not in repr(found)
    minted = bench.sandbox.world.sessions.values()
    assert minted
    for session in minted:
        assert session.session_token not in repr(found)
        assert session.access_key_id not in repr(found)


def test_us_east_1_passes_without_a_call_to_sts(bench: Any) -> None:
    aws = bench.aws(region="us-east-1")

    found = bench.statuses(sts, bench.context(aws, region="us-east-1"))

    assert found["us-east-1"] is Status.PASS
    assert set(aws.calls.by_operation) == {"iam:GetAccountSummary"}


def test_a_region_that_is_not_enabled_fails(bench: Any) -> None:
    bench.begin(regions={"eu-south-1": {"opt_in": "opted-in"}})
    context = bench.context(region="eu-south-1")
    assert bench.statuses(sts, context)["eu-south-1"] is Status.PASS
    bench.begin()

    found = bench.ask(sts, bench.context(region="eu-south-1"))["eu-south-1"]

    assert (found.status, found.data["state"]) == (Status.FAIL, "not-opted-in")
    assert "aws account enable-region --region-name eu-south-1" in found.hint


def test_an_endpoint_that_cannot_be_reached_is_unknown(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = bench.context()
    assert context.caller.identity
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    unreachable = bench.aws()
    unreachable.__dict__["identity"] = context.caller.identity
    monkeypatch.setattr(unreachable.clock, "sleep", lambda _: None)

    found = bench.ask(sts, bench.context(caller=unreachable))["us-west-2"]

    assert found.status is Status.UNKNOWN
    assert "unreachable" in found.message


def test_requests_that_go_to_the_global_endpoint_prove_nothing(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = bench.context()
    stranger = Aws("us-west-2", session=boto3.Session())  # a session that Preflight did not make
    stranger.__dict__["identity"] = context.caller.identity
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")

    found = bench.ask(sts, replace(context, caller=stranger))["us-west-2"]

    assert (found.status, found.data["state"]) == (Status.UNKNOWN, "unknown")
    assert "unset AWS_STS_REGIONAL_ENDPOINTS" in found.hint
    assert "sts:GetSessionToken" not in stranger.calls.by_operation


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-west-2", "https://sts.us-west-2.amazonaws.com"),
        ("us-east-1", "https://sts.us-east-1.amazonaws.com"),
        ("eu-south-1", "https://sts.eu-south-1.amazonaws.com"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_sts_is_asked_at_the_endpoint_of_the_region_whatever_the_environment_says(
    region: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    assert Aws(region).endpoint("sts") == host
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert Aws(region).endpoint("sts") == "http://127.0.0.1:9"


def test_what_is_known_is_told_in_one_word_each(bench: Any) -> None:
    states = {}
    for sts_is in ("active", "deactivated"):
        bench.begin(regions={"us-west-2": {"sts": sts_is}})
        states[sts_is] = bench.ask(sts, bench.context())["us-west-2"].data["state"]

    assert states == {"active": "active", "deactivated": "deactivated"}


def test_the_time_that_sts_took_is_told(bench: Any) -> None:
    found = bench.ask(sts, bench.context())["us-west-2"]

    assert 0 < found.data["seconds"] < 10
    assert re.search(r"in [\d,]+ ms$", found.message)


def test_a_role_that_was_assumed_already_is_not_assumed_again(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder")])
    caller = bench.aws()
    context = bench.context(caller.assume(ROLE), caller, role_arn=ROLE)

    found = bench.ask(sts, context)["us-west-2"]

    assert (found.status, found.data["state"]) == (Status.PASS, "active")
    assert caller.calls.by_operation["sts:AssumeRole"] == 1


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (RegionDisabled("STS is not activated"), "deactivated"),
        (AccessDenied("no", action="sts:AssumeRole"), "unknown"),
        (Unreachable("no route"), "unreachable"),
        (Throttled("too many"), "unknown"),
    ],
)
def test_a_role_that_could_not_be_assumed_says_why_without_another_try(
    bench: Any, error: AwsError, state: str
) -> None:
    bench.begin(principals=[bench.role("starter")])
    caller = _session(bench)
    context = replace(bench.context(caller, role_arn=ROLE), role_error=error)

    found = bench.ask(sts, context)["us-west-2"]

    assert found.data["state"] == state
    assert found.status is (Status.FAIL if state == "deactivated" else Status.UNKNOWN)


def test_a_session_of_a_probe_can_do_nothing(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder")])

    bench.ask(sts, bench.context(role_arn=ROLE))

    (session,) = bench.sandbox.world.sessions.values()
    assert '"Deny"' in str(session.principal.session_policy)


@pytest.mark.parametrize("sts_is", ["active", "deactivated"])
def test_a_denial_is_no_sign_of_activation_either_way(bench: Any, sts_is: str) -> None:
    bench.begin(principals=[bench.role("builder"), bench.role("starter")])
    context = bench.context(_session(bench), role_arn=ROLE)
    bench.sandbox.world.scenario["regions"] = {"us-west-2": {"sts": sts_is}}
    bench.fault({"action": "sts:AssumeRole", "error": "AccessDenied", "region": "us-west-2"})

    found = bench.ask(sts, context)["us-west-2"]

    assert (found.status, found.data["state"]) == (Status.UNKNOWN, "unknown")
    assert "in us-east-1 the role can be assumed" in found.message
    assert "in us-west-2 alone" in found.hint


@pytest.mark.parametrize(
    ("region", "version", "status"),
    [
        ("us-west-2", "v1Token", Status.PASS),
        ("eu-south-1", "v1Token", Status.WARN),
        ("eu-south-1", "v2Token", Status.PASS),
    ],
)
def test_tokens_of_the_global_endpoint_are_refused_in_opt_in_regions_only(
    bench: Any, region: str, version: str, status: Status
) -> None:
    bench.begin(regions={"eu-south-1": {"opt_in": "opted-in"}})
    admin = bench.aws()
    admin.call("iam", "SetSecurityTokenServicePreferences", GlobalEndpointTokenVersion=version)

    found = bench.ask(sts, bench.context(region=region))

    assert found["global endpoint"].status is status
    assert found["global endpoint"].data["global_token_version"] == int(version[1])
    assert found[region].status is Status.PASS

"""The regional endpoint of STS: what is proven, what is only not known."""

from __future__ import annotations

from typing import Any

import pytest

from checks.sts import sts
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


def test_a_role_that_does_not_trust_the_caller_says_nothing_of_sts(bench: Any) -> None:
    stranger = {"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "sts:AssumeRole"}
    bench.begin(principals=[{**bench.role("builder"), "trust": bench.document(stranger)}])

    found = bench.ask(sts, bench.context(bench.aws(), role_arn=ROLE, external_id=SECRET))

    assert found["us-west-2"].status is Status.UNKNOWN
    assert "trust policy" in found["us-west-2"].hint
    assert SECRET not in repr(found)


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


def test_us_east_1_passes_without_a_call(bench: Any) -> None:
    aws = bench.aws(region="us-east-1")

    found = bench.statuses(sts, bench.context(aws, region="us-east-1"))

    assert found == {"us-east-1": Status.PASS}
    assert aws.calls.total == 0


def test_a_region_that_is_not_enabled_fails(bench: Any) -> None:
    bench.begin(regions={"eu-south-1": {"opt_in": "opted-in"}})
    context = bench.context(region="eu-south-1")
    assert bench.statuses(sts, context) == {"eu-south-1": Status.PASS}
    bench.begin()

    found = bench.ask(sts, bench.context(region="eu-south-1"))["eu-south-1"]

    assert found.status is Status.FAIL
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
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")

    found = bench.ask(sts, bench.context())["us-west-2"]

    assert found.status is Status.UNKNOWN
    assert "unset AWS_STS_REGIONAL_ENDPOINTS" in found.hint

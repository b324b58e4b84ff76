from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from preflight import gate, spec
from preflight.aws import Aws
from preflight.check import Answer, Ask, Check, Context
from preflight.errors import AccessDenied, GateClosed, Throttled, UsageError
from preflight.facts import Facts
from preflight.finding import Coverage, Severity, Status
from preflight.found import Owner
from preflight.gate import Permit, Verdict, Waiver
from preflight.plan import Plan
from preflight.profile import load

OWNER = Owner(cluster="dev", account="111122223333", region="us-west-2")
PLAN = Plan(owner=OWNER, resources=())
OTHER = Plan(owner=Owner(cluster="other", account="111122223333", region="us-west-2"), resources=())


@pytest.fixture
def context() -> Context:
    """What no check of this file looks at."""
    aws = Aws("us-west-2")
    return Context(
        spec=spec.from_mapping({"name": "dev"}),
        profile=load("grid"),
        plan=PLAN,
        facts=Facts(account="111122223333", partition="aws", region="us-west-2", principal=""),
        aws=aws,
        caller=aws,
    )


def check(id: str, ask: Ask) -> Check:
    return Check(id=id, title="T", ask=ask, why="w", fix="f", url="https://example.com/page")


def says(status: Status, id: str = "says", **more: Any) -> Check:
    return check(id, lambda _: [Answer(status=status, subject="it", message="is so", **more)])


def raises(error: Exception, *first: Answer) -> Check:
    def ask(_: Context) -> Iterator[Answer]:
        yield from first
        raise error

    return check("raises", ask)


@pytest.mark.parametrize(
    ("status", "opens"),
    [
        (Status.PASS, True),
        (Status.WARN, True),
        (Status.SKIP, True),
        (Status.FAIL, False),
        (Status.UNKNOWN, False),
    ],
)
def test_what_failed_and_what_nobody_knows_close_the_gate(
    context: Context, status: Status, opens: bool
) -> None:
    verdict = gate.run([says(Status.PASS, "first"), says(status)], context)
    assert verdict.is_open is opens
    assert verdict.complete is (status is not Status.UNKNOWN)
    assert verdict.failed is (status is Status.FAIL)
    assert [finding.check for finding in verdict.findings] == ["first", "says"]
    if opens:
        assert verdict.permit(PLAN).plan is PLAN
    else:
        with pytest.raises(GateClosed, match="1 finding keeps the gate closed"):
            verdict.permit(PLAN)


@pytest.mark.parametrize(
    ("error", "words", "action"),
    [
        (ValueError("oops"), "the check broke: ValueError: oops", None),
        (Throttled("Rate exceeded", service="ec2", operation="DescribeVpcs"), "Rate", None),
        (AccessDenied("no", action="ec2:DescribeVpcs"), "no", "ec2:DescribeVpcs"),
    ],
    ids=["broken", "aws", "denied"],
)
def test_a_check_that_raises_is_unknown_under_its_own_id(
    context: Context, error: Exception, words: str, action: str | None
) -> None:
    passed = Answer(status=Status.PASS, subject="so far", message="fine")
    verdict = gate.run([raises(error, passed), says(Status.PASS)], context)
    first, unknown, other = verdict.findings
    assert (first.status, other.status) == (Status.PASS, Status.PASS)
    assert (unknown.check, unknown.subject, unknown.status) == (
        "raises",
        "raises",
        Status.UNKNOWN,
    )
    assert words in unknown.message
    assert unknown.data.get("missing_action") == action
    assert unknown.url == "https://example.com/page"
    if action:
        assert unknown.hint == f"allow {action}"
    (coverage, _) = verdict.coverage
    assert (coverage.rule, coverage.status) == ("raises", Status.UNKNOWN)
    assert coverage.missing_action == action
    assert not verdict.is_open


@pytest.mark.parametrize(
    "answers",
    [[], [Coverage(rule="silent", examined=3, matched=0, status=Status.PASS)]],
    ids=["nothing", "only what it looked at"],
)
def test_a_check_that_gives_no_answer_is_unknown(context: Context, answers: list[Any]) -> None:
    verdict = gate.run([check("silent", lambda _: answers)], context)
    (finding,) = verdict.findings
    assert finding.status is Status.UNKNOWN
    assert "gave no answer" in finding.message
    assert not verdict.is_open


def test_every_finding_carries_the_page_and_weight_of_its_check_unless_it_has_its_own(
    context: Context,
) -> None:
    own = says(Status.FAIL, "own", url="https://example.com/own", severity=Severity.LOW)
    plain, special = gate.run([says(Status.FAIL), own], context).findings
    assert (plain.url, plain.severity) == ("https://example.com/page", Severity.HIGH)
    assert (special.url, special.severity) == ("https://example.com/own", Severity.LOW)
    assert plain.id != special.id
    assert plain.id == gate.run([says(Status.FAIL)], context).findings[0].id


@pytest.mark.parametrize("status", [Status.FAIL, Status.UNKNOWN])
def test_a_waiver_opens_the_gate_for_one_check_and_stays_on_the_finding(
    context: Context, status: Status
) -> None:
    waiver = Waiver(check="says", reason="known and accepted")
    verdict = gate.run([says(status)], context, waivers=[waiver])
    assert verdict.is_open
    (finding,) = verdict.findings
    assert (finding.status, finding.waived) == (status, "known and accepted")
    assert verdict.waivers == (waiver,)
    closed = gate.run([says(status), says(Status.FAIL, "x")], context, waivers=[waiver])
    assert [finding.check for finding in closed.closing] == ["x"]


def test_a_waiver_of_what_passes_marks_nothing(context: Context) -> None:
    waivers = [Waiver(check="says", reason="in case")]
    (finding,) = gate.run([says(Status.PASS)], context, waivers=waivers).findings
    assert finding.waived is None


def test_a_waiver_of_no_known_check_is_an_error_before_anything_is_asked(
    context: Context,
) -> None:
    asked: list[Context] = []

    def ask(context: Context) -> list[Answer]:
        asked.append(context)
        return []

    one = check("says", ask)
    with pytest.raises(UsageError, match="no check is called 'sais'"):
        gate.run([one], context, waivers=[Waiver(check="sais", reason="typing")])
    assert asked == []


def test_strict_takes_a_warning_for_a_failure(context: Context) -> None:
    lax = gate.run([says(Status.WARN)], context)
    strict = gate.run([says(Status.WARN), says(Status.PASS, "p")], context, strict=True)
    assert lax.is_open
    assert not strict.is_open
    assert [(f.status, f.severity) for f in strict.findings] == [
        (Status.FAIL, Severity.HIGH),
        (Status.PASS, Severity.INFO),
    ]
    waived = gate.run(
        [says(Status.WARN)], context, strict=True, waivers=[Waiver(check="says", reason="r")]
    )
    assert waived.is_open


def test_a_permit_is_for_the_plan_that_was_judged_and_no_other(context: Context) -> None:
    verdict = gate.run([says(Status.PASS)], context)
    with pytest.raises(GateClosed, match="another plan"):
        verdict.permit(OTHER)
    with pytest.raises(GateClosed, match="another plan"):
        Permit(verdict=verdict, plan=OTHER)
    closed = gate.run([says(Status.FAIL), says(Status.UNKNOWN, "u")], context)
    with pytest.raises(GateClosed, match="2 findings keep the gate closed"):
        Permit(verdict=closed, plan=PLAN)


def test_no_checks_at_all_still_judge_only_this_plan(context: Context) -> None:
    verdict = gate.run([], context)
    assert verdict == Verdict(plan=PLAN.digest, findings=())
    assert verdict.permit(PLAN)

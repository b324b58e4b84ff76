"""What is asked of AWS and what is not, decided without any AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.errors import UsageError
from preflight.quotas.asking import State
from preflight.quotas.increase import Filed, Listed, Standing, Wish, decide, gather, read_wish
from preflight.quotas.ledger import Ledger

WEST, OPT_IN = "us-west-2", "eu-south-1"
VPC, GATEWAY = "L-F678F1CE", "L-A4707A72"


def wish(value: float, code: str = VPC, service: str = "vpc", region: str = WEST) -> Wish:
    return Wish(service=service, code=code, region=region, value=value)


def listed(value: float | None = 5, *, is_adjustable: bool = True) -> Listed:
    return Listed(name="some", value=value, is_adjustable=is_adjustable)


def filed(desired: float, status: str = "PENDING", code: str = VPC, region: str = WEST) -> Filed:
    return Filed(id="r1", service="vpc", code=code, region=region, desired=desired, status=status)


def standing(wanted: Wish, has: Listed, *requests: Filed) -> Standing:
    (decision,) = decide([wanted], {wanted.key: has}, requests)
    return decision.standing


def test_what_is_missing_is_asked_for() -> None:
    assert standing(wish(8), listed(5)) is Standing.MISSING


@pytest.mark.parametrize(
    ("wanted", "has", "requests", "expected"),
    [
        pytest.param(wish(5), listed(5), [], Standing.ENOUGH, id="there already"),
        pytest.param(wish(8), listed(5), [filed(8)], Standing.PENDING, id="asked already"),
        pytest.param(wish(8), listed(), [filed(8, "CASE_OPENED")], Standing.PENDING, id="a case"),
        pytest.param(wish(8), listed(5), [filed(8, "DENIED")], Standing.MISSING, id="was denied"),
        pytest.param(
            wish(8), listed(5), [filed(8, region="eu-west-1")], Standing.MISSING, id="elsewhere"
        ),
        pytest.param(
            wish(8), listed(5, is_adjustable=False), [], Standing.REFUSED, id="not adjustable"
        ),
        pytest.param(
            wish(10_001, "L-FE177D64", "iam"),
            listed(),
            [],
            Standing.REFUSED,
            id="above the maximum",
        ),
        pytest.param(wish(8), listed(None), [], Standing.UNKNOWN, id="the limit is not known"),
    ],
)
def test_what_is_not_missing_is_not_asked_for(
    wanted: Wish, has: Listed, requests: list[Filed], expected: Standing
) -> None:
    assert standing(wanted, has, *requests) is expected


def test_a_pending_request_for_less_is_told_as_such() -> None:
    (decision,) = decide([wish(8)], {wish(8).key: listed(5)}, [filed(6)])

    assert decision.standing is Standing.PENDING
    assert "less" in decision.why
    assert decision.id == "r1"


def test_a_quota_aws_does_not_list_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(UsageError, match="AWS lists no quota vpc/L-F678F1CE in us-west-2"):
        decide([wish(8)], {}, [])


def test_gateways_are_raised_by_raising_vpcs_and_only_once() -> None:
    (one,) = gather([wish(7, GATEWAY), wish(6)])

    assert (one.code, one.value, one.instead_of) == (VPC, 7, f"vpc/{GATEWAY}")
    assert gather([wish(6, GATEWAY), wish(9)]) == (wish(9),)


def test_only_two_requests_are_open_in_a_region_that_had_to_be_enabled() -> None:
    wanted = [wish(8, code, region=OPT_IN) for code in ("L-00000001", "L-00000002", "L-00000003")]
    known = {each.key: listed() for each in wanted}

    there = decide(wanted, known, [], frozenset({OPT_IN}))
    waiting = [filed(9, code="L-00000009", region=OPT_IN)]
    with_one = decide(wanted, known, waiting, frozenset({OPT_IN}))

    assert [each.standing for each in there] == ["missing", "missing", "held"]
    assert [each.standing for each in with_one] == ["missing", "held", "held"]
    assert {each.standing for each in decide(wanted, known, [])} == {"missing"}


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=0, max_value=25), st.integers(min_value=0, max_value=25))
def test_never_are_more_than_twenty_open_at_once(open_ones: int, more: int) -> None:
    requests = [filed(9, code=f"L-{number:08X}") for number in range(open_ones)]
    wanted = [wish(8, f"L-{number + 100:08X}") for number in range(more)]

    decisions = decide(wanted, {each.key: listed() for each in wanted}, requests)

    asked = sum(each.standing is Standing.MISSING for each in decisions)
    assert asked == min(more, max(0, 20 - open_ones))
    assert sum(each.standing is Standing.HELD for each in decisions) == more - asked


@pytest.mark.parametrize(
    "text",
    ["vpc", "vpc=8", "vpc/L-1=8", "vpc/L-F678F1CE", "vpc/L-F678F1CE=", "vpc/L-F678F1CE=many"]
    + [f"vpc/L-F678F1CE={number}" for number in ("-1", "0", "nan", "inf", "1e99")],
)
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_wish(text, WEST)


def test_a_global_quota_is_asked_for_where_aws_lists_it() -> None:
    assert read_wish("iam/L-FE177D64=2000", WEST).region == "us-east-1"
    assert read_wish("iam/L-FE177D64=2000", "us-gov-east-1").region == "us-gov-west-1"
    assert read_wish("vpc/L-F678F1CE=8", WEST) == wish(8)


@pytest.mark.parametrize(
    ("status", "limit", "is_decided", "said"),
    [
        ("PENDING", 5, False, "unknown"),
        ("CASE_OPENED", 5, False, "unknown"),
        ("APPROVED", 5, False, "unknown"),  # it can take half an hour to be in force
        ("APPROVED", 8, True, "pass"),
        ("CASE_CLOSED", 8, True, "pass"),
        ("CASE_CLOSED", 5, True, "fail"),
        ("DENIED", 5, True, "fail"),
        ("NOT_APPROVED", None, True, "fail"),
    ],
)
def test_a_request_is_granted_when_the_limit_is_in_force(
    status: str, limit: float | None, is_decided: bool, said: str
) -> None:
    state = State(filed=filed(8, status), limit=limit)

    assert state.is_decided is is_decided
    assert state.status == said


def test_the_ledger_keeps_the_newest_request_of_each_quota(tmp_path: Path) -> None:
    ledger = Ledger.of(tmp_path, "111122223333")
    spec = tmp_path / "cluster.yaml"
    spec.write_text("name: dev\n")
    assert ledger.entries() == {}

    for desired in (8.0, 9.0):
        ledger.add(filed(desired), [spec], datetime.now(UTC))
    with ledger.path.open("a") as torn:
        torn.write('{"id": "r3", "serv')

    assert [each.desired for each in ledger.entries().values()] == [9.0]
    assert ledger.specs() == (spec,)
    assert ledger.path.stat().st_mode & 0o777 == 0o600
    first = json.loads(ledger.path.read_text().splitlines()[0])
    assert first["id"] == "r1"

"""How figures are judged, several plans added up, and rows sorted: without any AWS."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.errors import UsageError
from preflight.quota import Fit, Limit, Quota
from preflight.quotas.audit import (
    Before,
    Thresholds,
    judge_row,
    numbers,
    read_baseline,
    together,
    worst_first,
)
from preflight.quotas.catalogue import (
    CATALOGUE,
    NAT_GATEWAYS_PER_ZONE,
    ROUTES_PER_TABLE,
    SUBNETS_PER_VPC,
    VPCS,
)
from preflight.quotas.figures import Figure
from preflight.quotas.limits import Unknown

USUAL = Thresholds()


def figure(
    used: float | Unknown, limit: float | Unknown, quota: Quota = VPCS, within: str = ""
) -> Figure:
    value = limit if isinstance(limit, Unknown) else Limit(value=limit, source="applied")
    return Figure(quota=quota, within=within, region="us-west-2", limit=value, used=used)


def judged(used: Any, limit: Any, needed: float | None = 0.0, quota: Quota = VPCS) -> Any:
    return judge_row("111122223333", "us-west-2", figure(used, limit, quota), needed, USUAL)


@pytest.mark.parametrize(
    ("used", "limit", "needed", "fit", "request_"),
    [
        pytest.param(1, 5, 0, Fit.FITS, None, id="room"),
        pytest.param(4, 5, 0, Fit.TIGHT, None, id="80 percent is tight"),
        pytest.param(5, 5, 0, Fit.SHORT, 7, id="full, and the least above the threshold"),
        pytest.param(0, 0, 0, Fit.FITS, None, id="none allowed and none used"),
        pytest.param(1, 0, 0, Fit.SHORT, 2, id="one of none is over"),
        pytest.param(4, 5, 1, Fit.TIGHT, None, id="a plan may take the last"),
        pytest.param(4, 5, 2, Fit.SHORT, 6, id="a plan that does not fit"),
        pytest.param(0, 0, 4, Fit.SHORT, 4, id="a plan for what is not allowed at all"),
        pytest.param(1, 5, None, Fit.UNKNOWN, None, id="a plan that cannot tell"),
        pytest.param(Unknown(message="no"), 5, 1, Fit.UNKNOWN, None, id="use not known"),
        pytest.param(1, Unknown(message="no"), 1, Fit.UNKNOWN, None, id="limit not known"),
        pytest.param(Unknown(message="more", at_least=3), 5, 1, Fit.UNKNOWN, None, id="some seen"),
        pytest.param(Unknown(message="more", at_least=5), 5, 1, Fit.SHORT, 6, id="enough seen"),
    ],
)
def test_a_figure_is_judged(
    used: Any, limit: Any, needed: float | None, fit: Fit, request_: float | None
) -> None:
    row = judged(used, limit, needed)

    assert row.fit is fit
    assert row.request == request_


def test_a_new_vpc_is_not_tight_because_the_next_one_begins_anew() -> None:
    assert judged(0, 10, 9, SUBNETS_PER_VPC).fit is Fit.FITS
    assert judged(9, 10, 0, SUBNETS_PER_VPC).fit is Fit.TIGHT


@pytest.mark.parametrize(("tight", "short"), [(0, 100), (90, 80), (80, 101), (math.nan, 100)])
def test_thresholds_out_of_range_are_refused(tight: float, short: float) -> None:
    with pytest.raises(UsageError, match="make no sense"):
        Thresholds(tight=tight, short=short)


def test_clusters_add_up_where_aws_counts_them_together_and_only_there() -> None:
    one = {(VPCS, ""): 1.0, (NAT_GATEWAYS_PER_ZONE, "a"): 1.0, (SUBNETS_PER_VPC, "vpc"): 4.0}
    two = {(VPCS, ""): 1.0, (NAT_GATEWAYS_PER_ZONE, "b"): 1.0, (SUBNETS_PER_VPC, "vpc"): 6.0}

    assert together([("dev", one), ("prod", two)]) == {
        (VPCS, ""): 2,
        (NAT_GATEWAYS_PER_ZONE, "a"): 1,
        (NAT_GATEWAYS_PER_ZONE, "b"): 1,
        (SUBNETS_PER_VPC, "dev vpc"): 4,
        (SUBNETS_PER_VPC, "prod vpc"): 6,
    }


def test_one_amount_that_is_not_known_makes_the_sum_unknown() -> None:
    assert together([("a", {(VPCS, ""): None}), ("b", {(VPCS, ""): 1.0})]) == {(VPCS, ""): None}


def test_the_fullest_of_many_tables_speaks_for_all_of_a_plan() -> None:
    many = {(ROUTES_PER_TABLE, f"table.{number}"): float(number) for number in range(1, 9)}

    assert together([("dev", many)]) == {(ROUTES_PER_TABLE, "dev table.8"): 8}


def test_a_row_comes_back_from_a_report_as_a_baseline() -> None:
    row = judged(3, 5)

    assert read_baseline([numbers(row), {"service": "vpc"}]) == {
        row.place: Before(used=3.0, limit=5.0)
    }


_NUMBERS = st.integers(min_value=0, max_value=1000).map(float)
_MAYBE = _NUMBERS | st.just(Unknown(message="denied", missing_action="ec2:DescribeVpcs"))
_ROWS = st.tuples(st.sampled_from(CATALOGUE), _MAYBE, _MAYBE, _NUMBERS | st.none())


@settings(max_examples=300, deadline=None)
@given(_ROWS)
def test_nothing_unknown_fits_and_nothing_short_passes(given_: Any) -> None:
    quota, used, limit, needed = given_

    row = judged(used, limit, needed, quota)

    if isinstance(used, Unknown) or isinstance(limit, Unknown) or needed is None:
        assert row.fit is Fit.UNKNOWN
        return
    if used + needed > limit:
        assert row.fit is Fit.SHORT
    elif needed:
        assert row.fit in {Fit.FITS, Fit.TIGHT}
    if row.fit is Fit.SHORT and row.request is not None:
        enough = Limit(value=row.request, source="applied")
        again = judge_row("1", "r", figure(used, enough.value, quota), needed, USUAL)
        assert again.fit is not Fit.SHORT
        assert row.request == math.ceil(row.request)
    if row.fit is Fit.SHORT and row.request is None:
        assert not quota.adjustable or (quota.maximum or 0) < used + needed + 1


_PLAN = st.dictionaries(
    st.tuples(
        st.sampled_from([VPCS, NAT_GATEWAYS_PER_ZONE, SUBNETS_PER_VPC]), st.sampled_from("xyz")
    ),
    st.integers(min_value=1, max_value=9).map(float),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_PLAN, min_size=1, max_size=4))
def test_together_loses_nothing_and_counts_nothing_twice(plans: list[Any]) -> None:
    named = [(f"cluster{number}", plan) for number, plan in enumerate(plans)]

    sums = together(named)

    assert sum(filter(None, sums.values())) == sum(sum(plan.values()) for plan in plans)
    for (quota, within), amount in sums.items():
        if quota is SUBNETS_PER_VPC:
            cluster, _, own = within.partition(" ")
            assert amount == dict(named)[cluster][quota, own]
        else:
            assert amount == sum(plan.get((quota, within), 0) for plan in plans)


@settings(max_examples=100, deadline=None)
@given(st.lists(_ROWS, max_size=12))
def test_rows_come_worst_first(given_: list[Any]) -> None:
    rows = worst_first(judged(used, limit, needed, q) for q, used, limit, needed in given_)

    order = [Fit.SHORT, Fit.UNKNOWN, Fit.TIGHT, Fit.FITS]
    ranks = [(order.index(row.fit), -(row.share or 0.0)) for row in rows]
    assert ranks == sorted(ranks)

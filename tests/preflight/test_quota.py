"""The arithmetic of quotas, and the table it works on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight.quota import HOME, Demand, Fit, Quota, Scope, judge, to_request, total
from preflight.quotas import catalogue
from preflight.quotas.catalogue import CATALOGUE, by_key

ROW = Quota(service="vpc", code="L-1", name="VPCs")
OTHER = Quota(service="vpc", code="L-2", name="Subnets")


@pytest.mark.parametrize(
    ("limit", "used", "needed", "fit"),
    [
        pytest.param(5, 1, 1, Fit.FITS, id="room enough"),
        pytest.param(100, 89, 1, Fit.FITS, id="just the tenth left is not tight"),
        pytest.param(100, 90, 1, Fit.TIGHT, id="less than a tenth left"),
        pytest.param(5, 4, 1, Fit.TIGHT, id="fits to the last"),
        pytest.param(5, 5, 1, Fit.SHORT, id="one too many"),
        pytest.param(0, 0, 4, Fit.SHORT, id="a limit of zero is a limit"),
        pytest.param(0, 0, 0, Fit.FITS, id="nothing fits into nothing"),
        pytest.param(5, 9, 0, Fit.FITS, id="who takes nothing is not at fault"),
        pytest.param(5, 9, 1, Fit.SHORT, id="already over"),
        pytest.param(None, 1, 1, Fit.UNKNOWN, id="limit not known"),
        pytest.param(5, None, 1, Fit.UNKNOWN, id="use not known"),
        pytest.param(5, 1, None, Fit.UNKNOWN, id="need not known"),
        pytest.param(None, None, 0, Fit.FITS, id="no need needs no limit"),
    ],
)
def test_a_need_is_judged(
    limit: float | None, used: float | None, needed: float | None, fit: Fit
) -> None:
    assert judge(limit, used, needed) is fit


numbers = st.integers(0, 10_000)


@given(limit=numbers, used=numbers, needed=numbers)
def test_more_room_never_makes_it_worse(limit: int, used: int, needed: int) -> None:
    order = [Fit.SHORT, Fit.TIGHT, Fit.FITS]
    before = judge(limit, used, needed)
    # A tenth of the new room is kept as well, so room has to grow by what the need does.
    assert order.index(judge(limit + 10, used, needed)) >= order.index(before)
    assert order.index(judge(limit, used, needed + 1)) <= order.index(before)


@given(limit=numbers, used=numbers, needed=st.integers(1, 10_000))
def test_what_is_requested_is_enough_and_no_more(limit: int, used: int, needed: int) -> None:
    if judge(limit, used, needed) is Fit.SHORT:
        asked = to_request(ROW, used, needed)
        assert asked is not None
        assert judge(asked, used, needed) is not Fit.SHORT
        assert judge(asked - 1, used, needed) is Fit.SHORT


def test_nothing_is_requested_that_aws_does_not_grant() -> None:
    fixed = Quota(service="eks", code="L-3", name="fixed", adjustable=False)
    capped = Quota(service="iam", code="L-4", name="capped", maximum=10)

    assert to_request(fixed, 1, 1) is None
    assert to_request(capped, 9, 2) is None
    assert to_request(capped, 9, 1) == 10


demands = st.lists(
    st.builds(
        Demand,
        quota=st.sampled_from([ROW, OTHER]),
        amount=st.none() | st.integers(0, 50).map(float),
        within=st.sampled_from(["", "a", "b"]),
    )
)


@given(demands)
def test_a_sum_is_over_its_own_place_and_unknown_as_soon_as_one_part_is(
    given_demands: list[Demand],
) -> None:
    sums = total(given_demands)

    assert set(sums) == {(each.quota, each.within) for each in given_demands}
    for (quota, within), amount in sums.items():
        parts = [
            each.amount for each in given_demands if each.quota == quota and each.within == within
        ]
        known = [part for part in parts if part is not None]
        assert amount == (sum(known) if len(known) == len(parts) else None)


@given(demands, st.randoms())
def test_the_order_of_demands_does_not_matter(given_demands: list[Demand], random: object) -> None:
    shuffled = list(given_demands)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert total(shuffled) == total(given_demands)


def test_the_catalogue_holds_every_row_once() -> None:
    constants = {value for value in vars(catalogue).values() if isinstance(value, Quota)}

    assert len({str(quota) for quota in CATALOGUE}) == len(CATALOGUE)
    assert constants <= set(CATALOGUE)
    assert all(by_key(quota.service, quota.code) is quota for quota in CATALOGUE)
    assert by_key("vpc", "L-00000000") is None


def test_global_quotas_are_listed_at_home_and_only_those() -> None:
    at_home = {quota.service for quota in CATALOGUE if quota.home == HOME}

    assert at_home == {"iam", "s3"}
    assert all(quota.home is None for quota in CATALOGUE if quota.service not in at_home)


def test_a_row_that_cannot_be_counted_lives_in_something_that_a_plan_makes() -> None:
    inside = {Scope.VPC, Scope.CLUSTER, Scope.PARENT}

    assert {quota.scope for quota in CATALOGUE if quota.count is None} <= inside
    assert all(quota.actions for quota in CATALOGUE if quota.count is not None)


def test_long_lists_are_deep_and_gateways_follow_their_networks() -> None:
    deep = {quota.service for quota in CATALOGUE if quota.deep}

    assert deep == {"ebs", "ecr", "eks", "sns", "logs", "kms"}
    assert catalogue.INTERNET_GATEWAYS.follows == str(catalogue.VPCS)

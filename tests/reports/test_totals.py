"""A sum of money says what it leaves out: what has no price is never shown as free."""

from __future__ import annotations

from dataclasses import replace

import pytest

from preflight.finding import Finding
from reports.formats import render
from reports.headline import headline
from reports.view import Report
from reports.words import monthly_total


def priced(report: Report, *prices: float | None) -> Report:
    """Give the leftovers of a report these prices, in order."""
    left = iter(prices)

    def with_price(finding: Finding) -> Finding:
        if finding.status != "leftover":
            return finding
        return replace(finding, data={**finding.data, "monthly_usd": next(left)})

    return replace(report, findings=tuple(map(with_price, report.findings)))


@pytest.mark.parametrize(
    ("usd", "unpriced", "said"),
    [
        (40.85, 0, "$40.85 a month"),
        (0.0, 0, "$0.00 a month"),
        (32.85, 1, "at least $32.85 a month; 1 not priced"),
        (0.0, 1200, "1,200 not priced"),
        (None, 2, "2 not priced"),
    ],
)
def test_a_sum_says_how_much_it_leaves_out(usd: float | None, unpriced: int, said: str) -> None:
    assert monthly_total(usd, unpriced) == said


def test_leftovers_without_a_price_are_not_free(scan_report: Report) -> None:
    report = priced(scan_report, None, None)
    text = render("text", report)
    assert "Leftovers  2 things, 2 not priced\n" in text
    assert "2 leftovers, 2 not priced; " in headline(report)
    for form in ("text", "html", "markdown"):
        assert "$0.00" not in render(form, report), form


def test_leftovers_of_which_some_have_a_price_cost_at_least_that(scan_report: Report) -> None:
    report = priced(scan_report, 32.85, None)
    assert "Leftovers  2 things, at least $32.85 a month; 1 not priced\n" in render("text", report)
    assert "2 leftovers, at least $32.85 a month; 1 not priced; " in headline(report)
    html = render("html", report)
    assert "≥ $32.85" in html
    assert "a month, left over; 1 not priced" in html


def test_a_plan_that_nobody_can_price_is_not_free(plan_report: Report) -> None:
    assert plan_report.plan is not None
    resources = tuple(replace(each, monthly_usd=None) for each in plan_report.plan.resources)
    plan = replace(plan_report.plan, resources=resources, monthly_usd=0.0)
    report = replace(plan_report, plan=plan)
    assert headline(report) == "plan: 6 resources (1 to adopt, 5 to create); 6 not priced"
    assert "\nPrice  6 not priced (prices of" in render("text", report)
    for form in ("text", "html", "markdown"):
        assert "$0.00" not in render(form, report), form


def test_a_plan_that_is_priced_in_part_costs_at_least_that(plan_report: Report) -> None:
    assert headline(plan_report).endswith("; at least $105.85 a month; 1 not priced")
    html = render("html", plan_report)
    assert "≥ $105.85" in html
    assert "a month; 1 not priced" in html

"""Draw a plan: what would be made, by service, what it takes of the quotas, what it costs."""

from __future__ import annotations

from collections import Counter

from reports.graph import Branch, by_service, tree
from reports.page import Page
from reports.view import PlannedDemand, PlannedResource, PlanSection, Report
from reports.words import monthly_total, number, plural, usd


def plan(report: Report, page: Page) -> None:
    """Draw the plan; its graph and the list of its actions only with `verbose`."""
    section = report.plan
    if section is None:
        return
    page.heading("Resources")
    page.table(
        ("service", "kind", "change", "count", "a month"),
        _rows(section),
        right=("count", "a month"),
    )
    if page.options.verbose:
        page.heading("What needs what")
        for branch in tree(section.resources):
            _branch(branch, page, "")
    _demands(section, page)
    _permissions(section, page)
    _price(section, page)


def _demands(section: PlanSection, page: Page) -> None:
    """Show what the account has to give; what is taken inside new things only with `verbose`."""
    shown = sorted(
        (
            demand
            for demand in section.demands
            if page.options.verbose or "/" not in (demand.within or "")
        ),
        key=lambda demand: (demand.service, demand.name, demand.within or ""),
    )
    if not shown:
        return
    page.heading("Demand on quotas")
    page.table(
        ("quota", "code", "needed"),
        (
            (
                f"{demand.service}: {demand.name}"
                + (f" ({demand.within})" if demand.within else ""),
                demand.code,
                _amount(demand),
            )
            for demand in shown
        ),
        right=("needed",),
    )
    if hidden := len(section.demands) - len(shown):
        page.line(f"and {hidden} inside things the plan makes new; list them with `-v`")


def _amount(demand: PlannedDemand) -> str:
    unit = "" if demand.unit in {None, "count"} else f" {demand.unit}"
    return f"{number(demand.amount)}{unit}"


def _rows(section: PlanSection) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for service, kinds in by_service(section.resources).items():
        shown = service
        for kind, resources in kinds.items():
            name, count = kind.partition("/")[2] or kind, f"{len(resources):,}"
            rows.append((shown, name, changes(resources), count, cost(resources)))
            shown = ""
    return rows


def changes(resources: list[PlannedResource]) -> str:
    """Say what happens to resources of one kind."""
    counts = Counter(each.change.value for each in resources)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{change} {count:,}" for change, count in counts.items())


def cost(resources: list[PlannedResource]) -> str:
    """Add up what resources cost; a sum that leaves something out says so with `?`."""
    prices = [each.monthly_usd for each in resources]
    known = sum(price for price in prices if price is not None)
    if None in prices:
        return f"{usd(known)} + ?" if known else "?"
    return usd(known) if known else "-"


def _branch(branch: Branch, page: Page, lead: str) -> None:
    also = f"  also needs {', '.join(branch.also)}" if branch.also else ""
    each = branch.resource
    page.line((f"{lead}{each.address}", "bold"), (f"  {each.kind} {each.name}{also}", "dim"))
    for child in branch.children:
        _branch(child, page, lead + "  ")


def _permissions(section: PlanSection, page: Page) -> None:
    if not section.actions:
        return
    page.heading(f"Permissions  {plural(len(section.actions), 'action')}")
    if page.options.verbose:
        for action in section.actions:
            page.line(action, indent=2)
    else:
        page.line(("list them with `-v`", "dim"))


def _price(section: PlanSection, page: Page) -> None:
    as_of = f" (prices of {section.usd_as_of})" if section.usd_as_of else ""
    page.heading(f"Price  {monthly_total(section.monthly_usd, section.without_price)}{as_of}")
    for note in section.unpriced:
        page.prose(note, label="not in it  ", indent=2)

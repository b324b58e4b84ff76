"""What the page counts: the figures at its head, what things cost, how full the quotas are."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from preflight.finding import LeftoverStatus
from reports import words
from reports.html_parts import TITLES
from reports.text_quotas import amount, measured
from reports.view import Report


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a chart: `share` is 0 to 100, of the longest."""

    name: str
    shown: str
    share: float
    tone: str


@dataclass(frozen=True, kw_only=True)
class QuotaRow:
    """One quota; the shares are 0 to 100 of the limit, or of all that is wanted if that is more."""

    name: str
    status: str
    used: str
    needed: str
    limit: str
    used_share: float
    needed_share: float


def quota_rows(report: Report) -> list[QuotaRow]:
    """Return the quotas of the report, those that are short first."""
    rows = []
    for finding in measured(report):
        used, needed, limit = (
            float(finding.data.get(key) or 0) for key in ("used", "needed", "limit")
        )
        whole = max(limit, used + needed, 1e-9)
        row = QuotaRow(
            name=str(finding.data.get("name") or finding.subject),
            status=finding.status.value,
            used=amount(finding, "used"),
            needed=amount(finding, "needed"),
            limit=amount(finding, "limit"),
            used_share=round(100 * used / whole, 1),
            needed_share=round(100 * needed / whole, 1),
        )
        rows.append(row)
    return rows


def cards(report: Report) -> list[tuple[str, str, str]]:
    """Return the numbers at the head of the page: figure, what it counts, its tone."""
    waived = sum(map(words.is_waived, report.findings))
    counts = words.tally(each for each in report.findings if not words.is_waived(each))
    shown: list[tuple[str, str, str]] = []
    if counts["leftover"]:
        unpriced = words.without_price(report.findings)
        shown.append(_sum(words.monthly_usd(report.findings), unpriced, "left over", "bad"))
    if report.plan is not None:
        shown.append(_sum(report.plan.monthly_usd, report.plan.without_price, "", ""))
        shown.append((f"{len(report.plan.resources):,}", "resources", ""))
        shown.append((f"{len(report.plan.actions):,}", "permissions", ""))
    shown += [
        (f"{counts[status]:,}", title.lower(), status)
        for status, title in TITLES.items()
        if counts[status]
    ]
    shown += [(f"{waived:,}", "waived", "soft")] if waived else []
    states = Counter(step.state for step in report.steps or ())
    shown += [
        (f"{count:,}", state, "bad" if state in words.TROUBLE else "good")
        for state, count in states.items()
    ]
    if report.coverage:
        looked = len(report.coverage) - len(words.blind(report.coverage))
        tone = "unknown" if words.blind(report.coverage) else ""
        shown.append((f"{looked:,} of {len(report.coverage):,}", "rules could look", tone))
    return shown


def _sum(usd: float | None, unpriced: int, what: str, tone: str) -> tuple[str, str, str]:
    """Show a sum a month, and beside it how many things it leaves out."""
    beside = ", ".join(filter(None, ("a month", what)))
    if not unpriced:
        return words.usd(usd), beside, tone
    if not usd:
        return f"{unpriced:,}", ", ".join(filter(None, ("not priced", what))), tone
    return f"≥ {words.usd(usd)}", f"{beside}; {unpriced:,} not priced", tone


def bars(report: Report) -> tuple[str, list[Bar]]:
    """Return a caption and bars: what each type of leftover or kind of resource costs."""
    costs: defaultdict[str, float] = defaultdict(float)
    if report.plan is not None:
        title = "Price a month by kind"
        for resource in report.plan.resources:
            costs[resource.kind] += resource.monthly_usd or 0
    else:
        title = "Price a month by type"
        for finding in report.findings:
            if finding.status is LeftoverStatus.LEFTOVER:
                kind = str(finding.data.get("type") or finding.check)
                costs[kind] += finding.data.get("monthly_usd") or 0
    tone = "" if report.plan is not None else "leftover"
    rows = sorted(((usd, kind) for kind, usd in costs.items() if usd > 0), key=_longest)[:12]
    return title, [
        Bar(name=kind, shown=words.usd(usd), share=round(100 * usd / rows[0][0], 1), tone=tone)
        for usd, kind in rows
    ]


def _longest(row: tuple[float, str]) -> tuple[float, str]:
    return -row[0], row[1]

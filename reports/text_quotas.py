"""Draw the audit of quotas as a table, before what is wrong with some of them."""

from __future__ import annotations

from typing import Any

from preflight.finding import Finding, Status
from reports.page import Page
from reports.view import STATUS_ORDER, Report
from reports.words import SIGNS, number


def measured(report: Report) -> list[Finding]:
    """Return the findings that compare a use with a limit, the fullest first in each status."""
    found = [each for each in report.findings if each.data.get("limit") is not None]
    return sorted(found, key=_fullest)


def _fullest(finding: Finding) -> tuple[int, float, str]:
    limit, free = finding.data["limit"], finding.data.get("free")
    share = finding.data.get("share")
    if share is None:
        share = 0.0 if free is None or not limit else 100 * (limit - free) / limit
    # What was not counted says nothing, so it comes after what fits.
    skipped = finding.status is Status.SKIP
    order = len(STATUS_ORDER) if skipped else STATUS_ORDER.index(finding.status)
    return order, -share, finding.subject


def place(finding: Finding, found: list[Finding]) -> str:
    """Name what tells apart rows of one quota: the account and Region, the zone, the cluster."""
    keys = ("account", "counted_in", "within")
    differ = [key for key in keys if len({str(each.data.get(key) or "") for each in found}) > 1]
    return " ".join(str(finding.data[key]) for key in differ if finding.data.get(key))


def amount(finding: Finding, key: str) -> str:
    """Return one number of a quota; what is not known is said to be so."""
    value: Any = finding.data.get(key)
    return "?" if value is None else number(value)


def quotas(report: Report, page: Page) -> None:
    """Draw one row for each quota, those that are short first."""
    found = measured(report)
    if not found:
        return
    places = [place(finding, found) for finding in found]
    where = ("where",) if any(places) else ()
    page.gap()
    page.table(
        ("", "quota", *where, "code", "used", "limit", "needed", "free"),
        (
            (
                f"{SIGNS[finding.status.value]} {finding.status.value}",
                str(finding.data.get("name") or finding.subject),
                *((shown,) if where else ()),
                str(finding.data.get("code") or ""),
                *(amount(finding, key) for key in ("used", "limit", "needed", "free")),
            )
            for finding, shown in zip(found, places, strict=True)
        ),
        right=("used", "limit", "needed", "free"),
    )

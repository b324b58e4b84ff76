"""Draw the audit of quotas as a table, before what is wrong with some of them."""

from __future__ import annotations

from typing import Any

from preflight.finding import Finding
from reports.page import Page
from reports.view import Report
from reports.words import SIGNS, number


def measured(report: Report) -> list[Finding]:
    """Return the findings that compare a need with a limit, in the report's order."""
    return [each for each in report.findings if each.data.get("limit") is not None]


def amount(finding: Finding, key: str) -> str:
    """Return one number of a quota; what is not known is said to be so."""
    value: Any = finding.data.get(key)
    return "?" if value is None else number(value)


def quotas(report: Report, page: Page) -> None:
    """Draw one row for each quota, those that are short first."""
    found = measured(report)
    if not found:
        return
    page.gap()
    page.table(
        ("", "quota", "code", "used", "limit", "needed", "free"),
        (
            (
                f"{SIGNS[finding.status.value]} {finding.status.value}",
                str(finding.data.get("name") or finding.subject),
                str(finding.data.get("code") or ""),
                *(amount(finding, key) for key in ("used", "limit", "needed", "free")),
            )
            for finding in found
        ),
        right=("used", "limit", "needed", "free"),
    )

"""The report for the person at the terminal: what is, what to do, and last the verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from reports.clean import clean_lines
from reports.headline import headline
from reports.options import Options
from reports.page import Page
from reports.text_build import build, clusters, role
from reports.text_check import check
from reports.text_plan import plan
from reports.text_quotas import quotas
from reports.text_scan import scan
from reports.view import Kind, Outcome, Report
from reports.words import blind, coverage_line, duration, plural

_VERDICT_STYLES: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.INCOMPLETE: "bold magenta",
        Outcome.CLOSED: "bold red",
        Outcome.LEFTOVERS: "bold red",
        Outcome.FAILED: "bold red",
        Outcome.PARTIAL: "bold red",
        Outcome.REFUSED: "bold yellow",
        Outcome.INTERRUPTED: "bold yellow",
    }
)


def render(report: Report, *, options: Options) -> str:
    """Draw the report for `options.width` columns, or unbroken for a pipe."""
    page = Page(options)
    where = [report.account and f"account {report.account}", report.region]
    where += [report.cluster and f"cluster {report.cluster}"]
    facts = "  ".join(fact for fact in where if fact)
    page.line((f"preflight {report.kind}", "bold"), f"  {facts}")
    for draw in _BODIES[report.kind]:
        draw(report, page)
    if report.coverage:
        page.gap()
        page.prose(
            coverage_line(report.coverage), style="magenta" if blind(report.coverage) else "dim"
        )
    page.gap()
    page.line((headline(report), _VERDICT_STYLES.get(report.verdict, "bold green")))
    if report.calls:
        calls = plural(sum(report.calls.values()), "AWS call")
        page.line((f"{calls} in {duration(report.seconds)}", "dim"))
    return page.text()


def _policy(report: Report, page: Page) -> None:
    if report.policy is not None:
        page.gap()
        for line in clean_lines(json.dumps(report.policy, indent=2)).split("\n"):
            page.line(line)


_Body = Callable[[Report, Page], None]

_BODIES: Final[Mapping[Kind, tuple[_Body, ...]]] = MappingProxyType(
    {
        Kind.CHECK: (check,),
        Kind.QUOTAS: (quotas, check),
        Kind.PERMISSIONS: (_policy, check),
        Kind.PLAN: (plan, check),
        Kind.PROVISION: (build, check),
        Kind.DELETE: (build, scan),
        Kind.SCAN: (scan,),
        Kind.CLUSTERS: (clusters, check),
        Kind.ROLE: (role, check),
    }
)

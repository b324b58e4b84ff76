"""Shows an audit of quotas as a report, beside an earlier one where there is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from preflight.cli.asked import Asked
from preflight.errors import UsageError

if TYPE_CHECKING:
    from preflight.aws import Calls
    from preflight.cli.quota_audit import Audit
    from preflight.finding import Status
    from preflight.quotas.audit import Before, Place
    from reports.view import Outcome


def read(path: Path | None) -> dict[Place, Before]:
    """Read a baseline; raises `UsageError` or `SpecError` for what is none."""
    if path is None:
        return {}
    from preflight.quotas.audit import read_baseline
    from reports.view import Kind, read_report

    report = read_report(path)
    if report.kind is not Kind.QUOTAS:
        raise UsageError(
            f"{path} is a report of `preflight {report.kind}`",
            "write a baseline with `preflight quotas -o json:FILE`",
        )
    return read_baseline(finding.data for finding in report.findings)


def with_trend(found: Audit, before: dict[Place, Before]) -> Audit:
    """Put beside each row how it stood in the baseline; sort worst first."""
    from preflight.quotas.audit import worst_first

    rows = (replace(row, before=before.get(row.place)) for row in found.rows)
    return replace(found, rows=worst_first(rows))


def shown(found: Audit, asked: Asked, calls: Calls, *, exit: bool = True) -> None:
    """Show an audit as a report."""
    from preflight.cli.assemble import report
    from preflight.cli.show import show
    from preflight.finding import Status
    from reports.view import Kind

    findings = found.findings
    places = {(row.account, row.region) for row in found.rows}
    accounts, regions = {place[0] for place in places}, {place[1] for place in places}
    statuses = {Status(finding.status) for finding in findings}
    show(
        report(
            Kind.QUOTAS,
            outcome(statuses),
            asked=asked,
            calls=calls,
            complete=Status.UNKNOWN not in statuses,
            account=accounts.pop() if len(accounts) == 1 else None,
            region=regions.pop() if len(regions) == 1 else None,
            findings=findings,
            coverage=found.coverage,
        ),
        asked,
        exit=exit,
    )


def outcome(statuses: set[Status]) -> Outcome:
    """Let a shortfall beat what is not known, as everywhere."""
    from preflight.finding import Status
    from reports.view import Outcome

    if Status.FAIL in statuses:
        return Outcome.CLOSED
    return Outcome.INCOMPLETE if Status.UNKNOWN in statuses else Outcome.OPEN

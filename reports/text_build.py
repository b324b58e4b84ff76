"""Draw what was done: the steps of a build or a tear-down, the clusters there are, a role."""

from __future__ import annotations

from collections import Counter

from reports.page import Page
from reports.view import Report
from reports.words import TROUBLE, ago, duration, plural


def build(report: Report, page: Page) -> None:
    """Draw how far the steps came; those that went well only with `verbose`."""
    steps = report.steps or ()
    counts = Counter(step.state for step in steps)
    page.gap()
    said = ", ".join(f"{count:,} {state}" for state, count in counts.items())
    if steps:
        page.line(f"{plural(len(steps), 'resource')}: {said}")
    for step in steps:
        if step.error is None and step.state not in TROUBLE and not page.options.verbose:
            continue
        took = f"  {duration(step.seconds)}" if step.seconds is not None else ""
        style = "bold red" if step.state in TROUBLE else "green"
        page.line(
            (f"{'✗' if step.state in TROUBLE else '✓'} {step.state:<9} ", style),
            step.address,
            (f"  {step.id or ''}{took}", "dim"),
            indent=2,
        )
        if step.error:
            page.prose(step.error, indent=14)
        if step.hint:
            page.line(("fix  ", "dim"), (step.hint, "cyan"), indent=14)


def clusters(report: Report, page: Page) -> None:
    """Draw the clusters as a table, as `grid clusters` does."""
    rows = report.clusters or ()
    if not rows:
        return
    page.gap()
    page.table(
        ("id", "name", "type", "region", "status", "created"),
        (
            (
                row.id,
                row.name,
                row.type,
                row.region or "",
                row.status,
                ago(row.created, report.generated_at),
            )
            for row in rows
        ),
    )


def role(report: Report, page: Page) -> None:
    """Draw the role; of its external id only the file that holds it."""
    if report.role is None:
        return
    page.gap()
    page.line(("role_name    ", "dim"), report.role.role_name)
    page.line(("role_arn     ", "dim"), report.role.role_arn)
    if report.role.external_id_file:
        page.line(("external_id  ", "dim"), f"in {report.role.external_id_file}")

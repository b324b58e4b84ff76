"""The report for a spreadsheet: one row for each finding, cluster, resource or step.

Cells that a spreadsheet would run as a formula get a leading apostrophe (reports/clean.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from preflight.finding import Finding
from reports import words
from reports.clean import csv_cell
from reports.options import Options
from reports.view import Kind, Report, to_json

_FINDING = ("id", "check", "status", "severity", "subject", "message", "hint", "url", "waived")
_DATA = (
    *("type", "arn", "region", "cluster", "strength", "age_seconds", "monthly_usd"),
    *("service", "code", "name", "unit", "limit", "limit_source", "used", "needed", "free"),
    *("action", "resource", "decision", "layer"),
)
#: Kinds of report that are about something else than findings, and which section holds it.
_SECTIONS = {Kind.CLUSTERS: "clusters", Kind.PROVISION: "steps", Kind.PLAN: "plan"}


def render(report: Report, *, options: Options) -> str:  # noqa: ARG001 - one shape for all
    """Write a header and rows (RFC 4180, but with the newline of Unix)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    section = to_json(report).get(_SECTIONS.get(report.kind, ""))
    if section is None:
        writer.writerow((*_FINDING, *_DATA, "evidence", "delete"))
        writer.writerows(map(_finding, report.findings))
    else:
        rows = section["resources"] if isinstance(section, Mapping) else section
        writer.writerows(_records(rows))
    return buffer.getvalue()


def _finding(finding: Finding) -> list[Any]:
    cells = [_cell(getattr(finding, name)) for name in _FINDING]
    cells += [_cell(finding.data.get(name)) for name in _DATA]
    return [
        *cells,
        csv_cell("; ".join(words.evidence(finding))),
        csv_cell(" && ".join(words.commands(finding))),
    ]


def _records(rows: Iterable[Mapping[str, Any]]) -> Iterable[list[Any]]:
    for index, row in enumerate(rows):
        if index == 0:
            yield list(row)
        yield [_cell(value) for value in row.values()]


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        value = " ".join(map(str, value))
    return csv_cell(str(value))

"""The report for programs: whole as one JSON document, or one line for each finding.

Pure ASCII: JSON writes every control character and bidi mark as `\\uXXXX`, so nothing is lost
and nothing reaches the terminal.
"""

from __future__ import annotations

import json
from typing import Any

from reports.options import Options
from reports.view import Report, to_json


def render(report: Report, *, options: Options) -> str:  # noqa: ARG001 - one shape for all
    """Write version 1 as indented JSON."""
    return json.dumps(to_json(report), indent=2, allow_nan=False) + "\n"


def render_lines(report: Report, *, options: Options) -> str:  # noqa: ARG001 - one shape for all
    """Write JSON Lines: first the report without its findings, then each finding.

    The key `record` says which of the two a line is (`report`, `finding`).
    """
    record = to_json(report)
    findings = record.pop("findings")
    lines = [_line("report", record), *(_line("finding", finding) for finding in findings)]
    return "".join(lines)


def _line(name: str, record: dict[str, Any]) -> str:
    return json.dumps({"record": name, **record}, allow_nan=False) + "\n"

"""The report as GitHub annotations: workflow commands that mark the run.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
GitHub shows ten errors and ten warnings of a step, so the worst come first.
"""

from __future__ import annotations

from preflight.finding import Finding
from reports.clean import github_message, github_property
from reports.headline import headline
from reports.options import Options
from reports.view import Outcome, Report, Step
from reports.words import TROUBLE, blind, commands, is_waived, needs

_LEVELS = {
    "fail": "error",
    "leftover": "error",
    "unknown": "error",
    "warn": "warning",
    "possible": "warning",
    "wait": "notice",
}


def render(report: Report, *, options: Options) -> str:
    """Write one command for each finding somebody has to read, and one for the verdict."""
    lines = [_step(step, options) for step in report.steps or () if step.state in TROUBLE]
    lines += [
        _finding(finding, options) for finding in report.findings if finding.status.value in _LEVELS
    ]
    for line in blind(report.coverage):
        lines.append(_command("warning", line.rule, needs(line), options))
    fine = report.verdict.exit_code == 0 or report.verdict is Outcome.INTERRUPTED
    level = "notice" if fine else "error"
    lines.append(_command(level, f"preflight {report.kind}", headline(report), options))
    return "".join(lines)


def _finding(finding: Finding, options: Options) -> str:
    level = "notice" if is_waived(finding) else _LEVELS[finding.status.value]
    message = [finding.message, finding.hint, *commands(finding)]
    if finding.waived is not None:
        message.append(f"waived: {finding.waived}")
    title = f"{finding.check}: {finding.subject}"
    return _command(level, title, "\n".join(filter(None, message)), options)


def _step(step: Step, options: Options) -> str:
    message = "\n".join(filter(None, [step.error or step.state, step.hint]))
    level = "error" if step.state == "failed" else "warning"
    return _command(level, f"{step.address} {step.state}", message, options)


def _command(level: str, title: str, message: str, options: Options) -> str:
    file = f"file={github_property(options.spec_path)}," if options.spec_path else ""
    return f"::{level} {file}title={github_property(title)}::{github_message(message)}\n"

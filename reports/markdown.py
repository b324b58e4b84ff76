"""The report for a pull request or a job summary (GITHUB_STEP_SUMMARY), in GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from preflight.finding import Finding, Status
from reports import words
from reports.clean import clean, markdown, markdown_code, safe_url
from reports.headline import headline
from reports.options import Options
from reports.text_plan import changes, cost
from reports.view import PlanSection, Report

#: A job summary may have 1 MiB, and nobody reads more: the worst come first.
MAX_FINDINGS: Final = 500


def render(report: Report, *, options: Options) -> str:
    """Write the verdict, then tables and findings; what passed is listed only with `verbose`."""
    facts = [report.account, report.region, report.cluster]
    lines = [f"## {markdown(headline(report))}", ""]
    lines += [" · ".join(markdown_code(fact) for fact in facts if fact), ""]
    if report.clusters is not None:
        lines += _clusters(report)
    if report.plan is not None:
        lines += _plan(report.plan)
    if report.steps:
        lines += _steps(report)
    hidden = set() if options.verbose else {Status.PASS, Status.SKIP}
    shown = [finding for finding in report.findings if finding.status not in hidden]
    for finding in shown[:MAX_FINDINGS]:
        lines += _finding(finding)
    if len(shown) > MAX_FINDINGS:
        lines += ["", f"And {len(shown) - MAX_FINDINGS:,} more; the JSON report has them all."]
    if report.role is not None:
        role = report.role
        lines += _table(("role", "ARN"), [(markdown(role.role_name), _code(role.role_arn))])
    if report.coverage:
        said = clean(words.coverage_line(report.coverage))
        lines += ["", f"{markdown(said[:1].upper() + said[1:])}."]
    return "\n".join(lines).rstrip() + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _code(text: str) -> str:
    return markdown_code(text, cell=True)


def _clusters(report: Report) -> list[str]:
    rows = (
        [_code(row.id)]
        + [markdown(cell) for cell in (row.name, row.type, row.region or "", row.status)]
        + [words.ago(row.created, report.generated_at)]
        for row in report.clusters or ()
    )
    return _table(("id", "name", "type", "region", "status", "created"), rows)


def _plan(plan: PlanSection) -> list[str]:
    kinds: dict[str, list[int]] = {}
    for place, resource in enumerate(plan.resources):
        kinds.setdefault(resource.kind, []).append(place)
    groups = {kind: [plan.resources[place] for place in some] for kind, some in kinds.items()}
    lines = _table(
        ("kind", "change", "count", "a month"),
        (
            (_code(kind), changes(some), f"{len(some):,}", markdown(cost(some)))
            for kind, some in groups.items()
        ),
    )
    rows = (
        (
            markdown(each.name),
            _code(each.code),
            markdown(each.within or ""),
            f"{words.number(each.amount)} {markdown(each.unit or '')}".strip(),
        )
        for each in plan.demands
    )
    lines += _table(("quota", "code", "within", "needed"), rows) if plan.demands else []
    return [*lines, *(f"- Not in the price: {markdown(note)}" for note in plan.unpriced), ""]


def _steps(report: Report) -> list[str]:
    bad = [step for step in report.steps or () if step.state in words.TROUBLE]
    rows = (
        (
            _code(step.address),
            f"✗ {markdown(step.state)}",
            markdown(step.error or ""),
            _code(step.hint or ""),
        )
        for step in bad
    )
    return _table(("resource", "state", "reason", "fix"), rows) if bad else []


def _finding(finding: Finding) -> list[str]:
    status = finding.status.value
    line = f"- {markdown(words.SIGNS[status])} **{status}** {markdown_code(finding.subject)}: "
    line += markdown(finding.message)
    if finding.data.get("monthly_usd"):
        line += f" ({markdown(words.usd(finding.data['monthly_usd']))} a month)"
    url = safe_url(finding.url)
    line += f" [documentation](<{url}>)" if url else ""
    inner = [f"waived: {markdown(finding.waived)}"] if finding.waived is not None else []
    inner += [f"evidence: {markdown(proof)}" for proof in words.evidence(finding)]
    inner += [markdown_code(command) for command in words.commands(finding)]
    if finding.hint and finding.status is not Status.PASS:
        code = words.is_command(finding.hint)
        inner.append(markdown_code(finding.hint) if code else _prose(finding.hint))
    return [line, *(f"  - {each}" for each in inner)]


def _prose(hint: str) -> str:
    """Show a hint, and what it has between backticks as code; nothing else of it is markup."""
    parts = hint.split("`")
    if len(parts) % 2 == 0:
        return markdown(hint)  # one of them has no other: they are part of the text
    return "".join(
        markdown_code(part) if number % 2 else markdown(part) for number, part in enumerate(parts)
    )

"""Draw the findings of checks: one line for each check, then what is wrong and what to do."""

from __future__ import annotations

from itertools import groupby

from preflight.finding import Finding, Status
from reports.clean import clean, safe_url
from reports.page import Page
from reports.view import STATUS_ORDER, Report
from reports.words import is_command, is_waived, tally

_COUNTS = {"fail": "failed", "unknown": "unknown", "warn": "warned", "skip": "skipped"}


def check(report: Report, page: Page) -> None:
    """Draw each check, the worst first; what passed is listed only with `verbose`."""
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:  # worst first already, so groups come out worst first
        groups.setdefault(finding.check, []).append(finding)
    if groups:
        page.gap()
    for name, findings in groups.items():
        worst = min((each.status for each in findings), key=STATUS_ORDER.index)
        page.status(worst.value, (name, "bold"), f"  {_summary(findings)}")
        shown = [f for f in findings if f.status is not Status.PASS or page.options.verbose]
        for (hint, url), alike in groupby(sorted(shown, key=_place), key=_remedy):
            run = list(alike)
            for finding in run:
                _finding(finding, page)
            _say_remedy(
                hint, url, page, label="fix  " if len(run) == 1 else f"fix all {len(run)}  "
            )


def _place(finding: Finding) -> tuple[int, str]:
    return STATUS_ORDER.index(finding.status), finding.subject


def _summary(findings: list[Finding]) -> str:
    counts = tally(findings)
    if set(counts) == {"pass"}:
        return f"{counts['pass']:,} passed"
    said = [f"{counts[word]:,} {name}" for word, name in _COUNTS.items() if counts[word]]
    return ", ".join(said + ([f"{counts['pass']:,} passed"] if counts["pass"] else []))


def _finding(finding: Finding, page: Page) -> None:
    waived = "  (waived)" if is_waived(finding) else ""
    page.status(finding.status.value, finding.subject, (waived, "dim"), indent=2)
    page.prose(finding.message, indent=13)
    if finding.waived is not None:
        page.prose(finding.waived, indent=13, label="waived  ")


def _remedy(finding: Finding) -> tuple[str | None, str | None]:
    """What to do, and the page it rests on: told once for all findings in a row that share it."""
    return (None, None) if finding.status is Status.PASS else (finding.hint, finding.url)


def _say_remedy(hint: str | None, url: str | None, page: Page, *, label: str) -> None:
    if hint and _is_copied(hint):
        page.line((label, "dim"), (clean(hint), "cyan"), indent=13)
    elif hint:
        page.prose(hint, indent=13, label=label, style="cyan")
    if address := safe_url(url):
        page.line(("see  ", "dim"), (address, "dim"), indent=13)


def _is_copied(hint: str) -> bool:
    """Whether a hint has a command in it, which has to stay in one piece to be copied."""
    return "`" in hint or is_command(hint)

"""Draw what the sweeper found: leftovers with evidence, price and the command that removes each."""

from __future__ import annotations

from collections.abc import Sequence

from preflight.finding import Finding, LeftoverStatus
from reports.page import Page
from reports.view import Report
from reports.words import age, commands, evidence, left_over, monthly_usd, plural, usd

#: Status, heading, and what it means for the reader.
_PARTS = (
    (LeftoverStatus.POSSIBLE, "Possible", "belongs to some cluster; not counted, never deleted"),
    (LeftoverStatus.WAIT, "Wait", "is on its way out; look again later"),
    (LeftoverStatus.GHOST, "Ghosts", "AWS's index still lists it; the thing itself is gone"),
    (LeftoverStatus.KEEP, "Keep", "is shared or kept on purpose"),
    (LeftoverStatus.UNKNOWN, "Could not look", "nobody knows what is there"),
)


def scan(report: Report, page: Page) -> None:
    """Draw leftovers by type, the dearest first; then the rest, each for what it is."""
    left = [each for each in report.findings if each.status is LeftoverStatus.LEFTOVER]
    if left:
        page.heading(f"Leftovers  {plural(len(left), 'thing')}, {left_over(left)}")
    for kind, things in by_type(left):
        page.gap()
        page.status("leftover", (kind, "bold"), f"  {len(things):,}, {left_over(things)}")
        for finding in things:
            _leftover(finding, page, report.region)
    for status, title, meaning in _PARTS:
        some = [each for each in report.findings if each.status == status]
        if some:
            page.heading(f"{title}  {len(some):,}")
            page.prose(meaning, style="dim")
        for finding in some:
            _other(finding, page)
    _checks(report, page)


def by_type(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    """Group leftovers by type of thing, the dearest group and thing first."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(str(finding.data.get("type") or finding.check), []).append(finding)
    ordered = sorted(groups.items(), key=lambda group: (-monthly_usd(group[1]), group[0]))
    return [(kind, sorted(things, key=_dearest)) for kind, things in ordered]


def _dearest(finding: Finding) -> tuple[float, str]:
    return -(finding.data.get("monthly_usd") or 0.0), finding.subject


def facts(finding: Finding, *, here: str | None = None) -> str:
    """Say what matters of one thing: price, severity, age, and its Region unless that is `here`."""
    data = finding.data
    said = [f"{usd(data['monthly_usd'])} a month"] if data.get("monthly_usd") is not None else []
    if not said and finding.status is LeftoverStatus.LEFTOVER:
        said = ["not priced"]
    if finding.severity.value in {"medium", "high"}:
        said.append(f"{finding.severity.value} severity")
    if data.get("age_seconds") is not None:
        said.append(f"{age(data['age_seconds'])} old")
    if data.get("region") not in {None, "", here}:
        said.append(str(data["region"]))
    return ", ".join(said)


def _leftover(finding: Finding, page: Page, here: str | None) -> None:
    data = finding.data
    page.line((finding.subject, "bold"), (f"  {facts(finding, here=here)}", "dim"), indent=2)
    page.prose(finding.message, indent=4)
    if data.get("arn") and data["arn"] != finding.subject:
        page.line(("arn     ", "dim"), str(data["arn"]), indent=4)
    for proof in evidence(finding):
        page.line(("why     ", "dim"), proof, indent=4)
    for label, key in (("blocks  ", "blocks"), ("first   ", "blocked_by")):
        if data.get(key):
            page.line((label, "dim"), ", ".join(map(str, data[key])), indent=4)
    for command in commands(finding):
        page.line(("fix     ", "dim"), (command, "cyan"), indent=4)
    if not commands(finding) and finding.hint:
        page.line(("fix     ", "dim"), (finding.hint, "cyan"), indent=4)


def _other(finding: Finding, page: Page) -> None:
    kind = finding.data.get("type") or finding.check
    price = finding.data.get("monthly_usd")
    cost = f"  {usd(price)} a month" if price else ""
    page.status(finding.status.value, finding.subject, (f"  {kind}{cost}", "dim"), indent=2)
    page.prose(finding.message, indent=13)
    for proof in evidence(finding):
        page.line(("why  ", "dim"), proof, indent=13)
    if finding.hint:
        page.line(("fix  ", "dim"), (finding.hint, "cyan"), indent=13)


def _checks(report: Report, page: Page) -> None:
    """Draw what is no leftover but a finding all the same, such as a failed look."""
    known = {LeftoverStatus.LEFTOVER, *(status for status, _, _ in _PARTS)}
    for finding in report.findings:
        if finding.status not in known:
            _other(finding, page)

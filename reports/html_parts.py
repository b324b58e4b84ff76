"""What the page lists: findings by status and check or type, without saying things twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from preflight.finding import Finding, LeftoverStatus, Status
from reports import words
from reports.clean import clean, safe_url
from reports.text_scan import by_type, facts
from reports.view import STATUS_ORDER, Report

TITLES = {
    "fail": "Failed",
    "leftover": "Leftovers",
    "unknown": "Unknown",
    "warn": "Warnings",
    "possible": "Possible",
    "wait": "Wait",
    "ghost": "Ghosts",
    "keep": "Keep",
    "skip": "Skipped",
    "pass": "Passed",
}
_MEANINGS = {
    "unknown": "could not be looked at",
    "possible": "of some cluster; not counted, never deleted",
    "wait": "on their way out; look again later",
    "ghost": "still listed by AWS's index, but gone",
    "keep": "shared, or kept on purpose",
}
#: What is folded away, because nobody has to act on it.
_FOLDED = frozenset({Status.PASS, Status.SKIP, LeftoverStatus.KEEP, LeftoverStatus.GHOST})


@dataclass(frozen=True, kw_only=True)
class Line:
    """One finding as the page shows it; what would repeat itself is left out."""

    id: str
    status: str
    subject: str
    message: str
    facts: str
    arn: str | None
    proofs: Sequence[str]
    blocks: str
    first: str
    fixes: Sequence[str]
    advice: str | None
    waived: str | None


@dataclass(frozen=True, kw_only=True)
class Group:
    """The findings of one check, or the leftovers of one type.

    What all lines of a group have in common is said once, in `shared`: a thousand findings stay
    readable, and the page small.
    """

    name: str
    note: str
    url: str | None
    shared: Line | None
    lines: Sequence[Line]


@dataclass(frozen=True, kw_only=True)
class Part:
    """The findings of one status."""

    status: str
    title: str
    meaning: str
    count: int
    folded: bool
    groups: Sequence[Group]


def parts(report: Report) -> list[Part]:
    """Return the findings by status, and inside a status by check or type."""
    found: list[Part] = []
    for status in STATUS_ORDER:
        some = [each for each in report.findings if each.status == status]
        if some:
            part = Part(
                status=status.value,
                title=TITLES[status.value],
                meaning=_MEANINGS.get(status.value, ""),
                count=len(some),
                folded=status in _FOLDED,
                groups=_groups(status, some, report.region),
            )
            found.append(part)
    return found


def _groups(
    status: Status | LeftoverStatus, some: list[Finding], region: str | None
) -> list[Group]:
    if isinstance(status, LeftoverStatus):
        return [_group(kind, things, region) for kind, things in by_type(some)]
    checks: dict[str, list[Finding]] = {}
    for finding in some:
        checks.setdefault(finding.check, []).append(finding)
    return [_group(name, findings, region) for name, findings in checks.items()]


def _group(name: str, findings: list[Finding], region: str | None) -> Group:
    cost = words.monthly_usd(findings) or words.without_price(findings)
    urls = [safe_url(finding.url) for finding in findings if finding.url]
    shared, lines = _share([_line(finding, region) for finding in findings])
    return Group(
        name=name,
        note=words.left_over(findings) if cost else "",
        url=urls[0] if urls else None,
        shared=shared,
        lines=lines,
    )


#: What can be said once for a group, and what stands in a line for "as said above".
_SHARED: Final[Mapping[str, Any]] = MappingProxyType(
    {"message": "", "arn": None, "proofs": (), "advice": None, "blocks": "", "first": ""}
)


def _share(lines: list[Line]) -> tuple[Line | None, list[Line]]:
    """Take out of the lines what all of them say; an ARN may differ in the id at its end."""
    if len(lines) < 3:
        return None, lines
    blank = replace(lines[0], id="", subject="", facts="", fixes=(), waived=None, **_SHARED)
    said: dict[str, Any] = {}
    for name in _SHARED:
        values = {_pattern(line, name) for line in lines}
        if len(values) == 1 and (value := values.pop()):
            said[name] = value
    bare = [replace(line, **{name: _SHARED[name] for name in said}) for line in lines]
    return (replace(blank, **said), bare) if said else (None, lines)


def _pattern(line: Line, name: str) -> Any:
    value = getattr(line, name)
    if name == "arn" and value and value.endswith(line.subject):
        return value.removesuffix(line.subject) + "…"
    return tuple(value) if name == "proofs" else value


def _line(finding: Finding, region: str | None) -> Line:
    data = finding.data
    arn = data.get("arn")
    quiet = finding.status in {Status.PASS, Status.SKIP}
    fixes, advice = words.commands(finding), finding.hint
    if words.is_command(finding.hint):  # a command is shown once, as one
        fixes, advice = fixes or [finding.hint or ""], None
    return Line(
        id=finding.id,
        status=finding.status.value,
        subject=finding.subject,
        message=finding.message,
        facts=facts(finding, here=region) if "type" in data else "",
        arn=clean(str(arn)) if arn and arn != finding.subject else None,
        proofs=words.evidence(finding),
        blocks=", ".join(map(str, data.get("blocks") or ())),
        first=", ".join(map(str, data.get("blocked_by") or ())),
        fixes=[] if quiet else fixes,
        advice=None if quiet else advice,
        waived=finding.waived,
    )

"""What the page shows, worked out: the numbers at its head, its bars, its lists of findings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from preflight.finding import Finding, LeftoverStatus, Status
from reports import words
from reports.clean import clean, safe_url
from reports.text_scan import by_type, facts
from reports.view import STATUS_ORDER, Report

_TITLES = {
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
class Bar:
    """One bar of a chart: `share` is 0 to 100, of the longest."""

    name: str
    shown: str
    share: float
    tone: str


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


def cards(report: Report) -> list[tuple[str, str, str]]:
    """Return the numbers at the head of the page: figure, what it counts, its tone."""
    waived = sum(map(words.is_waived, report.findings))
    counts = words.tally(each for each in report.findings if not words.is_waived(each))
    shown: list[tuple[str, str, str]] = []
    if counts["leftover"]:
        shown.append((words.usd(words.monthly_usd(report.findings)), "a month, left over", "bad"))
    if report.plan is not None:
        shown.append((words.usd(report.plan.monthly_usd), "a month", ""))
        shown.append((f"{len(report.plan.resources):,}", "resources", ""))
        shown.append((f"{len(report.plan.actions):,}", "permissions", ""))
    shown += [
        (f"{counts[status]:,}", title.lower(), status)
        for status, title in _TITLES.items()
        if counts[status]
    ]
    shown += [(f"{waived:,}", "waived", "soft")] if waived else []
    states = Counter(step.state for step in report.steps or ())
    shown += [
        (f"{count:,}", state, "bad" if state in words.TROUBLE else "good")
        for state, count in states.items()
    ]
    if report.coverage:
        looked = len(report.coverage) - len(words.blind(report.coverage))
        tone = "unknown" if words.blind(report.coverage) else ""
        shown.append((f"{looked:,} of {len(report.coverage):,}", "rules could look", tone))
    return shown


def bars(report: Report) -> tuple[str, list[Bar]]:
    """Return a caption and bars: what each type of leftover or kind of resource costs."""
    costs: defaultdict[str, float] = defaultdict(float)
    if report.plan is not None:
        title = "Price a month by kind"
        for resource in report.plan.resources:
            costs[resource.kind] += resource.monthly_usd or 0
    else:
        title = "Price a month by type"
        for finding in report.findings:
            if finding.status is LeftoverStatus.LEFTOVER:
                kind = str(finding.data.get("type") or finding.check)
                costs[kind] += finding.data.get("monthly_usd") or 0
    tone = "" if report.plan is not None else "leftover"
    rows = sorted(((usd, kind) for kind, usd in costs.items() if usd > 0), key=_longest)[:12]
    return title, [
        Bar(name=kind, shown=words.usd(usd), share=round(100 * usd / rows[0][0], 1), tone=tone)
        for usd, kind in rows
    ]


def _longest(row: tuple[float, str]) -> tuple[float, str]:
    return -row[0], row[1]


def parts(report: Report) -> list[Part]:
    """Return the findings by status, and inside a status by check or type."""
    found: list[Part] = []
    for status in STATUS_ORDER:
        some = [each for each in report.findings if each.status == status]
        if some:
            part = Part(
                status=status.value,
                title=_TITLES[status.value],
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
    cost = words.monthly_usd(findings)
    urls = [safe_url(finding.url) for finding in findings if finding.url]
    shared, lines = _share([_line(finding, region) for finding in findings])
    return Group(
        name=name,
        note=f"{words.usd(cost)} a month" if cost else "",
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
    if not fixes and words.is_command(finding.hint):
        fixes, advice = [finding.hint or ""], None
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

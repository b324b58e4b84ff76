"""The verdict as one sentence: the last line of the text, the first of the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from reports.clean import clean
from reports.view import Kind, Outcome, PlanSection, Report
from reports.words import (
    TROUBLE,
    blind,
    duration,
    is_waived,
    left_over,
    monthly_total,
    plural,
    tally,
)

#: What a check could not see is an unknown finding, and counted.
_SAYS_ITSELF: Final = frozenset({Kind.CHECK, Kind.SCAN, Kind.DELETE})
_CUT_SHORT: Final = frozenset({Outcome.REFUSED, Outcome.INTERRUPTED})

_COUNTED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "fail": ("failed", "failed"),
        "unknown": ("unknown", "unknown"),
        "warn": ("warning", "warnings"),
        "pass": ("passed", "passed"),
        "skip": ("skipped", "skipped"),
    }
)


def headline(report: Report) -> str:
    """Say the verdict as one line, the last of the text and the first of the page."""
    said = "" if report.verdict in _CUT_SHORT else _said(report)
    said = said or f"{report.kind} {report.verdict}"
    if report.complete or report.kind in _SAYS_ITSELF:
        return said
    return said + _incomplete(len(blind(report.coverage)))


def _said(report: Report) -> str:  # noqa: PLR0911 - one line for each kind
    match report.kind:
        case Kind.CHECK:
            return f"gate {_gate_word(report)}: {_counts(report)}"
        case Kind.PERMISSIONS if report.policy and not report.findings:
            return "permissions: policy written"
        case Kind.QUOTAS if {each.check for each in report.findings} == {"quota-request"}:
            return f"quota requests: {_standings(report)}"
        case Kind.QUOTAS | Kind.PERMISSIONS:
            return f"{report.kind} {_audit_word(report)}: {_counts(report)}"
        case Kind.SCAN | Kind.DELETE:
            return _leftovers(report)
        case Kind.PROVISION:
            steps = _steps(report)
            return steps if report.verdict is Outcome.BUILT else f"{report.verdict}: {steps}"
        case Kind.CLUSTERS:
            return plural(len(report.clusters or ()), "cluster")
        case Kind.PLAN:
            return f"plan: {_changes(report.plan)}" if report.plan else ""
        case Kind.ROLE:
            return f"role {clean(report.role.role_name)}" if report.role else ""


def _standings(report: Report) -> str:
    counts = Counter(str(each.data.get("standing") or each.status) for each in report.findings)
    return ", ".join(f"{count:,} {word}" for word, count in sorted(counts.items()))


def _gate_word(report: Report) -> str:
    return "open" if report.verdict is Outcome.OPEN else "closed"


def _audit_word(report: Report) -> str:
    words = {Outcome.OPEN: "sufficient", Outcome.DONE: "sufficient", Outcome.CLOSED: "short"}
    return words.get(report.verdict, str(report.verdict))


def _counts(report: Report) -> str:
    counts = tally(finding for finding in report.findings if not is_waived(finding))
    waived = sum(map(is_waived, report.findings))
    words = ["fail", "unknown", "warn"]
    if not any(counts[word] for word in ("fail", "unknown")):
        words = ["pass", "warn", "skip"]
    said = [
        f"{counts[word]:,} {_COUNTED[word][counts[word] != 1]}" for word in words if counts[word]
    ]
    said += [f"{waived:,} waived"] if waived else []
    return (
        f"{', '.join(said) or 'nothing looked at'} (of {plural(len(report.findings), 'finding')})"
    )


def _leftovers(report: Report) -> str:
    counts = tally(report.findings)
    said = ""
    if report.kind is Kind.DELETE:
        said = f"{_steps(report, 'deleted')}; "
    left = counts["leftover"]
    if left:
        said += f"{plural(left, 'leftover')}, {left_over(report.findings)}"
    else:
        said += "no leftovers"
    if counts["possible"]:
        said += f"; {counts['possible']:,} possible, not counted"
    missing = max(len(blind(report.coverage)), counts["unknown"])
    return said + _incomplete(missing) if missing or not report.complete else said


def _incomplete(missing: int) -> str:
    return "; incomplete" + (f": {plural(missing, 'rule')} could not look" if missing else "")


def _steps(report: Report, done: str = "built") -> str:
    steps = report.steps or ()
    bad = Counter(step.state for step in steps if step.state in TROUBLE)
    fine = len(steps) - bad.total()
    said = ", ".join(f"{count:,} {state}" for state, count in sorted(bad.items(), reverse=True))
    total = plural(len(steps), "resource")
    took = duration(report.seconds)
    return f"{fine:,} of {total} {done} in {took}; {said}" if bad else f"{total} {done} in {took}"


def _changes(plan: PlanSection) -> str:
    changes = Counter(resource.change.value for resource in plan.resources)
    said = ", ".join(f"{count:,} to {change}" for change, count in changes.items())
    total = monthly_total(plan.monthly_usd, plan.without_price)
    price = f"; {total}" if plan.monthly_usd or plan.without_price else ""
    return f"{plural(len(plan.resources), 'resource')} ({said or 'none'}){price}"

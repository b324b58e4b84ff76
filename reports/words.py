"""The words that every format for people shares: signs, money, ages, evidence, commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from preflight.finding import Coverage, Finding, LeftoverStatus, Status
from reports.clean import clean, command_line

#: A status is a word and a sign; colour only repeats them.
SIGNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pass": "✓",
        "warn": "!",
        "fail": "✗",
        "unknown": "?",
        "skip": "-",
        "leftover": "✗",
        "possible": "~",
        "wait": "…",
        "keep": "=",
        "ghost": "·",
    }
)

#: Step states that mean the resource is not where it should be.
TROUBLE: Final = frozenset({"failed", "cancelled", "blocked", "refused", "interrupted"})


def plural(number: int, one: str, many: str | None = None) -> str:
    """Count things: `1 rule`, `1,204 rules`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def usd(amount: float | None) -> str:
    """Write US dollars; what has no known price is said to have none."""
    if amount is None:
        return "no price"
    if 0 < amount < 0.005:
        return "< $0.01"
    return f"${amount:,.2f}"


def number(value: Any) -> str:
    """Write a quota's number without a needless fraction."""
    return f"{value:,g}" if isinstance(value, (int, float)) and abs(value) < 1e6 else f"{value:,}"


def duration(seconds: float) -> str:
    """Write how long something took: `0.4 s`, `3 min 20 s`, `1 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 // 60 else "")


def age(seconds: float) -> str:
    """Write an age in its largest unit: `2 days`, `1 hour`, `5 minutes`."""
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return plural(int(seconds // size), unit)
    return "less than a minute"


def ago(then: datetime | None, now: datetime) -> str:
    """Write when something was made, seen from the moment of the report."""
    return "unknown" if then is None else f"{age((now - then).total_seconds())} ago"


def tally(findings: Iterable[Finding]) -> Counter[str]:
    """Count the findings of each status; a waived failure no longer closes the gate."""
    return Counter(finding.status.value for finding in findings)


def is_waived(finding: Finding) -> bool:
    """Tell whether somebody let the gate open in spite of this."""
    return finding.waived is not None and finding.status in {Status.FAIL, Status.UNKNOWN}


def monthly_usd(findings: Iterable[Finding]) -> float:
    """Add up what the leftovers cost a month; what is only possible is not counted."""
    left = (found for found in findings if found.status is LeftoverStatus.LEFTOVER)
    return sum(found.data.get("monthly_usd") or 0.0 for found in left)


def without_price(findings: Iterable[Finding]) -> int:
    """Count the leftovers whose price nobody knows; 0.0 is a price."""
    left = (found for found in findings if found.status is LeftoverStatus.LEFTOVER)
    return sum(found.data.get("monthly_usd") is None for found in left)


def monthly_total(priced: float | None, unpriced: int) -> str:
    """Write a sum a month so that what it leaves out is never taken for free."""
    if not unpriced:
        return f"{usd(priced)} a month"
    if not priced:
        return f"{unpriced:,} not priced"
    return f"at least {usd(priced)} a month; {unpriced:,} not priced"


def left_over(findings: Sequence[Finding]) -> str:
    """Write what leftovers cost together."""
    return monthly_total(monthly_usd(findings), without_price(findings))


def commands(finding: Finding) -> list[str]:
    """Return the shell commands that remove a leftover, in order, quoted for bash.

    `data["delete"]` is one command as argv, or a list of argv, or of finished command lines.
    """
    asked: Sequence[Any] = finding.data.get("delete") or ()
    if asked and all(isinstance(word, str) for word in asked):
        if " " not in asked[0]:
            return [command_line(asked)]
        return [clean(line) for line in asked]
    return [clean(each) if isinstance(each, str) else command_line(each) for each in asked]


def is_command(hint: str | None) -> bool:
    """Tell whether a hint is a command to run as it stands, rather than a sentence."""
    return hint is not None and hint.startswith(("aws ", "preflight ", "kubectl ", "terraform "))


def evidence(finding: Finding) -> list[str]:
    """Return why a thing is held to be the cluster's: strength and proof, one line for each."""
    strength = finding.data.get("strength") or ""
    return [clean(_proof(each, str(strength))) for each in finding.data.get("evidence") or ()]


def _proof(proof: Any, strength: str) -> str:
    said = str(proof)
    if isinstance(proof, Mapping):
        strength = str(proof.get("strength") or strength)
        said = str(proof.get("text") or f"{proof.get('key', 'seen')}={proof.get('value', '')}")
    return f"{strength}: {said}" if strength else said


def blind(coverage: Iterable[Coverage]) -> list[Coverage]:
    """Return the rules that could not look."""
    return [line for line in coverage if line.status in {Status.UNKNOWN, Status.FAIL}]


def needs(line: Coverage) -> str:
    """Say what a rule that could not look would need."""
    return (
        f"could not look; needs {clean(line.missing_action)}"
        if line.missing_action
        else ("could not look")
    )


def coverage_line(coverage: Sequence[Coverage]) -> str:
    """Say what was looked at and, as loudly, what could not be."""
    things = sum(line.examined for line in coverage)
    said = f"looked at {plural(len(coverage), 'rule')}, {plural(things, 'thing')}"
    missing = blind(coverage)
    if not missing:
        return said
    return f"{said}; could not look: " + ", ".join(
        clean(line.rule) + (f" (needs {clean(line.missing_action)})" if line.missing_action else "")
        for line in missing
    )

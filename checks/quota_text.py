"""How the checks of quotas speak: what stands, what is missing, and the command that helps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from preflight.check import Answer
from preflight.finding import Coverage, Severity, Status
from preflight.quota import Limit, Quota
from preflight.quotas.catalogue import by_key
from preflight.quotas.figures import Figure
from preflight.quotas.limits import Unknown


def number(value: float) -> str:
    """Write a number as people do: `1,000,000`, `0.25`."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def amount(needed: float | None, quota: Quota) -> str:
    """Write what the plan takes."""
    if needed is None:
        return "an unknown number"
    return number(needed) if quota.unit == "count" else f"{number(needed)} {quota.unit}"


def subject(figure: Figure) -> str:
    """Name what is judged, the same in every run: names of quotas drift, codes do not."""
    return f"{figure.quota} {figure.within}".strip()


def stands(figure: Figure) -> str:
    """Say how a quota stands: `VPCs per Region: 5 of 5 in use`."""
    where = f" in {figure.within}" if figure.within else ""
    limit = number(figure.limit.value) if isinstance(figure.limit, Limit) else "an unknown number"
    used = "some" if isinstance(figure.used, Unknown) else number(figure.used)
    fullest = f" in {figure.fullest}" if figure.fullest else ""
    return f"{figure.quota.name}{where}: {used} of {limit} in use{fullest}"


def softer(figure: Figure) -> str:
    """Add that a limit which is not an applied one can hide an increase that was granted."""
    if not isinstance(figure.limit, Limit) or figure.limit.source == "applied":
        return ""
    whose = "AWS's default" if figure.limit.source == "default" else "a number built into Preflight"
    return f" (the limit is {whose}: an increase that was granted would not show)"


def severity(figure: Figure) -> Severity | None:
    """Weigh a shortfall: less where the limit may be higher than it seems."""
    return Severity.MEDIUM if softer(figure) else None


def how_to_raise(figure: Figure, request: float | None) -> str:
    """Give the commands that ask AWS for a limit of `request`; None is one AWS does not grant."""
    quota = figure.quota
    if request is None:
        most = f" above {number(quota.maximum)}" if quota.adjustable and quota.maximum else ""
        return f"AWS does not raise this limit{most}: delete what is not used, or plan for less"
    why = ""
    if quota.follows and (leading := by_key(*quota.follows.split("/"))):
        why, quota = f"raising {leading.name} raises this too: ", leading
    value = f"{request:.0f}" if float(request).is_integer() else f"{request}"
    return (
        f"{why}`preflight quotas request {quota}={value} --region {figure.region}` or"
        " `aws service-quotas request-service-quota-increase"
        f" --service-code {quota.service} --quota-code {quota.code}"
        f" --desired-value {value} --region {figure.region}`"
    )


def unknown(
    subject: str, text: str, unknowns: Iterable[Unknown], numbers: Mapping[str, Any]
) -> Answer:
    """Answer that it is not known, why, and which actions to allow."""
    unknowns = tuple(unknowns)
    missing = missing_actions(unknowns)
    return Answer(
        status=Status.UNKNOWN,
        subject=subject,
        message=f"{text}: {'; '.join(dict.fromkeys(_why(each) for each in unknowns))}",
        hint=f"allow {', '.join(missing)}" if missing else None,
        data=numbers,
    )


def _why(each: Unknown) -> str:
    return f"{each.missing_action} is denied" if each.missing_action else each.message


def missing_actions(unknowns: Iterable[Unknown]) -> list[str]:
    """List the IAM actions that would have helped."""
    return sorted({each.missing_action for each in unknowns if each.missing_action})


def coverage(rule: str, answers: Iterable[Answer], figures: Iterable[Figure]) -> Coverage:
    """Say how much was looked at, and which actions were lacking."""
    answers = tuple(answers)
    statuses = [answer.status for answer in answers]
    lacking = [
        each
        for figure in figures
        for each in (figure.limit, figure.used)
        if isinstance(each, Unknown)
    ]
    return Coverage(
        rule=rule,
        examined=len(answers),
        matched=sum(status not in {Status.PASS, Status.SKIP} for status in statuses),
        status=Status.UNKNOWN if Status.UNKNOWN in statuses else Status.PASS,
        missing_action=", ".join(missing_actions(lacking)) or None,
    )

"""How an audit of quotas speaks: each row as a finding, each place as a line of coverage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from preflight.finding import Coverage, Finding, Severity, Status
from preflight.quota import Fit, Limit, Quota
from preflight.quotas.limits import Unknown

if TYPE_CHECKING:
    from preflight.cli.quota_places import Unseen
    from preflight.quotas.audit import Row

CHECK = "quotas"
URL = "https://docs.aws.amazon.com/servicequotas/latest/userguide/request-quota-increase.html"
_STATUS = {
    Fit.SHORT: Status.FAIL,
    Fit.TIGHT: Status.WARN,
    Fit.UNKNOWN: Status.UNKNOWN,
    Fit.FITS: Status.PASS,
}
_SEVERITY = {
    Status.FAIL: Severity.HIGH,
    Status.UNKNOWN: Severity.MEDIUM,
    Status.WARN: Severity.LOW,
}


def of_row(row: Row, *, with_place: bool) -> Finding:
    """Say how one quota stands, and what to do where it is short."""
    from checks import quota_text as text
    from preflight.quotas.audit import numbers

    status = status_of(row)
    place = f"{row.account}/{row.region} " if with_place else ""
    severity = _SEVERITY.get(status, Severity.INFO)
    hint = _hint(row, status)
    if status is Status.FAIL:
        severity = text.severity(row.figure) or severity
        hint = text.how_to_raise(row.figure, row.request)
    return Finding(
        check=CHECK,
        status=status,
        subject=place + text.subject(row.figure),
        message=_message(row, status) + _trend(row),
        hint=hint,
        severity=severity,
        url=None if status is Status.SKIP else URL,
        data=numbers(row),
    )


def status_of(row: Row) -> Status:
    """Turn the fit into a status; SKIP where there is nothing to judge without a plan."""
    known = isinstance(row.figure.limit, Limit)
    if row.needed == 0 and known:
        nothing_there = row.figure.quota.count is None
        long_list = isinstance(row.figure.used, Unknown) and row.figure.used.at_least is not None
        none_allowed = row.fit is Fit.FITS and row.figure.free == 0
        if row.fit is not Fit.SHORT and (nothing_there or long_list or none_allowed):
            return Status.SKIP
    return _STATUS[row.fit]


def _message(row: Row, status: Status) -> str:
    from checks import quota_text as text

    figure = row.figure
    stands = text.stands(figure)
    if status is Status.UNKNOWN:
        whys = [each.message for each in (figure.limit, figure.used) if isinstance(each, Unknown)]
        if row.needed is None:
            whys.append("a plan could not tell how much it takes")
        return f"{stands}: {'; '.join(dict.fromkeys(whys))}"
    if status is Status.SKIP:
        return _skipped(row, stands)
    if row.needed:
        takes = f"{stands}; planned: {text.amount(row.needed, figure.quota)}"
        left = _left(row)
        if status is Status.FAIL:
            over = f"{text.number(-left)} too many" if left < 0 else "more than the threshold"
            return f"{takes}, {over}{text.softer(figure)}"
        return f"{takes}, which leaves {text.number(left)}"
    share = f", {row.share:.0f} %" if row.share not in {None, float("inf")} else ""
    return f"{stands}{share}{text.softer(figure) if status is Status.FAIL else ''}"


def _left(row: Row) -> float:
    from preflight.quotas.audit import known_use

    limit = row.figure.limit.value if isinstance(row.figure.limit, Limit) else 0.0
    return limit - (known_use(row.figure) or 0.0) - (row.needed or 0.0)


def _skipped(row: Row, stands: str) -> str:
    if row.figure.quota.count is None:
        limit = row.figure.limit
        value = f"{limit.value:,g}" if isinstance(limit, Limit) else "?"
        return f"{row.figure.quota.name}: {value}, which only a plan can be compared with"
    if isinstance(row.figure.used, Unknown):
        return f"{stands}: {row.figure.used.message}"
    return f"{stands}: AWS allows none until more are requested"


def _hint(row: Row, status: Status) -> str | None:
    if row.missing_action:
        return f"allow {row.missing_action}"
    if status is Status.SKIP and isinstance(row.figure.used, Unknown) and row.figure.quota.count:
        return "`preflight quotas --deep` counts them all"
    return None


def _trend(row: Row) -> str:
    from checks import quota_text as text

    if row.before is None or row.before.used is None:
        return ""
    limit = "?" if row.before.limit is None else text.number(row.before.limit)
    used = row.figure.used
    if isinstance(used, Unknown):
        return f"; before: {text.number(row.before.used)} of {limit}"
    change = used - row.before.used
    sign = "+" if change > 0 else "-" if change < 0 else "±"
    return f"; before: {text.number(row.before.used)} of {limit} ({sign}{text.number(abs(change))})"


def not_counted(quota: Quota, account: str, region: str, *, with_place: bool) -> Finding:
    """Say that an expensive quota was left out, which is not the same as none in use."""
    place = f"{account}/{region} " if with_place else ""
    return Finding(
        check=CHECK,
        status=Status.SKIP,
        subject=f"{place}{quota}",
        message=f"{quota.name}: not counted, because it takes many calls",
        hint="`preflight quotas --deep` counts them all",
    )


def of_unseen(unseen: Unseen) -> Finding:
    """Say that an account or its Regions could not be looked at."""
    where = f"{unseen.account} {unseen.region}".strip()
    return Finding(
        check=CHECK,
        status=Status.UNKNOWN,
        subject=where,
        message=f"{where} could not be looked at: {unseen.error}",
        hint=unseen.error.hint,
        severity=Severity.MEDIUM,
        url=URL,
        data={"account": unseen.account, "missing_action": unseen.missing_action},
    )


def coverage(rows: Iterable[Row], unseen: Iterable[Unseen]) -> tuple[Coverage, ...]:
    """Say of each account and Region how much was looked at, and which actions were lacking."""
    of_place: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        of_place.setdefault((row.account, row.region), []).append(row)
    lines = []
    for (account, region), found in of_place.items():
        statuses = [status_of(row) for row in found]
        lacking = sorted({row.missing_action for row in found if row.missing_action})
        lines.append(
            Coverage(
                rule=f"quotas {account}/{region}",
                examined=len(found),
                matched=sum(each not in {Status.PASS, Status.SKIP} for each in statuses),
                status=Status.UNKNOWN if Status.UNKNOWN in statuses else Status.PASS,
                missing_action=", ".join(lacking) or None,
            )
        )
    blind = [
        Coverage(
            rule=f"quotas {each.account}/{each.region or '?'}",
            examined=0,
            matched=0,
            status=Status.UNKNOWN,
            missing_action=each.missing_action,
        )
        for each in unseen
    ]
    return (*lines, *blind)

"""How an account stands against its quotas: pure judgement over figures that were read elsewhere.

A `Row` is one quota in one account and Region, with what plans still need of it, how well that
fits, what to ask AWS for, and how it stood in an earlier report.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from preflight.errors import UsageError
from preflight.quota import Fit, Key, Limit, Quota, Scope, to_request
from preflight.quotas.figures import NEW, Figure
from preflight.quotas.limits import Unknown

#: Worst first: what is short, what nobody knows, what is tight.
ORDER: Mapping[Fit, int] = {Fit.SHORT: 0, Fit.UNKNOWN: 1, Fit.TIGHT: 2, Fit.FITS: 3}


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Shares of a limit in percent: from `tight` on it is TIGHT, from `short` on SHORT.

    A plan is SHORT only above `short`: it may use up the last of what is left.
    Raises `UsageError` unless 0 < tight <= short <= 100.
    """

    tight: float = 80.0
    short: float = 100.0

    def __post_init__(self) -> None:
        """Refuse thresholds that make no sense."""
        if not 0 < self.tight <= self.short <= 100:
            raise UsageError(
                f"thresholds of {self.tight:g} % and {self.short:g} % make no sense",
                "write 0 < --warn-at <= --fail-at <= 100",
            )


@dataclass(frozen=True, kw_only=True)
class Before:
    """How a quota stood in an earlier report; None for what was not known then."""

    used: float | None
    limit: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One quota of one account as it stands and as it would stand with the plans built.

    `region` is where things are counted; `figure.region` where the limit is listed and raised.
    `needed` is None when a plan takes of it but cannot tell how much. `request` is the value to
    ask AWS for, None when nothing is missing or AWS does not grant it.
    """

    account: str
    region: str
    figure: Figure
    needed: float | None
    fit: Fit
    request: float | None = None
    before: Before | None = None

    @property
    def share(self) -> float | None:
        """Percent of the limit in use once the plans are built; None where it is not known."""
        limit, used = _value(self.figure.limit), known_use(self.figure)
        if limit is None or used is None or self.needed is None:
            return None
        wanted = used + self.needed
        if limit == 0:
            return math.inf if wanted else 0.0
        return 100 * wanted / limit

    @property
    def place(self) -> Place:
        """The same for the same quota in every run."""
        quota = self.figure.quota
        return (self.account, self.region, quota.service, quota.code, self.figure.within)

    @property
    def missing_action(self) -> str | None:
        """The IAM action whose denial hides this quota."""
        for each in (self.figure.limit, self.figure.used):
            if isinstance(each, Unknown) and each.missing_action:
                return each.missing_action
        return None


Place = tuple[str, str, str, str, str]


def judge_row(
    account: str, region: str, figure: Figure, needed: float | None, thresholds: Thresholds
) -> Row:
    """Judge one figure; `needed` is 0 where no plan takes of it."""
    fit = _fit(figure, needed, thresholds)
    row = Row(account=account, region=region, figure=figure, needed=needed, fit=fit)
    if fit is not Fit.SHORT:
        return row
    wanted = _to_ask_for(figure, needed or 0.0, thresholds)
    return Row(
        account=account, region=region, figure=figure, needed=needed, fit=fit, request=wanted
    )


def _fit(figure: Figure, needed: float | None, thresholds: Thresholds) -> Fit:
    limit, used = _value(figure.limit), known_use(figure)
    if limit is None or used is None or needed is None:
        return Fit.UNKNOWN
    wanted, most = used + needed, limit * thresholds.short / 100
    is_full = wanted > most or (needed == 0 and wanted >= most and wanted > 0)
    if is_full:
        return Fit.SHORT
    if isinstance(figure.used, Unknown):
        return Fit.UNKNOWN  # what was seen of a long list fits, and the rest is not known
    # A new VPC or cluster has its limit to itself: the next one starts anew.
    tight = wanted > 0 and wanted >= limit * thresholds.tight / 100
    return Fit.TIGHT if tight and not _is_new(figure, needed) else Fit.FITS


def _is_new(figure: Figure, needed: float) -> bool:
    return needed > 0 and figure.quota.scope in NEW


def _to_ask_for(figure: Figure, needed: float, thresholds: Thresholds) -> float | None:
    """Give what the plans need, or without plans the least at which the use is no longer tight."""
    used = known_use(figure) or 0.0
    if needed:
        more = math.ceil(round((used + needed) * 100 / thresholds.short, 6)) - used
        return to_request(figure.quota, used, max(needed, more))
    least = math.floor(round(used * 100 / thresholds.tight, 6)) + 1
    return to_request(figure.quota, used, least - used)


def known_use(figure: Figure) -> float | None:
    """Give what is in use, or at least is where a long list was not read to its end."""
    return figure.used.at_least if isinstance(figure.used, Unknown) else figure.used


def _value(limit: Limit | Unknown) -> float | None:
    return limit.value if isinstance(limit, Limit) else None


def together(plans: Iterable[tuple[str, Mapping[Key, float | None]]]) -> dict[Key, float | None]:
    """Add up what several clusters, named, take at the same time.

    A quota inside a VPC, a cluster or another thing that each cluster makes for itself is not
    added up: each of them has its own, kept apart by the cluster's name. A plan makes dozens of
    tables, groups and roles under equal limits: of those the fullest speaks for all.
    """
    sums: dict[Key, float | None] = {}
    for cluster, demands in plans:
        for (quota, within), amount in _fullest(demands).items():
            own = quota.scope in NEW
            key = (quota, f"{cluster} {within}".strip() if own else within)
            before = sums.get(key, 0.0)
            sums[key] = None if before is None or amount is None else before + amount
    return {key: amount for key, amount in sums.items() if amount != 0}


def _fullest(demands: Mapping[Key, float | None]) -> dict[Key, float | None]:
    most: dict[Quota, Key] = {}
    for key, amount in demands.items():
        before = demands[most.get(key[0], key)]
        if key[0] not in most or (before is not None and (amount is None or amount > before)):
            most[key[0]] = key
    return {
        key: amount
        for key, amount in demands.items()
        if key[0].scope is not Scope.PARENT or most[key[0]] == key
    }


def worst_first(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Sort by fit, then by share, then by name, the same in every run."""

    def rank(row: Row) -> tuple[int, float, Place]:
        return ORDER[row.fit], -(row.share or 0.0), row.place

    return tuple(sorted(rows, key=rank))


def is_global(quota: Quota) -> bool:
    """Say whether a quota is one of the account, whichever Region is looked at."""
    return quota.scope is Scope.ACCOUNT or quota.home is not None


def numbers(row: Row) -> dict[str, Any]:
    """Write a row as reports show it, and as a later run reads it as its baseline."""
    share = row.share
    data = row.figure.numbers(row.needed, row.request) | {
        "account": row.account,
        "counted_in": row.region,
        "within": row.figure.within,
        "fullest": row.figure.fullest or None,
        "fit": row.fit.value,
        "share": None if share is None or math.isinf(share) else round(share, 1),
        "missing_action": row.missing_action,
    }
    if row.before is not None:
        data |= {"used_before": row.before.used, "limit_before": row.before.limit}
    return data


def read_baseline(entries: Iterable[Mapping[str, Any]]) -> dict[Place, Before]:
    """Read what `numbers` wrote; entries of anything else are passed over."""
    found: dict[Place, Before] = {}
    for data in entries:
        words = ("account", "counted_in", "service", "code", "within")
        if all(isinstance(data.get(word), str) for word in words):
            account, region, service, code, within = (str(data[word]) for word in words)
            found[account, region, service, code, within] = Before(
                used=_number(data.get("used")), limit=_number(data.get("limit"))
            )
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None

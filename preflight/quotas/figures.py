"""How quotas stand: how much AWS allows, and beside it how much is in use, all read at once."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from preflight.errors import PreflightError
from preflight.quota import Key, Limit, Quota, Scope
from preflight.quotas import looks
from preflight.quotas.counted import Counted
from preflight.quotas.limits import LONG_LIST, TOLD, Limits, Unknown, home_of
from preflight.quotas.usage import Look, Usage

#: What a plan makes new has nothing in it.
NEW = frozenset({Scope.VPC, Scope.CLUSTER, Scope.PARENT})
_WORKERS = 32


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One quota as it stands; `region` is where it is listed and raised."""

    quota: Quota
    within: str
    region: str
    limit: Limit | Unknown
    used: float | Unknown
    #: Where the limit is one of each VPC, role, bus, ...: the one that has used up the most.
    fullest: str = ""

    @property
    def free(self) -> float | None:
        """What is left of the limit; None when one of the numbers is not known."""
        if isinstance(self.limit, Unknown) or isinstance(self.used, Unknown):
            return None
        return self.limit.value - self.used

    def numbers(self, needed: float | None, request: float | None = None) -> dict[str, Any]:
        """Write it as reports show it; `request` is the value to ask AWS for."""
        known = self.limit if isinstance(self.limit, Limit) else None
        return {
            "service": self.quota.service,
            "code": self.quota.code,
            "name": self.quota.name,
            "region": self.region,
            "unit": self.quota.unit,
            "limit": known.value if known else None,
            "limit_source": known.source if known else None,
            "used": None if isinstance(self.used, Unknown) else self.used,
            "needed": needed,
            "free": self.free,
            "request": request,
        }


def read_figures(
    keys: Iterable[Key], usage: Usage, limits: Limits, *, planned: bool = False
) -> tuple[Figure, ...]:
    """Read limit and use of many quotas, all lists at the same time and each of them once.

    With `planned`, quotas inside a VPC, a cluster or another thing still to be made have nothing in
    use; without, their use is that of the fullest one. Raises nothing: what could not be read is
    `Unknown` in the figure.
    """
    keys = tuple(keys)
    region = usage.principals[0].region
    counted = [key for key in keys if not (planned and key[0].scope in NEW)]

    def figure(key: Key) -> Figure:
        quota, within = key
        used = used_of(quota, within, usage) if key in counted else 0.0
        known = key in counted and not within and not isinstance(used, Unknown)
        return Figure(
            quota=quota,
            within=within,
            region=home_of(quota, region),
            limit=limits.limit_of(quota),
            used=used,
            fullest=quota.count.fullest(usage)
            if known and isinstance(quota.count, Counted)
            else "",
        )

    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        # The calls before what waits for them, so that waiting never fills all workers.
        listed = [quota for quota, _ in keys if str(quota) not in TOLD]
        one_of_each = {(q.service, home_of(q, region)): q for q in listed}.values()
        # EC2's first: more than a thousand quotas make the longest chain of pages.
        for quota in sorted(one_of_each, key=lambda q: q.service != LONG_LIST):
            pool.submit(limits.limit_of, quota)
        for look in _looks(quota for quota, _ in counted):
            pool.submit(usage.rows, look)
        return tuple(pool.map(figure, keys))


def _looks(quotas: Iterable[Quota]) -> list[Look]:
    found = {
        look.key: look
        for quota in quotas
        if isinstance(quota.count, Counted)
        for look in quota.count.looks
    }
    # The instance types come last: which ones to ask for is known when the instances are.
    return sorted(found.values(), key=lambda look: look is looks.INSTANCE_TYPES)


def used_of(quota: Quota, within: str, usage: Usage) -> float | Unknown:
    """Count what is in use of a quota; whatever goes wrong concerns this quota alone."""
    if quota.count is None:
        return Unknown(message=f"Preflight has no way to count the use of {quota.name}")
    try:
        return quota.count(usage, within)
    except PreflightError as error:
        return Unknown.of(error)
    except Exception as error:  # noqa: BLE001 - an answer of an unknown shape is not "none in use"
        return Unknown(message=f"counting broke: {type(error).__name__}: {error}")

"""Limits and what is taken of them: arithmetic over numbers that were read elsewhere.

A `Quota` is one row of the catalogue, a `Demand` what a plan takes of it, a `Limit` what AWS allows
and a `Fit` the judgement of the three. Codes never change, names and defaults do, so rows are keyed
by (service, code): https://docs.aws.amazon.com/servicequotas/latest/userguide/intro.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from preflight.quotas.usage import Usage

#: Global quotas are listed in one Region only, whatever the documentation says elsewhere.
HOME = "us-east-1"

Counter = Callable[["Usage", str], float]


class Scope(StrEnum):
    """What a limit is counted within. The last ones live inside a thing that a plan makes new."""

    ACCOUNT = "account"
    REGION = "region"
    ZONE = "zone"
    BUS = "bus"
    VPC = "vpc"
    CLUSTER = "cluster"
    PARENT = "parent"


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One limit of an account, and how its use is counted.

    `count(usage, within)` counts what is in use; `within` is the name of a zone or of an event bus
    where the scope is such, and empty otherwise. `None` means that only a plan can use it up (node
    groups of a new cluster). `actions` are the IAM actions that counting needs. `failure` is the
    error code AWS raises when the limit is exceeded. `maximum` is the value above which AWS is
    known not to go.
    """

    service: str
    code: str
    name: str
    unit: str = "count"
    scope: Scope = Scope.REGION
    default: float | None = None
    adjustable: bool = True
    maximum: float | None = None
    home: str | None = None
    count: Counter | None = None
    actions: frozenset[str] = frozenset()
    failure: str | None = None
    #: Counting reads long lists for little signal; left out unless asked for.
    deep: bool = False
    #: Raising that quota raises this one (internet gateways follow VPCs).
    follows: str | None = None

    def __str__(self) -> str:
        return f"{self.service}/{self.code}"

    def __hash__(self) -> int:
        return hash((self.service, self.code))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quota) and str(self) == str(other)


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a resource takes of a quota; `amount` is None when the plan could not find it out.

    `within` names the zone or the event bus for quotas of such, and the address of the containing
    resource for quotas counted inside one that the plan makes new.
    """

    quota: Quota
    amount: float | None = 1
    within: str = ""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How much AWS allows, and where that number comes from.

    A `default` or `builtin` number can hide an increase that was granted, so a shortfall against it
    is softer than one against an `applied` number.
    """

    value: float
    source: Literal["applied", "default", "builtin"]


class Fit(StrEnum):
    """Whether a need fits into what is left."""

    FITS = "fits"
    TIGHT = "tight"
    SHORT = "short"
    UNKNOWN = "unknown"


#: Less than this share of the limit left after the plan is TIGHT: one more cluster may not fit.
TIGHT_SHARE = 0.1


def judge(limit: float | None, used: float | None, needed: float | None) -> Fit:
    """Judge whether `needed` more fits beside `used` under `limit`; None means not known."""
    if needed == 0:
        return Fit.FITS
    if limit is None or used is None or needed is None:
        return Fit.UNKNOWN
    left = limit - used - needed
    if left < 0:
        return Fit.SHORT
    return Fit.TIGHT if left < TIGHT_SHARE * limit else Fit.FITS


def to_request(quota: Quota, used: float, needed: float) -> float | None:
    """Say which value to ask AWS for; None when AWS is known not to grant that much."""
    wanted = used + needed
    if not quota.adjustable or (quota.maximum is not None and wanted > quota.maximum):
        return None
    return wanted


Key = tuple[Quota, str]


def total(demands: Iterable[Demand]) -> Mapping[Key, float | None]:
    """Add up demands per quota and `within`; one unknown amount makes the sum unknown."""
    sums: dict[Key, float | None] = {}
    for demand in demands:
        key = (demand.quota, demand.within)
        before = sums.get(key, 0.0)
        unknown = before is None or demand.amount is None
        sums[key] = None if unknown else (before or 0.0) + (demand.amount or 0.0)
    return sums

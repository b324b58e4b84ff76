"""Asking AWS for higher limits: what to ask for, what not to ask, and what became of it.

AWS allows one open request for each quota, 20 for an account and 2 for an opt-in Region:
https://docs.aws.amazon.com/servicequotas/latest/userguide/reference_limits.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from preflight.errors import (
    UsageError,
)
from preflight.quotas.catalogue import by_key
from preflight.quotas.limits import home_of

#: Statuses of a request that AWS has not decided yet.
OPEN = frozenset({"PENDING", "CASE_OPENED"})
OPEN_PER_ACCOUNT = 20
OPEN_PER_OPT_IN_REGION = 2


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A limit to ask for; `region` is where Service Quotas lists the quota."""

    service: str
    code: str
    region: str
    value: float
    #: The quota that made somebody wish, where raising another one raises it.
    instead_of: str = ""

    def __str__(self) -> str:
        return f"{self.service}/{self.code}"

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for the same quota."""
        return (self.service, self.code, self.region)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A quota as Service Quotas lists it; `value` is None where AWS could not read it."""

    name: str
    value: float | None
    is_adjustable: bool


@dataclass(frozen=True, kw_only=True)
class Filed:
    """A request that AWS knows of."""

    id: str
    service: str
    code: str
    region: str
    desired: float
    status: str

    def __str__(self) -> str:
        return f"{self.service}/{self.code}={self.desired:g} {self.region}"

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for the same quota."""
        return (self.service, self.code, self.region)


class Standing(StrEnum):
    """What is to be done, or was done, about a wish."""

    MISSING = "missing"
    FILED = "filed"
    PENDING = "pending"
    ENOUGH = "enough"
    REFUSED = "refused"
    HELD = "held"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is done about a wish, and why; `id` is the request's where there is one."""

    wish: Wish
    standing: Standing
    why: str
    name: str = ""
    limit: float | None = None
    id: str | None = None
    missing_action: str | None = None


def read_wish(text: str, region: str) -> Wish:
    """Read `SERVICE/CODE=VALUE`; a global quota goes to its own Region. Raises `UsageError`."""
    found = re.fullmatch(r"([a-z0-9.-]+)/(L-[0-9A-F]{8})=(.+)", text.strip())
    if not found:
        raise UsageError(f"{text!r} is no request", "write SERVICE/CODE=VALUE: vpc/L-F678F1CE=8")
    service, code, number = found.groups()
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and 0 < value < 1e10):
        raise UsageError(f"{number!r} is no limit one can ask for", "write a number above 0")
    quota = by_key(service, code)
    home = home_of(quota, region) if quota else region
    return Wish(service=service, code=code, region=home, value=value)


def gather(wishes: Iterable[Wish]) -> tuple[Wish, ...]:
    """Ask for the most of what was wished, once for each quota, and for what raises the others.

    The limit of internet gateways is not raised itself: it follows the limit of VPCs.
    https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    most: dict[tuple[str, str, str], Wish] = {}
    for wished in wishes:
        quota = by_key(wished.service, wished.code)
        wish = wished
        if quota is not None and quota.follows:
            service, code = quota.follows.split("/")
            wish = replace(wished, service=service, code=code, instead_of=str(quota))
        before = most.get(wish.key)
        if before is None or wish.value > before.value:
            most[wish.key] = wish
    return tuple(most.values())


def decide(
    wishes: Sequence[Wish],
    listed: Mapping[tuple[str, str, str], Listed],
    requests: Sequence[Filed],
    opt_in: frozenset[str] = frozenset(),
) -> tuple[Decision, ...]:
    """Say what to do about each wish: what is missing, and whether AWS would take the request.

    `listed` lacks what AWS does not know; `requests` are all that were read, `opt_in` the Regions
    among them that had to be enabled.
    """
    waiting = [each for each in requests if each.status in OPEN]
    decisions = []
    filing: list[Wish] = []
    for wish in wishes:
        decision = _decided(wish, listed.get(wish.key), waiting)
        if decision.standing is Standing.MISSING:
            if why := _no_room(wish.region, waiting, filing, opt_in):
                decision = replace(decision, standing=Standing.HELD, why=why)
            else:
                filing.append(wish)
        decisions.append(decision)
    return tuple(decisions)


def _decided(wish: Wish, listed: Listed | None, waiting: Sequence[Filed]) -> Decision:
    if listed is None:
        raise UsageError(
            f"AWS lists no quota {wish} in {wish.region}",
            f"`aws service-quotas list-service-quotas --service-code {wish.service}` lists them",
        )
    pending = next((each for each in waiting if each.key == wish.key), None)

    def of(standing: Standing, why: str, id: str | None = None) -> Decision:
        return Decision(
            wish=wish, standing=standing, why=why, name=listed.name, limit=listed.value, id=id
        )

    if listed.value is None:
        return of(Standing.UNKNOWN, "Service Quotas could not read the present limit")
    if listed.value >= wish.value:
        if wish.instead_of:
            why = f"the limit is {listed.value:,g} already, and {wish.instead_of} did not follow"
            return of(Standing.REFUSED, f"{why}: ask AWS Support")
        return of(Standing.ENOUGH, f"the limit is {listed.value:,g} already")
    if pending is not None:
        said = f"{pending.desired:,g} was asked for already and is {pending.status}"
        less = ", which is less: ask again when it is decided"
        return of(Standing.PENDING, said + less * (pending.desired < wish.value), pending.id)
    if never := _never(wish, listed):
        return of(Standing.REFUSED, never)
    return of(Standing.MISSING, f"the limit is {listed.value:,g}")


def _never(wish: Wish, listed: Listed) -> str | None:
    if not listed.is_adjustable:
        return "AWS does not raise this limit"
    quota = by_key(wish.service, wish.code)
    if quota is not None and quota.maximum is not None and wish.value > quota.maximum:
        return f"AWS does not raise this limit above {quota.maximum:,g}"
    return None


def _no_room(
    region: str, waiting: Sequence[Filed], filing: Sequence[Wish], opt_in: frozenset[str]
) -> str | None:
    here = [each.region for each in waiting] + [each.region for each in filing]
    if region in opt_in and here.count(region) >= OPEN_PER_OPT_IN_REGION:
        return f"AWS allows {OPEN_PER_OPT_IN_REGION} open requests in {region}: ask again later"
    if len(here) >= OPEN_PER_ACCOUNT:
        return f"AWS allows {OPEN_PER_ACCOUNT} open requests in an account: ask again later"
    return None

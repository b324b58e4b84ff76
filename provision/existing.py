"""What of a plan exists already: read from AWS itself, so that a lost journal loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from preflight.aws import Aws
from preflight.errors import Refused
from preflight.found import Found, Owner, State
from preflight.resource import Kind

FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Existing:
    """What carries the owner's name: by address, and what stands twice at one address."""

    by_address: Mapping[str, Found]
    twins: tuple[Found, ...] = ()
    incarnations: frozenset[str] = frozenset()


def look(aws: Aws, owner: Owner, kinds: Sequence[type[Kind]]) -> Existing:
    """Look for everything of an owner, all kinds side by side.

    Raises the first `AwsError`: a look that was denied must not pass for "nothing there".
    """
    anyone = replace(owner, incarnation="")
    with ThreadPoolExecutor(max_workers=16) as pool:
        results = list(pool.map(lambda kind: list(kind.find(aws, anyone)), kinds))
    return sort(found for result in results for found in result)


def sort(found: Iterable[Found]) -> Existing:
    """Keep the oldest at each address; whatever else stands there is a twin."""
    by_address: dict[str, Found] = {}
    twins: list[Found] = []
    for each in sorted(found, key=lambda one: (one.created or FIRST, one.id)):
        if each.address and each.address not in by_address:
            by_address[each.address] = each
        elif each.address:
            twins.append(each)
    return Existing(
        by_address=by_address,
        twins=tuple(twins),
        incarnations=frozenset(
            each.incarnation for each in by_address.values() if each.incarnation
        ),
    )


def incarnation(remembered: str | None, existing: Existing, fresh: Callable[[], str]) -> str:
    """Decide which incarnation this build continues; raises `Refused` beside remains of another.

    With a journal it is the journal's; without one the only one that tags name (the journal was
    lost); with neither a fresh one.
    """
    others = existing.incarnations - ({remembered} if remembered else set())
    if (remembered and others) or len(others) > 1:
        raise Refused(
            "things of an earlier cluster of this name are still there",
            "see `preflight scan`, remove them, or choose another name",
        )
    if remembered:
        return remembered
    return next(iter(others), "") or fresh()


def going(existing: Existing) -> tuple[str, ...]:
    """Name what is being deleted right now: nothing can be built over it."""
    return tuple(
        address for address, found in existing.by_address.items() if found.state is State.GOING
    )

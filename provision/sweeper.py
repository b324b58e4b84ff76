"""Finds what a deleted cluster left behind, and says how it knows.

Read-only. Every rule says how much it examined; a rule that could not look is UNKNOWN, and the
sweep is then not complete, whatever the others found.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from preflight.aws import Aws
from preflight.errors import AccessDenied, NotFound, PreflightError
from preflight.finding import Coverage, Finding, LeftoverStatus, Severity, Status
from preflight.found import Found, Owner, State, Strength
from preflight.price import Charge, monthly
from preflight.resource import Kind, Resource
from provision.order import gone_first
from provision.rehearsal import commands
from provision.strays.index import indexed

URL = "https://docs.aws.amazon.com/eks/latest/userguide/delete-cluster.html"
#: From this much a month a leftover is worth waking somebody up for.
DEAR_USD = 10.0
HELD = "held by what is left over; `preflight delete` takes it when that is gone"


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """Something found, with the kind that knows how to delete it and what is thought of it."""

    found: Found
    kind: type[Kind]
    status: LeftoverStatus
    #: Planned, and held by a stray: an unfinished tear-down takes it once the stray is gone.
    held: bool = False


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What one sweep saw."""

    leftovers: tuple[Leftover, ...]
    coverage: tuple[Coverage, ...]
    unseen: tuple[Finding, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every rule could look."""
        return not self.unseen

    @property
    def to_delete(self) -> tuple[Leftover, ...]:
        """What is certain enough to be deleted, and what it holds."""
        return tuple(
            one for one in self.leftovers if one.held or one.status is LeftoverStatus.LEFTOVER
        )


def is_alive(aws: Aws, cluster: str) -> bool:
    """Say whether an EKS cluster of exactly this name exists; raises `AwsError` if nobody knows."""
    try:
        status: str = aws.call("eks", "DescribeCluster", name=cluster)["cluster"]["status"]
    except NotFound:
        return False
    return status != "DELETING"


def sweep(aws: Aws, owner: Owner, kinds: Sequence[type[Kind]]) -> Sweep:
    """Look with every kind side by side; `kinds` are planned ones and strays."""
    anyone = replace(owner, incarnation="")
    aws = indexed(aws.remembering(), anyone)
    rules = [kind for kind in kinds if kind.dies_with is None]
    with ThreadPoolExecutor(max_workers=16) as pool:
        looks = list(pool.map(lambda kind: _look(aws.watching(), anyone, kind), rules))
    seen: dict[tuple[str, str], Leftover] = {}
    for leftover in (one for look in looks for one in look.leftovers):
        key = (leftover.found.kind, leftover.found.id)
        seen[key] = _merged(seen[key], leftover) if key in seen else leftover
    return Sweep(
        leftovers=_holding(tuple(seen.values()), rules),
        coverage=tuple(covered for look in looks for covered in look.coverage),
        unseen=tuple(finding for look in looks for finding in look.unseen),
    )


def join(sweeps: Iterable[Sweep]) -> Sweep:
    """Put the sweeps of several clusters together: a line of coverage for each rule."""
    all_of_them = tuple(sweeps)
    by_rule: dict[str, Coverage] = {}
    for covered in (covered for each in all_of_them for covered in each.coverage):
        before = by_rule.get(covered.rule)
        by_rule[covered.rule] = covered if before is None else _both(before, covered)
    return Sweep(
        leftovers=tuple(one for each in all_of_them for one in each.leftovers),
        coverage=tuple(by_rule.values()),
        unseen=tuple(finding for each in all_of_them for finding in each.unseen),
    )


def _both(first: Coverage, second: Coverage) -> Coverage:
    """Add two looks of one rule up; it could look when it could look both times."""
    worse = first if first.status is Status.UNKNOWN else second
    return replace(
        worse,
        examined=first.examined + second.examined,
        matched=first.matched + second.matched,
    )


def findings(result: Sweep, now: datetime) -> tuple[Finding, ...]:
    """Write what was found as findings, with evidence, price, and the command that removes it."""
    blockers: dict[str, list[str]] = {}
    for one in result.leftovers:
        for blocked in one.found.blocks:
            blockers.setdefault(blocked, []).append(one.found.id)
    return (
        *(_finding(one, blockers.get(one.found.id, []), now) for one in result.leftovers),
        *result.unseen,
    )


def _look(aws: Aws, owner: Owner, kind: type[Kind]) -> Sweep:
    try:
        found = sorted(kind.find(aws, owner), key=lambda one: one.id)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, this rule did not look
        return _unseen(owner, kind, error)
    leftovers = tuple(Leftover(found=one, kind=kind, status=_status(one)) for one in found)
    covered = Coverage(
        rule=kind.kind, examined=aws.examined, matched=len(found), status=Status.PASS
    )
    return Sweep(leftovers=leftovers, coverage=(covered,))


def _unseen(owner: Owner, kind: type[Kind], error: Exception) -> Sweep:
    action = error.action if isinstance(error, AccessDenied) else None
    missing = Coverage(
        rule=kind.kind, examined=0, matched=0, status=Status.UNKNOWN, missing_action=action
    )
    reason = str(error) if isinstance(error, PreflightError) else repr(error)
    finding = Finding(
        check=f"scan.{kind.kind}",
        status=LeftoverStatus.UNKNOWN,
        subject=f"{kind.kind} of {owner.cluster}",
        message=f"could not look: {reason}",
        hint=error.hint if isinstance(error, PreflightError) else None,
        severity=Severity.MEDIUM,
        url=URL,
        data={"type": kind.kind, "region": owner.region, "cluster": owner.cluster},
    )
    return Sweep(leftovers=(), coverage=(missing,), unseen=(finding,))


def _status(found: Found) -> LeftoverStatus:
    if found.state is State.KEPT:
        return LeftoverStatus.KEEP
    if found.strength is Strength.C:
        return LeftoverStatus.POSSIBLE
    return LeftoverStatus.WAIT if found.state is State.GOING else LeftoverStatus.LEFTOVER


def _holding(leftovers: tuple[Leftover, ...], rules: Sequence[type[Kind]]) -> tuple[Leftover, ...]:
    """Part what a tear-down could not take because of a stray from what nobody will ever take.

    A stray holds what it names in `blocks`, and all kinds that may go only after its own.
    """
    strays = [
        one
        for one in leftovers
        if one.status is LeftoverStatus.LEFTOVER and not issubclass(one.kind, Resource)
    ]
    blocked = {id for one in strays for id in one.found.blocks}
    planned = [one for one in leftovers if issubclass(one.kind, Resource)]
    holding = {one.kind.kind for one in strays}
    held = {one.kind.kind for one in planned if one.found.id in blocked}
    present = {one.kind.kind for one in planned}
    first = gone_first(rules)
    while more := {kind for kind in present - held if first[kind] & (holding | held)}:
        held |= more
    return tuple(
        replace(one, status=LeftoverStatus.WAIT, held=True)
        if one.kind.kind in held and one.status is LeftoverStatus.LEFTOVER
        else one
        for one in leftovers
    )


def _merged(first: Leftover, second: Leftover) -> Leftover:
    """Join what two rules know of one thing: the first keeps it, the evidence adds up.

    When one of them says that it is kept, or going by itself, it is.
    """
    one, other = first.found, second.found
    careful = min(one.state, other.state, key=(State.KEPT, State.GOING, State.PRESENT).index)
    both = replace(
        one,
        state=careful,
        evidence=tuple(dict.fromkeys((*one.evidence, *other.evidence))),
        note=one.note or other.note,
        created=one.created or other.created,
        charges=one.charges or other.charges,
        blocks=tuple(dict.fromkeys((*one.blocks, *other.blocks))),
    )
    return Leftover(found=both, kind=first.kind, status=_status(both))


def _finding(one: Leftover, blocked_by: list[str], now: datetime) -> Finding:
    found = one.found
    note = HELD if one.held else found.note
    delete = () if one.status is not LeftoverStatus.LEFTOVER else commands(one.kind, found)
    usd = _price(found.charges, found.region)
    shown = found.name or found.id
    return Finding(
        check=f"scan.{found.kind}",
        status=one.status,
        subject=found.arn or found.id,
        message=f"{found.kind} {shown}" + (f": {note}" if note else ""),
        hint="; ".join(shlex.join(words) for words in delete) or None,
        severity=_severity(one, usd),
        url=URL,
        data={
            "type": found.kind,
            "arn": found.arn,
            "id": found.id,
            "name": found.name,
            "region": found.region,
            "cluster": found.cluster,
            "strength": str(found.strength),
            "evidence": [
                {"strength": str(piece.strength), "text": piece.text} for piece in found.evidence
            ],
            "age_seconds": _age(found, now),
            "monthly_usd": usd,
            "blocks": sorted(filter(None, set(found.blocks))),
            "blocked_by": sorted(blocked_by),
            "delete": [list(words) for words in delete],
        },
    )


def _price(charges: Iterable[Charge], region: str) -> float | None:
    prices = [monthly(charge, region) for charge in charges]
    known = [price for price in prices if price is not None]
    return None if len(known) < len(prices) else round(sum(known), 2)


def _age(found: Found, now: datetime) -> int | None:
    return None if found.created is None else max(0, int((now - found.created).total_seconds()))


def _severity(one: Leftover, usd: float | None) -> Severity:
    if one.status is not LeftoverStatus.LEFTOVER:
        return Severity.INFO
    if usd is not None and usd >= DEAR_USD:
        return Severity.HIGH
    return Severity.MEDIUM if usd is None or usd > 0 or one.found.blocks else Severity.LOW

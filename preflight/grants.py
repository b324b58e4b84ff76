"""Single permissions, and how many of them become few statements without allowing any more."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

LOOKS = ("Describe", "Get", "List", "Simulate")
#: It names the call, and each call makes one type of thing: to list several calls beside several
#: types allows nothing that one by one was not.
#: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
CALL = "ec2:CreateAction"


@dataclass(frozen=True, kw_only=True, order=True)
class Clause:
    """One line of a Condition: the operator, the key, and the values it may have."""

    operator: str
    key: str
    values: frozenset[str]

    def within(self, other: Clause) -> bool:
        """Say whether whatever fulfils this one fulfils the other."""
        same = (self.operator, self.key) == (other.operator, other.key)
        return same and self.values <= other.values


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One action on one ARN pattern, under all of the clauses."""

    action: str
    arn: str
    clauses: frozenset[Clause] = frozenset()

    def within(self, other: Grant) -> bool:
        """Say whether the other grant allows all that this one does."""
        if self.action != other.action or not _covers(other.arn, self.arn):
            return False
        return all(any(mine.within(its) for mine in self.clauses) for its in other.clauses)


def _covers(pattern: str, arn: str) -> bool:
    if pattern == arn or not arn.startswith(pattern.partition("*")[0]):
        return pattern == arn
    return "*" in pattern and fnmatchcase(arn, pattern.replace("[", "[[]"))


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Some actions on some ARNs under the same clauses; becomes one statement."""

    actions: frozenset[str]
    arns: frozenset[str]
    clauses: frozenset[Clause]


def condensed(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    """Write grants as statements: none twice, alike ones together, each of one AWS product."""
    by_action: defaultdict[str, list[Grant]] = defaultdict(list)
    for grant in dict.fromkeys(grants):
        by_action[grant.action].append(grant)
    groups = [group for name, given in by_action.items() for group in _of_action(name, given)]
    together: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)
    for group in groups:
        name = min(group.actions)
        together[_product(name), _looks(name), group.arns, group.clauses] |= group.actions
    merged = [
        _Group(actions=frozenset(actions), arns=arns, clauses=clauses)
        for (_, _, arns, clauses), actions in together.items()
    ]
    return sorted(map(_statement, merged), key=lambda one: (one["Sid"], str(one["Resource"])))


def _of_action(name: str, given: list[Grant]) -> list[_Group]:
    kept = [one for one in given if not any(one.within(o) for o in given if _stronger(o, one))]
    arns: defaultdict[frozenset[Clause], set[str]] = defaultdict(set)
    for grant in kept:
        arns[grant.clauses].add(grant.arn)
    alone = frozenset({name})
    groups = [_Group(actions=alone, arns=frozenset(on), clauses=c) for c, on in arns.items()]
    merged: list[_Group] = []
    for group in sorted(groups, key=lambda one: sorted(map(_order, one.clauses))):
        at = next((n for n, one in enumerate(merged) if _joined(one, group) is not None), None)
        if at is None:
            merged.append(group)
        else:
            merged[at] = _joined(merged[at], group) or group
    return merged


def _stronger(other: Grant, one: Grant) -> bool:
    """Tell a grant from itself, and of two that allow the same let only one be the stronger."""
    return other != one and not (other.within(one) and repr(other) > repr(one))


def _order(clause: Clause) -> tuple[str, str, list[str]]:
    return (clause.key, clause.operator, sorted(clause.values))


def _joined(one: _Group, other: _Group) -> _Group | None:
    """Unite two groups whose clauses differ in the values of one key; None where that adds some."""
    left, right = one.clauses - other.clauses, other.clauses - one.clauses
    if len(left) != 1 or len(right) != 1:
        return None
    (mine,), (its,) = left, right
    if (mine.operator, mine.key) != (its.operator, its.key) or mine.operator.startswith("For"):
        return None
    if one.arns != other.arns and mine.key != CALL:
        return None
    both = replace(mine, values=mine.values | its.values)
    clauses = (one.clauses & other.clauses) | {both}
    return replace(one, arns=one.arns | other.arns, clauses=clauses)


def _statement(group: _Group) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": _sid(group),
        "Effect": "Allow",
        "Action": sorted(group.actions),
        "Resource": sorted(group.arns),
    }
    if group.clauses:
        conditions: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        for clause in sorted(group.clauses, key=_order):
            values = sorted(clause.values)
            conditions[clause.operator][clause.key] = values[0] if len(values) == 1 else values
        statement["Condition"] = dict(conditions)
    return statement


def _sid(group: _Group) -> str:
    """Name a statement: the AWS product, and whether it looks, makes, or acts on what was made."""
    name = min(group.actions)
    keys = {clause.key.partition("/")[0] for clause in group.clauses}
    what = "Look" if _looks(name) else "Act"
    if "aws:RequestTag" in keys:
        what = "Make"
    elif "aws:ResourceTag" in keys:
        what = "Own"
    return re.sub("[^A-Za-z0-9]", "", _product(name)).capitalize() + what


def _product(action: str) -> str:
    return action.partition(":")[0]


def _looks(action: str) -> bool:
    return action.partition(":")[2].startswith(LOOKS)

"""In which order kinds can be deleted: edges of their own, not the reverse of creation."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from preflight.errors import PlanError
from preflight.resource import Kind, Resource


def gone_first(kinds: Sequence[type[Kind]]) -> Mapping[str, frozenset[str]]:
    """Say for each kind which of the others must be gone before it can be deleted.

    A kind that depends on another by a field goes before it, unless it dies with something anyway;
    `dies_after` adds what no field says. Raises `PlanError` on a cycle.
    """
    present = {kind.kind for kind in kinds}
    by_name = {kind.__name__: kind for kind in kinds}
    edges: dict[str, set[str]] = {kind.kind: set() for kind in kinds}
    for kind in kinds:
        edges[kind.kind].update(set(kind.dies_after) & present - {kind.kind})
        if kind.dies_with is not None or not issubclass(kind, Resource):
            continue
        for needed in field_kinds(kind, by_name) - set(kind.outlives):
            if needed in edges and needed != kind.kind:
                edges[needed].add(kind.kind)
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        raise PlanError(f"kinds wait for each other: {' -> '.join(error.args[1])}") from error
    return {kind: frozenset(first) for kind, first in edges.items()}


def field_kinds(kind: type[Resource], by_name: Mapping[str, type[Kind]]) -> set[str]:
    """Name the kinds that the fields of a kind can hold.

    `by_name` resolves classes that a module imports for type checkers only, to avoid a cycle.
    """
    found: set[str] = set()
    for name, hint in _hints(kind, by_name).items():
        if name != "after":
            found.update(_kinds_in(hint))
    return found


def _hints(kind: type[Resource], by_name: Mapping[str, type[Kind]]) -> dict[str, Any]:
    """Resolve the fields' types; a kind that is not among those asked about stands for nothing."""
    known: dict[str, Any] = dict(by_name)
    while True:
        try:
            return typing.get_type_hints(kind, localns=known)
        except NameError as error:
            known[str(error.name)] = object


def _kinds_in(hint: Any) -> set[str]:
    if isinstance(hint, type) and issubclass(hint, Resource):
        return {hint.kind} if hasattr(hint, "kind") else set()
    origin = typing.get_origin(hint)
    if origin is None or origin is typing.ClassVar:
        return set()
    if origin in {types.UnionType, typing.Union, tuple}:
        return set().union(*(_kinds_in(argument) for argument in typing.get_args(hint)))
    return set()

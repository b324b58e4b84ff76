"""Policy documents, parsed once: statements with their compiled elements and where they stand.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any, TypeVar

from preflight.errors import SpecError
from preflight.policy.condition import Condition
from preflight.policy.context import Context, Request, Truth
from preflight.policy.element import (
    Actions,
    Principals,
    Resources,
    actions_of,
    principals_of,
    resources_of,
    texts_of,
)
from preflight.policy.span import Span, statement_spans

Element = TypeVar("Element")

#: How many actions a policy remembers its statements for; AWS has some 20,000.
MOST_ACTIONS = 4096
VERSION_WITH_VARIABLES = "2012-10-17"
_ELEMENTS = frozenset(
    "Sid Effect Action NotAction Resource NotResource Principal NotPrincipal Condition".split()
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One statement; `policy` is the id of its document and `index` its place there, from 0."""

    policy: str
    index: int
    sid: str
    allows: bool
    actions: Actions
    resources: Resources | None
    principals: Principals | None
    conditions: tuple[Condition, ...]
    #: The context keys that the statement asks for, as written, each once.
    keys: tuple[str, ...]
    span: Span

    @property
    def label(self) -> str:
        """How a person finds the statement again."""
        name = f"statement {self.index}" + (f" ({self.sid})" if self.sid else "")
        return f"{name} of {self.policy}" if self.policy else name

    def covers(self, request: Request) -> Truth:
        """Say whether action and resource match, whatever the conditions say."""
        return self.actions.match(request.action) and self.touches(request)

    def touches(self, request: Request) -> Truth:
        """Say whether the resource matches, whatever action and conditions say."""
        return True if self.resources is None else self.resources.match(request)

    def holds(self, context: Context) -> Truth:
        """Say whether every condition holds."""
        answer: Truth = True
        for condition in self.conditions:
            truth = condition.holds(context)
            if truth is False:
                return False
            answer = answer and truth
        return answer


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A policy document; `id` is what findings call it: an ARN or a name."""

    id: str
    version: str
    statements: tuple[Statement, ...]
    text: str = field(repr=False)

    @classmethod
    def parse(cls, document: str | Mapping[str, Any], *, id: str = "") -> Policy:
        """Read a document (JSON text or the value); the same document is compiled once.

        Raises SpecError, its path naming the element, for what IAM would not accept.
        """
        return _parse(document if isinstance(document, str) else json.dumps(document), id)

    @property
    def keys(self) -> tuple[str, ...]:
        """The context keys that any statement asks for, each once."""
        return _once(key for statement in self.statements for key in statement.keys)

    def about(self, action: str) -> tuple[Statement, ...]:
        """Give the statements that cover an action, found once for each: most cover few."""
        known = self._about.get(action)
        if known is None:
            if len(self._about) >= MOST_ACTIONS:
                self._about.clear()
            known = tuple(one for one in self.statements if one.actions.match(action))
            self._about[action] = known
        return known

    @cached_property
    def _about(self) -> dict[str, tuple[Statement, ...]]:
        return {}


def _once(names: Iterable[str]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.lower(), name)
    return tuple(first.values())


@lru_cache(maxsize=4096)
def _parse(text: str, policy_id: str) -> Policy:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise SpecError(f"the policy is not JSON: {error}", where=policy_id or None) from error
    if not isinstance(document, dict):
        raise SpecError("a policy is a JSON object", where=policy_id or None)
    version = document.get("Version", "2008-10-17")
    statements = document.get("Statement", [])
    rows = statements if isinstance(statements, list) else [statements]
    if not rows:
        raise SpecError("a policy has at least one statement", path="Statement")
    spans = statement_spans(text)
    parsed = tuple(
        _statement(row, policy_id, index, spans[index], version == VERSION_WITH_VARIABLES)
        for index, row in enumerate(rows)
    )
    return Policy(id=policy_id, version=version, statements=parsed, text=text)


def _statement(row: Any, policy: str, index: int, span: Span, variables: bool) -> Statement:
    path = f"Statement[{index}]"
    if not isinstance(row, dict):
        raise SpecError("a statement is a JSON object", path=path, where=policy or None)
    if strange := set(row) - _ELEMENTS:
        raise SpecError(f"{min(strange)!r} is not an element of a statement", path=path)
    if row.get("Effect") not in {"Allow", "Deny"}:
        raise SpecError("Effect is Allow or Deny", path=f"{path}.Effect", where=policy or None)
    actions = _either(row, "Action", path, actions_of)
    if actions is None:
        raise SpecError("a statement has an Action or a NotAction", path=path, where=policy or None)
    resources = _either(row, "Resource", path, partial(resources_of, variables=variables))
    conditions = tuple(_conditions(row.get("Condition", {}), path, variables=variables))
    names = [key for condition in conditions for key in condition.keys]
    if resources is not None:
        names += [key for pattern in resources.variable for key in pattern.keys]
    return Statement(
        policy=policy,
        index=index,
        sid=str(row.get("Sid", "")),
        allows=row["Effect"] == "Allow",
        actions=actions,
        resources=resources,
        principals=_either(row, "Principal", path, principals_of),
        conditions=conditions,
        keys=_once(names),
        span=span,
    )


def _either(
    row: Mapping[str, Any], name: str, path: str, build: Callable[..., Element]
) -> Element | None:
    given = [key for key in (name, f"Not{name}") if key in row]
    if not given:
        return None
    if len(given) > 1:
        raise SpecError(f"a statement has {name} or Not{name}, not both", path=path)
    return build(row[given[0]], path=f"{path}.{given[0]}", negated=given[0] != name)


def _conditions(value: Any, path: str, *, variables: bool) -> Iterable[Condition]:
    if not isinstance(value, dict):
        raise SpecError("a Condition is an object", path=f"{path}.Condition")
    for operator, keys in value.items():
        where = f"{path}.Condition.{operator}"
        if not isinstance(keys, dict):
            raise SpecError("an operator holds an object of context keys", path=where)
        for key, values in keys.items():
            texts = texts_of(values, f"{where}.{key}")
            yield Condition.parse(operator, key, texts, variables=variables)

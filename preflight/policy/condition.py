"""The Condition element: every operator, `IfExists`, `ForAllValues`, `ForAnyValue`, `Null`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import partial
from typing import Any

from preflight.errors import SpecError
from preflight.policy.context import Context, Missing, Truth, all_true, any_true, negate
from preflight.policy.pattern import Pattern, Wildcard, arn_regex, regex, text_of

Tokens = tuple[str | Wildcard, ...]
#: Says whether one value of the request is what one value of the policy asks for.
Predicate = Callable[[str], bool]
#: Makes the predicate of a value of the policy. A value that does not parse matches nothing.
Builder = Callable[[Tokens], Predicate]


def _never(_: str) -> bool:
    return False


def _string_equals(tokens: Tokens) -> Predicate:
    return partial(operator.eq, text_of(tokens))


def _string_equals_ignore_case(tokens: Tokens) -> Predicate:
    wanted = text_of(tokens).casefold()
    return lambda value: value.casefold() == wanted


def _string_like(tokens: Tokens) -> Predicate:
    pattern = regex(tokens)
    return lambda value: pattern.fullmatch(value) is not None


def _arn_like(tokens: Tokens) -> Predicate:
    pattern = arn_regex(tokens)
    return lambda value: pattern.fullmatch(value) is not None


def _boolean(tokens: Tokens) -> Predicate:
    wanted = text_of(tokens).lower()
    return lambda value: wanted in {"true", "false"} and value.lower() == wanted


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _date(text: str) -> Decimal | None:
    """Read ISO 8601 (W3C profile, UTC unless it says otherwise) or seconds since 1970."""
    text = text.strip()
    if re.fullmatch(r"\d{5,}(\.\d+)?", text):
        return Decimal(text)
    padded = text + {4: "-01-01", 7: "-01"}.get(len(text), "")
    try:
        moment = datetime.fromisoformat(padded)
    except ValueError:
        return None
    return Decimal((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _ordered(
    read: Callable[[str], Decimal | None], compare: Callable[[Any, Any], bool], tokens: Tokens
) -> Predicate:
    wanted = read(text_of(tokens))
    if wanted is None:
        return _never

    def test(value: str) -> bool:
        given = read(value)
        return given is not None and compare(given, wanted)

    return test


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _binary(tokens: Tokens) -> Predicate:
    wanted = _decoded(text_of(tokens))
    return lambda value: wanted is not None and _decoded(value) == wanted


def _ip_address(tokens: Tokens) -> Predicate:
    try:
        network = ipaddress.ip_network(text_of(tokens).strip(), strict=False)
    except ValueError:
        return _never

    def test(value: str) -> bool:
        try:
            return ipaddress.ip_address(value.strip()) in network
        except ValueError:
            return False

    return test


def _comparisons(family: str, read: Callable[[str], Decimal | None]) -> dict[str, Operator]:
    compare = {
        "equals": operator.eq,
        "lessthan": operator.lt,
        "lessthanequals": operator.le,
        "greaterthan": operator.gt,
        "greaterthanequals": operator.ge,
    }
    table = {
        family + name: Operator(partial(_ordered, read, test)) for name, test in compare.items()
    }
    equals = partial(_ordered, read, operator.eq)
    return table | {f"{family}notequals": Operator(equals, negated=True)}


@dataclass(frozen=True, slots=True)
class Operator:
    """How values are compared; `variables` says whether `${…}` means anything to it."""

    build: Builder
    negated: bool = False
    variables: bool = False


OPERATORS: dict[str, Operator] = {
    "stringequals": Operator(_string_equals, variables=True),
    "stringnotequals": Operator(_string_equals, negated=True, variables=True),
    "stringequalsignorecase": Operator(_string_equals_ignore_case, variables=True),
    "stringnotequalsignorecase": Operator(_string_equals_ignore_case, negated=True, variables=True),
    "stringlike": Operator(_string_like, variables=True),
    "stringnotlike": Operator(_string_like, negated=True, variables=True),
    "arnequals": Operator(_arn_like, variables=True),
    "arnlike": Operator(_arn_like, variables=True),
    "arnnotequals": Operator(_arn_like, negated=True, variables=True),
    "arnnotlike": Operator(_arn_like, negated=True, variables=True),
    "bool": Operator(_boolean),
    "binaryequals": Operator(_binary),
    "ipaddress": Operator(_ip_address),
    "notipaddress": Operator(_ip_address, negated=True),
    "null": Operator(_boolean),
    **_comparisons("numeric", _number),
    **_comparisons("date", _date),
}


class Qualifier(StrEnum):
    """How a list of values in the request is compared with the list in the policy."""

    NONE = ""
    ALL = "forallvalues"
    ANY = "foranyvalue"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One value of the policy; `fixed` is its predicate when no variable stands in it."""

    pattern: Pattern
    build: Builder
    fixed: Predicate | None

    @classmethod
    def parse(cls, text: str, how: Operator, *, variables: bool) -> Wanted:
        """Compile a value of the policy."""
        pattern = Pattern.parse(text, variables=variables and how.variables)
        tokens = pattern.resolve(Context())
        fixed = how.build(tokens) if not pattern.keys and isinstance(tokens, tuple) else None
        return cls(pattern, how.build, fixed)

    def test(self, value: str, context: Context) -> Truth:
        """Compare; a variable without a value matches nothing, an unknown one may match."""
        if self.fixed is not None:
            return self.fixed(value)
        tokens = self.pattern.resolve(context)
        if isinstance(tokens, Missing):
            return None if tokens is Missing.UNKNOWN else False
        return self.build(tokens)(value)


def _any_of(wanted: Sequence[Wanted]) -> Predicate | None:
    """Make one predicate of all values, where none of them hangs on the request."""
    fixed = [one.fixed for one in wanted if one.fixed is not None]
    if len(fixed) < len(wanted):
        return None
    if len(fixed) == 1:
        return fixed[0]
    return lambda value: any(test(value) for test in fixed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One operator on one context key (lower case); a statement's conditions must all hold."""

    operator: str
    key: str
    name: str
    how: Operator = field(repr=False, compare=False)
    qualifier: Qualifier
    if_exists: bool
    wanted: tuple[Wanted, ...] = field(repr=False)
    #: Says whether a value is among the wanted ones; None where variables stand in them.
    known: Predicate | None = field(repr=False, compare=False)

    @classmethod
    def parse(
        cls, operator_name: str, key: str, values: tuple[str, ...], *, variables: bool
    ) -> Condition:
        """Compile; raises SpecError for an operator that IAM does not have."""
        qualifier, _, rest = operator_name.lower().rpartition(":")
        base = rest.removesuffix("ifexists")
        if_exists = base != rest
        known = base in OPERATORS and qualifier in set(Qualifier)
        if not known or (base == "null" and (if_exists or qualifier)):
            raise SpecError(f"{operator_name!r} is not a condition operator of IAM")
        how = OPERATORS[base]
        wanted = tuple(Wanted.parse(value, how, variables=variables) for value in values)
        return cls(
            operator=operator_name,
            key=key.lower(),
            name=key,
            how=how,
            qualifier=Qualifier(qualifier),
            if_exists=if_exists,
            wanted=wanted,
            known=_any_of(wanted),
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """The context keys this needs, as the policy writes them, its variables included."""
        return (self.name, *(name for one in self.wanted for name in one.pattern.keys))

    def holds(self, context: Context) -> Truth:
        """Judge; None when the answer hangs on an unknown key."""
        values = context.look(self.key)
        if values is Missing.UNKNOWN:
            return None
        if self.how is OPERATORS["null"]:
            absent = "true" if values is Missing.ABSENT else "false"
            return any_true(one.test(absent, context) for one in self.wanted)
        if isinstance(values, Missing) or (self.qualifier and not any(values)):
            return self._without_value()
        if self.qualifier is Qualifier.NONE:
            if len(values) == 1:
                return self._signed(self._matches(values[0], context))
            return self._signed(any_true(self._matches(value, context) for value in values))
        answers = (self._signed(self._matches(value, context)) for value in values)
        return all_true(answers) if self.qualifier is Qualifier.ALL else any_true(answers)

    def _matches(self, value: str, context: Context) -> Truth:
        if self.known is not None:
            return self.known(value)
        return any_true(one.test(value, context) for one in self.wanted)

    def _signed(self, answer: Truth) -> Truth:
        return negate(answer) if self.how.negated else answer

    def _without_value(self) -> bool:
        if self.if_exists or self.qualifier is Qualifier.ALL:
            return True
        return self.how.negated and self.qualifier is Qualifier.NONE

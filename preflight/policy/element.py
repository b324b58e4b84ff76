"""The elements of a statement that say who, what and on which: each compiled once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from preflight.errors import SpecError
from preflight.policy.context import Context, Missing, Principal, Request, Truth, any_true, negate
from preflight.policy.pattern import Pattern, plain_tokens, regex


@dataclass(frozen=True, kw_only=True, slots=True)
class Actions:
    """An Action or NotAction element, as one expression that ignores case."""

    expression: re.Pattern[str]
    negated: bool

    def match(self, action: str) -> bool:
        """Say whether the element covers an action such as `ec2:CreateVpc`."""
        return (self.expression.fullmatch(action) is not None) is not self.negated


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """A Resource or NotResource element; `fixed` are its patterns without variables."""

    patterns: tuple[Pattern, ...]
    fixed: re.Pattern[str] | None
    variable: tuple[Pattern, ...]
    negated: bool
    #: Whether `*` is among the patterns.
    everything: bool

    def match(self, request: Request) -> Truth:
        """Say whether the element covers the resource; None when that is not known."""
        if self.everything:
            return not self.negated
        if request.resource is None:
            return self._signed(self._match_unknown(request.action))
        if self.fixed is not None and self.fixed.fullmatch(request.resource):
            return not self.negated
        found: Truth = False
        if self.variable:
            found = any_true(
                _covers(pattern, request.resource, request.context) for pattern in self.variable
            )
        return self._signed(found)

    def _signed(self, found: Truth) -> Truth:
        return negate(found) if self.negated else found

    def _match_unknown(self, action: str) -> Truth:
        service = action.partition(":")[0].lower()
        return any_true(_covers_unknown(pattern.text, service) for pattern in self.patterns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Principals:
    """A Principal or NotPrincipal element: `AWS`, `Service`, `Federated` … with their names."""

    named: Mapping[str, frozenset[str]]
    everyone: bool
    negated: bool

    def names(self, kind: str, *names: str) -> bool:
        """Say whether any of the names stands in the element under that kind."""
        return not self.named.get(kind, frozenset()).isdisjoint(names)

    def match(self, principal: Principal) -> bool:
        """Say whether the element covers the caller.

        NotPrincipal spares a caller only if it lists every identity the caller has: session, role
        or user, and account.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        """
        account = (principal.account, principal.root_arn) if principal.account else ()
        identities = [(principal.arn,), account]
        if principal.session_arn:
            identities.append((principal.session_arn,))
        kind = principal.type.value
        listed = (self.names(kind, *names) for names in identities if names)
        if self.negated:
            return not (self.everyone or all(listed))
        return self.everyone or any(listed)


def texts_of(value: Any, path: str) -> tuple[str, ...]:
    """Read a string or a list of them; booleans and numbers become what AWS writes for them."""
    values = value if isinstance(value, list) else [value]
    texts = []
    for one in values:
        if isinstance(one, bool):
            texts.append(str(one).lower())
        elif isinstance(one, (str, int, float)):
            texts.append(str(one))
        else:
            raise SpecError("a string or a list of strings is wanted", path=path)
    return tuple(texts)


def _alternatives(texts: Iterable[str], *, fold: bool = False) -> re.Pattern[str]:
    sources = [regex(plain_tokens(text)).pattern for text in texts]
    flags = re.DOTALL | (re.IGNORECASE if fold else 0)
    return re.compile("|".join(f"(?:{source})" for source in sources), flags)


def actions_of(value: Any, *, path: str, negated: bool) -> Actions:
    """Compile an Action or NotAction element."""
    texts = texts_of(value, path)
    if not texts:
        raise SpecError("at least one action is wanted", path=path)
    return Actions(expression=_alternatives(texts, fold=True), negated=negated)


def resources_of(value: Any, *, path: str, negated: bool, variables: bool) -> Resources:
    """Compile a Resource or NotResource element."""
    texts = texts_of(value, path)
    if not texts:
        raise SpecError("at least one resource is wanted", path=path)
    patterns = tuple(Pattern.parse(text, variables=variables) for text in texts)
    fixed = [pattern.text for pattern in patterns if not _has_variable(pattern)]
    return Resources(
        patterns=patterns,
        fixed=_alternatives(fixed) if fixed else None,
        variable=tuple(pattern for pattern in patterns if _has_variable(pattern)),
        negated=negated,
        everything="*" in texts,
    )


def _has_variable(pattern: Pattern) -> bool:
    """Tell patterns that stand as they are from those with `${…}`, the escapes among them."""
    return pattern.tokens != plain_tokens(pattern.text)


def _covers(pattern: Pattern, resource: str, context: Context) -> Truth:
    tokens = pattern.resolve(context)
    if isinstance(tokens, Missing):
        return None if tokens is Missing.UNKNOWN else False
    return regex(tokens).fullmatch(resource) is not None


def _covers_unknown(pattern: str, service: str) -> Truth:
    """Judge a pattern against an ARN of which only the AWS service is known."""
    if not pattern.strip("*"):
        return True
    parts = pattern.split(":", 5)
    if len(parts) < 3:
        return None
    own = regex(plain_tokens(parts[2].lower())).fullmatch(service) is not None
    if not own:
        return False
    everything = len(parts) == 6 and not "".join(parts[3:]).strip("*") and parts[5] == "*"
    return True if everything and parts[3] == parts[4] == "*" else None


def principals_of(value: Any, *, path: str, negated: bool) -> Principals:
    """Compile a Principal or NotPrincipal element."""
    if value == "*":
        return Principals(named={}, everyone=True, negated=negated)
    if not isinstance(value, dict):
        raise SpecError("a Principal is * or an object", path=path)
    named = {kind: frozenset(texts_of(names, f"{path}.{kind}")) for kind, names in value.items()}
    return Principals(named=named, everyone="*" in named.get("AWS", ()), negated=negated)

"""Strings of a policy: literal text, the wildcards `*` and `?`, and policy variables.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from preflight.policy.context import Context, Missing


class Wildcard(Enum):
    """The two characters that stand for others."""

    MANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`."""

    name: str
    default: str | None = None


Token = str | Wildcard | Variable

_ESCAPE_OR_VARIABLE = re.compile(
    r"\$\{(?:(?P<escape>[*?$])|\s*(?P<key>[^{}',]+?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?)\}"
)


@lru_cache(maxsize=8192)
def regex(
    tokens: tuple[str | Wildcard, ...], *, within: str = ".", fold: bool = False
) -> re.Pattern[str]:
    """Build what `fullmatch` needs, in time linear in the text: every `*` is settled once.

    `within` is the class that a wildcard stands for, as in `[^:]`; `fold` ignores case.
    """
    chunks: list[str] = [""]
    for token in tokens:
        if token is Wildcard.MANY:
            chunks.append("")
        else:
            chunks[-1] += within if token is Wildcard.ONE else re.escape(str(token))
    flags = re.DOTALL | (re.IGNORECASE if fold else 0)
    if len(chunks) == 1:
        return re.compile(chunks[0], flags)
    middle = "".join(f"(?>{within}*?{chunk})" for chunk in chunks[1:-1] if chunk)
    return re.compile(f"{chunks[0]}{middle}{within}*{chunks[-1]}", flags)


def plain_tokens(text: str) -> tuple[str | Wildcard, ...]:
    """Split text at its wildcards; everything else is literal."""
    return tuple(
        Wildcard(part) if part in {"*", "?"} else part for part in re.split(r"([*?])", text) if part
    )


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    for match in _ESCAPE_OR_VARIABLE.finditer(text):
        yield from plain_tokens(text[position : match.start()])
        if match["escape"]:
            yield match["escape"]
        else:
            yield Variable(match["key"], match["default"])
        position = match.end()
    yield from plain_tokens(text[position:])


@dataclass(frozen=True, slots=True)
class Pattern:
    """A string of a policy, parsed once; `keys` are the context keys of its variables."""

    text: str
    tokens: tuple[Token, ...]
    keys: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, *, variables: bool) -> Pattern:
        """Read a string; policies before version 2012-10-17 have no variables."""
        tokens = tuple(_tokens(text)) if variables and "${" in text else plain_tokens(text)
        keys = tuple(token.name for token in tokens if isinstance(token, Variable))
        return cls(text, tokens, keys)

    def resolve(self, context: Context) -> tuple[str | Wildcard, ...] | Missing:
        """Put the values in; a variable needs exactly one value or a default.

        Wildcard characters inside a value are literal: a value is no pattern.
        """
        if not self.keys:
            return self.tokens  # type: ignore[return-value]  # there is no Variable among them
        resolved: list[str | Wildcard] = []
        for token in self.tokens:
            if not isinstance(token, Variable):
                resolved.append(token)
                continue
            value = context.look(token.name.lower())
            if isinstance(value, tuple) and len(value) == 1:
                resolved.append(value[0])
            elif value is Missing.UNKNOWN:
                return Missing.UNKNOWN
            elif token.default is not None:
                resolved.append(token.default)
            else:
                return Missing.ABSENT
        return tuple(resolved)


def text_of(tokens: Iterable[str | Wildcard]) -> str:
    """Join tokens again for operators that know no wildcards."""
    return "".join(token.value if isinstance(token, Wildcard) else token for token in tokens)


def arn_regex(tokens: tuple[str | Wildcard, ...]) -> re.Pattern[str]:
    """Match an ARN part by part: a wildcard stays within its colons, but for the last part.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    if tokens == (Wildcard.MANY,):
        return regex(tokens)
    return _arn_regex(tokens)


@lru_cache(maxsize=4096)
def _arn_regex(tokens: tuple[str | Wildcard, ...]) -> re.Pattern[str]:
    head: list[str | Wildcard] = []
    colons = 0
    for number, token in enumerate(tokens):
        if isinstance(token, Wildcard):
            head.append(token)
            continue
        parts = token.split(":", 5 - colons)
        colons += len(parts) - 1
        if colons == 5:
            head.append(token[: len(token) - len(parts[-1])])
            rest = (parts[-1], *tokens[number + 1 :])
            source = regex(tuple(head), within="[^:]").pattern + regex(rest).pattern
            return re.compile(source, re.DOTALL)
        head.append(token)
    return regex(tuple(head), within="[^:]")

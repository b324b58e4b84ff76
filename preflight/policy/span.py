"""Where statements stand in the text of a policy, as the policy simulator reports it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Statement.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_SPACE = re.compile(r"[\s,]*")
_COLON = re.compile(r"\s*:\s*")


@dataclass(frozen=True, slots=True)
class Span:
    """Line and column, both from 1; the end is the column after the last character."""

    start: tuple[int, int]
    end: tuple[int, int]


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _statement_value(text: str, decoder: json.JSONDecoder) -> int:
    """Find where the value of the top-level key Statement begins; the text is valid JSON."""
    position = _skip(text, text.index("{") + 1)
    while text[position] != "}":
        key, position = decoder.raw_decode(text, position)
        colon = _COLON.match(text, position)
        position = colon.end() if colon else position
        if key == "Statement":
            return position
        _, position = decoder.raw_decode(text, position)
        position = _skip(text, position)
    return position


def statement_spans(text: str) -> tuple[Span, ...]:
    """Find the extent of each statement in the text of a valid policy."""
    decoder = json.JSONDecoder()
    position = _statement_value(text, decoder)
    if text[position] != "[":
        _, end = decoder.raw_decode(text, position)
        return (Span(_place(text, position), _place(text, end)),)
    spans = []
    position = _skip(text, position + 1)
    while text[position] != "]":
        _, end = decoder.raw_decode(text, position)
        spans.append(Span(_place(text, position), _place(text, end)))
        position = _skip(text, end)
    return tuple(spans)


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)

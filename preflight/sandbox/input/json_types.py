"""JSON that is none, or of other types than the model says.

The code is seen in https://github.com/aws/aws-cdk/pull/27087 and
https://github.com/async-aws/aws/issues/1667, with the words for a text in place of a number; those
for the other mistakes are formed alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request

_NAMES: Mapping[str, str] = {
    "boolean": "a Boolean",
    "double": "a Double",
    "float": "a Float",
    "integer": "an Integer",
    "list": "a List",
    "long": "a Long",
    "map": "a Map",
    "string": "a String",
    "structure": "a Structure",
}
_NUMBER = ("NUMBER_VALUE",)
_TOKENS: Mapping[str, tuple[str, ...]] = {
    "boolean": ("TRUE_VALUE", "FALSE_VALUE"),
    **dict.fromkeys(("double", "float", "integer", "long"), _NUMBER),
    "list": ("LIST_VALUE",),
    "map": ("STRUCTURE_VALUE",),
    "string": ("STRING_VALUE",),
    "structure": ("STRUCTURE_VALUE",),
}


def refuse_types(request: Request, shape: Any) -> None:
    """Refuse a body that cannot be read as the model wants it."""
    try:
        sent = json.loads(request.body or b"{}")
    except ValueError as error:
        raise AwsFault("SerializationException", f"The input cannot be read: {error}") from error
    for message in _mistyped(shape, sent):
        raise AwsFault("SerializationException", message)


def _mistyped(shape: Any, value: Any) -> Iterator[str]:
    if value is None or shape.type_name not in _TOKENS or getattr(shape, "is_document_type", False):
        return
    token = _token(value)
    if token not in _TOKENS[shape.type_name]:
        yield f"{token} can not be converted to {_NAMES[shape.type_name]}"
    elif shape.type_name == "list":
        for one in value:
            yield from _mistyped(shape.member, one)
    elif shape.type_name == "map":
        for one in value.values():
            yield from _mistyped(shape.value, one)
    elif shape.type_name == "structure":
        for name, one in value.items():
            member = shape.members.get(name)
            if member is not None:
                yield from _mistyped(member, one)


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, int | float):
        return "NUMBER_VALUE"
    if isinstance(value, str):
        return "STRING_VALUE"
    return "LIST_VALUE" if isinstance(value, list) else "STRUCTURE_VALUE"

"""What botocore's model demands of an input, and where a value falls short of it.

In the words of the framework that most of AWS's services share:
https://github.com/legion-platform/legion/issues/530 (length, IAM),
https://github.com/hashicorp/terraform-provider-aws/issues/17502 (enumeration, Route 53 Resolver),
https://github.com/amazon-archives/cloudwatch-logs-centralize-logs/issues/5 (missing, in a list).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

Path = tuple[str, ...]
#: Shapes whose pattern the documentation of their own member contradicts: names with wildcards.
#: https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyIdentifier.html
_MEANT_OTHERWISE = frozenset({"AttachmentName"})


def missing(shape: Any, value: Any, at: Path = ()) -> Iterator[Path]:
    """Give the places of required members that are not there."""
    if isinstance(value, Mapping) and shape.type_name == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield (*at, name)
    for inner, one, place in _inside(shape, value, at):
        yield from missing(inner, one, place)


def broken(shape: Any, value: Any, at: Path = ()) -> Iterator[str]:
    """Tell what of lengths, ranges, enumerations and patterns a value does not keep to."""
    if shape.type_name == "string" and isinstance(value, str):
        for demand in _of_text(shape, value):
            yield _sentence(f"'{value}'", at, demand)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        for demand in _between(shape, value, "value"):
            yield _sentence(f"'{value}'", at, demand)
    elif shape.type_name in {"list", "map"} and isinstance(value, Mapping | Sequence):
        for demand in _between(shape, len(value), "length"):
            yield _sentence(f"'{value}'", at, demand)
    for inner, one, place in _inside(shape, value, at):
        yield from broken(inner, one, place)


def absent(at: Path) -> str:
    """Say that a required member is not there."""
    return _sentence("null", at, "Member must not be null")


def together(sentences: Sequence[str]) -> str:
    """Put what is wrong into one message."""
    many = "errors" if len(sentences) > 1 else "error"
    return f"{len(sentences)} validation {many} detected: {'; '.join(sentences)}"


def _sentence(value: str, at: Path, demand: str) -> str:
    place = ".".join(one[:1].lower() + one[1:] for one in at)
    return f"Value {value} at '{place}' failed to satisfy constraint: {demand}"


def _inside(shape: Any, value: Any, at: Path) -> Iterator[tuple[Any, Any, Path]]:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, one in value.items():
            if name in shape.members and one is not None:
                yield shape.members[name], one, (*at, name)
    elif shape.type_name == "list" and isinstance(value, Sequence):
        for number, one in enumerate(value, start=1):
            yield shape.member, one, (*at, str(number), "member")
    elif shape.type_name == "map" and isinstance(value, Mapping):
        for key, one in value.items():
            yield shape.value, one, (*at, str(key), "member")


def _of_text(shape: Any, value: str) -> Iterator[str]:
    yield from _between(shape, len(value), "length")
    if shape.enum and value not in shape.enum:
        yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern is None or shape.name in _MEANT_OTHERWISE:
        return
    if (compiled := _compiled(pattern)) and not compiled.fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {pattern}"


def _between(shape: Any, number: float, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and number < least:
        yield f"Member must have {what} greater than or equal to {least}"
    if most is not None and number > most:
        yield f"Member must have {what} less than or equal to {most}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Read a pattern of a model; they are Java's, and what Python cannot read demands nothing."""
    try:
        return re.compile(pattern)
    except re.error:
        return None

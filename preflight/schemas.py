"""The JSON Schemas that ship with Preflight, and what a file does wrong against one.

A schema is user documentation (`preflight schema cluster`) and the first judge of a file. All
mistakes are told at once, each with its line, in the words of the person who wrote the file.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from preflight.errors import SpecError, UsageError
from preflight.yamlfile import Document, KeyPath

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

Formats = Mapping[str, Callable[[str], None]]

_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
#: The most mistakes told at once, and the most characters shown of a value.
_TOLD = 25
_SHOWN = 80
_SENTENCES = {
    "type": "{shown} is not {limit}",
    "enum": "{shown} is not one of {limit}",
    "pattern": "{shown} has the wrong form",
    "minimum": "{shown} is less than {limit}",
    "maximum": "{shown} is more than {limit}",
    "minLength": "{shown} has {size} characters, fewer than {limit}",
    "maxLength": "{shown} has {size} characters, more than {limit}",
    "minItems": "there are {size} entries, fewer than {limit}",
    "maxItems": "there are {size} entries, more than {limit}",
    "uniqueItems": "an entry is listed twice",
    "maxProperties": "there are {size} keys, more than {limit}",
}


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One thing wrong with a file, at a key path."""

    path: KeyPath
    message: str
    hint: str | None = None


def names() -> tuple[str, ...]:
    """List the schemas there are, for `preflight schema`."""
    found = (entry.name for entry in resources.files("preflight").joinpath("schema").iterdir())
    ending = ".schema.json"
    return tuple(sorted(name.removesuffix(ending) for name in found if name.endswith(ending)))


def schema(name: str) -> dict[str, Any]:
    """Give the JSON Schema called `name`, such as `cluster`; raises UsageError if there is none."""
    if name not in names():
        raise UsageError(f"there is no schema called {name!r}", f"one of: {', '.join(names())}")
    file = resources.files("preflight").joinpath("schema", f"{name}.schema.json")
    loaded: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return loaded


def mistakes(value: Any, name: str, formats: Formats | None = None) -> tuple[Mistake, ...]:
    """Compare `value` with the schema called `name` and tell everything that is wrong.

    `formats` maps a JSON Schema format to a function that raises ValueError with the reason.
    """
    found: list[Mistake] = []
    for error in _validator(name, tuple((formats or {}).items())).iter_errors(value):
        found.extend(_mistake(error))
    return tuple(found)


def whole(value: Any) -> Any:
    """Write 3.0 as 3 everywhere: JSON Schema takes both for whole numbers, Python does not."""
    if isinstance(value, Mapping):
        return {key: whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def refuse(document: Document, found: Iterable[Mistake]) -> None:
    """Raise one SpecError that tells all mistakes, a line each, in the order of the file."""
    spoken = ((m, _speakable(m.path)) for m in found)
    errors = [(document.line_of(p), document.error(p, m.message, m.hint)) for m, p in spoken]
    errors.sort(key=lambda pair: pair[0])
    if len(errors) == 1:
        raise errors[0][1]
    if errors:
        lines = [
            f"{error.message} ({error.hint})" if error.hint else error.message
            for _, error in errors
        ]
        more = [f"and {len(lines) - _TOLD} more"] if len(lines) > _TOLD else []
        raise SpecError("\n".join([*lines[:_TOLD], *more]))


@cache
def _validator(name: str, formats: tuple[tuple[str, Callable[[str], None]], ...]) -> Validator:
    from jsonschema import Draft202012Validator, FormatChecker, validators

    checker = FormatChecker(formats=())
    for word, judge in formats:
        checker.checks(word, raises=ValueError)(_as_format(judge))
    extend: Any = validators.extend
    kind = extend(Draft202012Validator, {"pattern": _pattern})
    validator: Validator = kind(schema(name), format_checker=checker)
    return validator


def _as_format(judge: Callable[[str], None]) -> Callable[[object], bool]:
    def conforms(value: object) -> bool:
        if isinstance(value, str):
            judge(value)
        return True

    return conforms


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """Match as JSON Schema means it: `$` is the end, not the place before a last line break."""
    from jsonschema import ValidationError

    strict = pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern
    if isinstance(value, str) and re.search(strict, value) is None:
        yield ValidationError("does not match")


def _mistake(error: Any) -> Iterator[Mistake]:
    path: KeyPath = tuple(error.absolute_path)
    keyword = str(error.validator)
    if keyword == "anyOf":
        yield from _alternatives(error, path)
    elif keyword == "additionalProperties":
        yield from _unknown_keys(error, path)
    elif keyword == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        for key in missing:
            if f"{key!r} is" in error.message:
                yield Mistake(path=path, message=f"the key {key!r} is missing")
    elif "propertyNames" in error.absolute_schema_path:
        where = (*path, error.instance)
        yield Mistake(path=where, message=_words(error, secret=False))
    else:
        secret = bool(error.schema.get("writeOnly"))
        yield Mistake(path=path, message=_words(error, secret=secret), hint=_quote(error))


def _alternatives(error: Any, path: KeyPath) -> Iterator[Mistake]:
    """Speak of the one alternative that has the right type, or name all types."""
    branches: dict[int, list[Any]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    wanted: list[str] = []
    for inners in branches.values():
        mismatch = next((e for e in inners if e.validator == "type" and not e.path), None)
        if mismatch is None:
            for inner in inners:
                yield from _mistake(inner)
            return
        wanted.append(_types(mismatch.validator_value))
    text = f"{_show(error.instance)} is not {' or '.join(dict.fromkeys(wanted))}"
    yield Mistake(path=path, message=text)


def _unknown_keys(error: Any, path: KeyPath) -> Iterator[Mistake]:
    known = list(error.schema.get("properties", {}))
    for key in error.instance:
        if key in known:
            continue
        near = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(known)}"
        named = "" if _is_speakable(key) else f" as {_show(key)}"
        yield Mistake(path=(*path, key), message=f"there is no such key{named}", hint=hint)


def _is_speakable(part: str | int) -> bool:
    return isinstance(part, int) or (part.isprintable() and len(part) <= _SHOWN)


def _speakable(path: KeyPath) -> KeyPath:
    """Cut a path before a key that would spoil a terminal: the file may be a stranger's."""
    return tuple(takewhile(_is_speakable, path))


def _words(error: Any, *, secret: bool) -> str:
    shown = "the value" if secret else _show(error.instance)
    keyword, limit, comment = error.validator, error.validator_value, error.schema.get("$comment")
    if keyword == "format":
        return str(error.cause)
    if keyword in ("pattern", "minimum", "maximum") and comment:
        return f"{shown}: {comment}"
    if keyword == "type":
        limit = _types(limit)
    elif keyword == "enum":
        limit = ", ".join(map(str, limit))
    size = len(error.instance) if hasattr(error.instance, "__len__") else 0
    words = _SENTENCES.get(keyword, "{shown} does not fit the rule {keyword!r} of the schema")
    return words.format(shown=shown, limit=limit, size=size, keyword=keyword)


def _types(wanted: str | list[str]) -> str:
    listed = [wanted] if isinstance(wanted, str) else wanted
    return " or ".join(_WORDS[word] for word in listed if word != "null")


def _quote(error: Any) -> str | None:
    """Explain the commonest slip of YAML: 1.30 is the number 1.3 until it is quoted."""
    number = isinstance(error.instance, int | float) and not isinstance(error.instance, bool)
    if error.validator == "type" and number and "string" in str(error.validator_value):
        return "put it in quotes, or YAML takes it for a number"
    return None


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = ascii(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."

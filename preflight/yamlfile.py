"""Reading a YAML or JSON file that a stranger may have written, and remembering its lines.

The file is read with YAML's safe tags only. Refused, each with file and line: more than 1 MiB,
text that is not YAML, a key written twice, merge keys, aliases that contain themselves or that
grow without measure, numbers that are not finite. Dates stay text, because a policy's `Version`
is text; keys are always text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preflight.errors import SpecError

if TYPE_CHECKING:
    import yaml

MAXIMUM_BYTES = 1024 * 1024
MAXIMUM_NODES = 100_000
MAXIMUM_DEPTH = 100

KeyPath = tuple[str | int, ...]

_ESCAPE = re.compile(
    r"\\(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})|.)"
)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A parsed file: its value as plain lists, dicts and scalars, and where each part stood."""

    path: str
    value: Any
    lines: Mapping[KeyPath, int]

    def line_of(self, path: Sequence[str | int]) -> int:
        """Tell the line (from 1) of a key path, or of the nearest part around it that exists."""
        trail = tuple(path)
        while trail and trail not in self.lines:
            trail = trail[:-1]
        return self.lines.get(trail, 1)

    def where(self, path: Sequence[str | int]) -> str:
        """Name the place of a key path as `file:line`."""
        return f"{self.path}:{self.line_of(path)}"

    def error(self, path: Sequence[str | int], message: str, hint: str | None = None) -> SpecError:
        """Make the error that says what is wrong at a key path; the caller raises it."""
        return SpecError(message, where=self.where(path), path=dotted(path), hint=hint)

    def check(self, schema: Mapping[str, Any]) -> None:
        """Compare the value with a JSON Schema; raises SpecError for the most telling mistake."""
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import best_match

        mistake = best_match(Draft202012Validator(schema).iter_errors(self.value))
        if mistake is None:
            return
        path = list(mistake.absolute_path)
        if mistake.validator == "additionalProperties" and isinstance(mistake.instance, Mapping):
            known = mistake.schema.get("properties", {})
            unknown = next(key for key in mistake.instance if key not in known)
            raise self.error([*path, unknown], "is not a known key", _known(known))
        raise self.error(path, _shorten(mistake.message))


def dotted(path: Sequence[str | int]) -> str:
    """Write a key path the way people say it: `calls[2].parameters.VpcId`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def load(path: Path | str) -> Document:
    """Read one YAML or JSON file; raises SpecError naming file and line."""
    name = str(path)
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", where=name) from error
    return loads(content, name)


def loads(content: bytes | str, name: str) -> Document:
    """Read the text of a YAML or JSON file; `name` stands for it in messages."""
    raw = content.encode("utf-8") if isinstance(content, str) else content
    if len(raw) > MAXIMUM_BYTES:
        raise SpecError(f"is larger than {MAXIMUM_BYTES // 1024} KiB", where=f"{name}:1")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SpecError("is not UTF-8 text", where=f"{name}:{line}") from error
    if name.endswith(".json"):
        # JSON may indent with tabs and write one character as two escapes, YAML may not.
        text = _ESCAPE.sub(_join_pair, text.replace("\t", " "))
    return _Reader(name).read(text)


def of_value(value: Any, name: str) -> Document:
    """Wrap a value that was made in Python, so that it is checked like a file."""
    return Document(path=name, value=value, lines={})


class _Reader:
    """Turns the node graph of one file into plain values, counting what it makes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[KeyPath, int] = {}
        self.made = 0
        self.open: set[int] = set()

    def read(self, text: str) -> Document:
        import yaml

        loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            self._refuse_depth(text)
            loader = loader_class(text)
            try:
                node = loader.get_single_node()
                value = None if node is None else self._value(loader, node, ())
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise self._error(line, f"is not YAML: {error.problem or error.context}") from error
        except yaml.YAMLError as error:
            raise self._error(1, f"is not YAML: {_shorten(str(error))}") from error
        return Document(path=self.name, value=value, lines=self.lines)

    def _refuse_depth(self, text: str) -> None:
        """Walk the events first: the C parser has no guard of its own against deep nesting."""
        import yaml

        loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        depth = 0
        for event in yaml.parse(text, Loader=loader_class):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAXIMUM_DEPTH:
                    line = event.start_mark.line + 1 if event.start_mark else 1
                    raise self._error(line, f"is nested deeper than {MAXIMUM_DEPTH}")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _value(self, loader: Any, node: yaml.Node, path: KeyPath) -> Any:
        import yaml

        line = node.start_mark.line + 1
        self.lines[path] = line
        self.made += 1
        if self.made > MAXIMUM_NODES:
            raise self._error(line, f"holds more than {MAXIMUM_NODES} values, aliases expanded")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(loader, node, line)
        if id(node) in self.open:
            raise self._error(line, "an alias contains itself")
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                self._expect_tag(node, "seq", line)
                return [self._value(loader, n, (*path, i)) for i, n in enumerate(node.value)]
            self._expect_tag(node, "map", line)
            return self._mapping(loader, node, path)
        finally:
            self.open.discard(id(node))

    def _mapping(self, loader: Any, node: Any, path: KeyPath) -> dict[str, Any]:
        import yaml

        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(line, "a key is not plain text")
            key = str(key_node.value)
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise self._error(line, "merge keys (<<) are not supported: write the keys out")
            if key in mapping:
                raise self._error(line, f"the key {key!r} is written twice")
            mapping[key] = self._value(loader, value_node, (*path, key))
            self.lines[(*path, key)] = line
        return mapping

    def _scalar(self, loader: Any, node: Any, line: int) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind in ("str", "timestamp", "value"):
            return str(node.value)
        if kind not in ("int", "float", "bool", "null"):
            raise self._error(line, f"the tag {node.tag} is not allowed")
        try:
            value = loader.construct_object(node)
        except (ValueError, IndexError) as error:
            raise self._error(line, f"{_shorten(node.value)} is not a number") from error
        if isinstance(value, float) and not math.isfinite(value):
            raise self._error(line, f"{node.value} is not a finite number")
        return value

    def _expect_tag(self, node: Any, kind: str, line: int) -> None:
        if node.tag != f"tag:yaml.org,2002:{kind}":
            raise self._error(line, f"the tag {node.tag} is not allowed")

    def _error(self, line: int, message: str) -> SpecError:
        return SpecError(message, where=f"{self.name}:{line}")


def _join_pair(escape: re.Match[str]) -> str:
    high, low = escape["high"], escape["low"]
    if high is None:
        return escape[0]
    return bytes.fromhex(high + low).decode("utf-16-be")


def _known(properties: Mapping[str, Any]) -> str:
    return f"known here: {', '.join(properties)}"


def _shorten(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"

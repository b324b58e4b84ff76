"""Reading what was asked for: a file, the flags that win over it, and everything wrong with both.

A ClusterSpec that comes out of here is whole: each value has the right form and no two
contradict each other. Whether the account can carry it is for the checks to say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict, Unpack

from preflight import ranges, schemas, yamlfile
from preflight.errors import SpecError
from preflight.ranges import SubnetRange
from preflight.spec_rules import broken_rules
from preflight.spec_values import (
    Access,
    Api,
    Capacity,
    ClusterSpec,
    Endpoints,
    InstanceType,
    Logging,
    Nat,
    Network,
    NodePool,
    Waiver,
)
from preflight.yamlfile import Document, KeyPath

__all__ = [
    "Access",
    "Api",
    "Capacity",
    "ClusterSpec",
    "Endpoints",
    "Flags",
    "InstanceType",
    "Logging",
    "Nat",
    "Network",
    "NodePool",
    "SubnetRange",
    "Waiver",
    "from_mapping",
    "load",
    "to_mapping",
    "with_flags",
]

FORMATS = {
    "vpc-cidr": ranges.judge_vpc,
    "service-cidr": ranges.judge_service,
    "public-cidr": ranges.judge_public,
}


class Flags(TypedDict, total=False):
    """What a command line may say of a cluster; None is a flag that was not given."""

    name: str | None
    account: str | None
    region: str | None
    vendor: str | None
    role_arn: str | None
    external_id: str | None
    version: str | None
    #: One text with commas, as `t2.medium,t2.large`, or a sequence.
    instance_types: str | Sequence[str] | None


def load(path: Path | str, **flags: Unpack[Flags]) -> ClusterSpec:
    """Read a YAML or JSON file. Flags win over it, also where the file is wrong.

    Raises SpecError with the file and line of every mistake.
    """
    document = yamlfile.load(path)
    if document.value is None:
        hint = "the least it can say is  name: dev"
        raise SpecError("the file is empty", where=f"{document.path}:1", hint=hint)
    return _read(document, flags)


def from_mapping(
    value: Mapping[str, Any], *, source: str = "cluster", **flags: Unpack[Flags]
) -> ClusterSpec:
    """Read a mapping with the keys of the file; `source` stands for the file in messages."""
    return _read(yamlfile.of_value(dict(value), source), flags)


def with_flags(spec: ClusterSpec | None, **flags: Unpack[Flags]) -> ClusterSpec:
    """Give the spec, or an all-default one, with what the command line says instead."""
    value = {} if spec is None else to_mapping(spec)
    if spec is not None and spec.external_id is not None:
        value["external_id"] = spec.external_id
    return from_mapping(value, source="command line", **flags)


def to_mapping(spec: ClusterSpec) -> dict[str, Any]:
    """Write a spec as plain values that `from_mapping` reads back; without the external id."""
    value: dict[str, Any] = {
        field.name: _plain(getattr(spec, field.name)) for field in dataclasses.fields(spec)
    }
    del value["external_id"]
    return value


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class _Flagged(Document):
    """A file under flags: what is wrong with a flag is said of the flag, not of the file."""

    flags: frozenset[str] = frozenset()

    def line_of(self, path: Sequence[str | int]) -> int:
        return 0 if path and path[0] in self.flags else super().line_of(path)

    def where(self, path: Sequence[str | int]) -> str:
        if path and path[0] in self.flags:
            return "NAME" if path[0] == "name" else f"--{str(path[0]).replace('_', '-')}"
        return super().where(path) if self.lines else self.path

    def error(self, path: Sequence[str | int], message: str, hint: str | None = None) -> SpecError:
        if path and path[0] in self.flags:
            return SpecError(message, where=self.where(path), hint=hint)
        return super().error(path, message, hint)


def _read(document: Document, flags: Flags) -> ClusterSpec:
    given = {key: flag for key, flag in flags.items() if flag is not None}
    value = document.value
    merged = _merge(value, given) if isinstance(value, Mapping) else value
    flagged = _Flagged(
        path=document.path, value=merged, lines=document.lines, flags=frozenset(given)
    )
    found = list(schemas.mistakes(merged, "cluster", FORMATS))
    if not isinstance(merged, Mapping):
        schemas.refuse(flagged, found)
    # Rules between keys are judged as far as their keys are sound, to tell everything at once.
    unsound = {_top(mistake.path) for mistake in found}
    sound = {key: part for key, part in merged.items() if key not in unsound}
    spec = _build(schemas.whole({"name": "unnamed", **sound}))
    found += [m for m in broken_rules(spec) if _top(m.path) not in unsound]
    schemas.refuse(flagged, found)
    return spec


def _top(path: KeyPath) -> str:
    return str(path[0]) if path else ""


def _merge(value: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Let flags win; a type the file gives sizes for keeps them when a flag names it again."""
    merged = {**value, **given}
    if "instance_types" in given:
        wanted = given["instance_types"]
        listed = wanted.split(",") if isinstance(wanted, str) else list(wanted)
        before = value.get("instance_types")
        sized = {
            entry["type"]: entry
            for entry in (before if isinstance(before, list) else [])
            if isinstance(entry, Mapping) and isinstance(entry.get("type"), str)
        }
        merged["instance_types"] = [sized.get(n.strip(), n.strip()) for n in listed]
    return merged


def _build(value: Mapping[str, Any]) -> ClusterSpec:
    """Make the value from a mapping that the schema accepts; defaults live in the dataclasses."""
    parts = {key: _tuples(part) for key, part in value.items() if part is not None}
    for key, build in _BUILDERS.items():
        if key in parts:
            parts[key] = build(value[key])
    return ClusterSpec(**parts)


def _tuples(part: Any) -> Any:
    return tuple(part) if isinstance(part, list) else part


def _instance_type(entry: str | Mapping[str, Any]) -> InstanceType:
    if isinstance(entry, str):
        return InstanceType(type=entry)
    default = InstanceType(type=entry["type"])
    least = int(entry.get("min", default.min))
    most = int(entry.get("max", max(default.max, least, int(entry.get("desired", 0)))))
    desired = int(entry.get("desired", min(max(default.desired, least), most)))
    capacity = tuple(Capacity(word) for word in entry.get("capacity", default.capacity))
    return InstanceType(type=entry["type"], min=least, desired=desired, max=most, capacity=capacity)


def _network(entry: Mapping[str, Any]) -> Network:
    parts = {key: _tuples(part) for key, part in entry.items() if part is not None}
    if isinstance(parts.get("zones"), int | float):
        parts["zones"] = tuple("abcdef"[: int(parts["zones"])])
    if "nat" in parts:
        parts["nat"] = Nat(parts["nat"])
    if "endpoints" in parts:
        parts["endpoints"] = _endpoints(parts["endpoints"])
    return Network(**parts)


def _endpoints(entry: bool | Mapping[str, Any]) -> Endpoints:
    if isinstance(entry, bool):
        return Endpoints() if entry else Endpoints(gateway=(), interface=())
    return Endpoints(**{key: tuple(part) for key, part in entry.items()})


def _logging(entry: bool | Mapping[str, Any]) -> Logging:
    if isinstance(entry, bool):
        return Logging() if entry else Logging(types=())
    return Logging(**{key: _tuples(part) for key, part in entry.items()})


def _access(entry: Mapping[str, Any]) -> Access:
    return Access(**{key: _tuples(part) for key, part in entry.items()})


_BUILDERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "account": str,
        "instance_types": lambda entries: tuple(_instance_type(entry) for entry in entries),
        "network": _network,
        "api": lambda entry: Api(**{key: _tuples(part) for key, part in entry.items()}),
        "logging": _logging,
        "access": lambda entries: tuple(_access(entry) for entry in entries),
        "tags": lambda entry: MappingProxyType(dict(entry)),
        "waive": lambda entries: tuple(Waiver(**entry) for entry in entries),
    }
)

"""The whole account as plain JSON, to compare before and after.

moto's backends are walked as objects: a resource is told once, in the collection of the backend
that owns it, by its own attributes; where another resource mentions it, only its id stands. What
changes without anybody changing the account is left out: caches, links back to the backend, when
a key was last used, AWS's managed policies; and so are secrets. A Region in which nothing differs
from a fresh one is left out too, so that looking at a Region does not change the state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from enum import Enum
from typing import Any

from preflight.sandbox import engine
from preflight.sandbox.world import World

# Attributes that hold no state of the account, or that reading alone changes.
LEFT_OUT = frozenset(
    {
        "account_summary",
        "aws_managed_policies",
        "credential_report",
        "filters",
        "instances_tracked",
        "last_used",
        "password_last_used",
        "policy_arn_regex",
        "region_name",
        "secret_access_key",
    }
)
# State that moto keeps in attributes named as private.
KEPT = frozenset({"_associations", "_state", "_status"})
IDENTITIES = ("arn", "id", "name", "physical_resource_id")
# Services whose backends hold catalogues or random documents, not state of an account.
NOT_STATE = frozenset({"instance_metadata", "moto_api", "pricing", "sts"})
DEEPEST = 40


# Backends that moto makes on the way when another service is used.
LINKED = {
    "autoscaling": ("ec2", "elb", "elbv2"),
    "efs": ("ec2",),
    "eks": ("iam",),
    "elb": ("ec2",),
    "elbv2": ("ec2",),
}


class Baseline:
    """What each backend was when it was first used: digest by (service, Region).

    `World.backend` and the pipeline ask for it before anything in a backend can change.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._fresh: dict[tuple[str, str], str] = {}

    def note(self, service: str, region: str) -> None:
        """Look at a backend, and those it will use, before the first change in them."""
        if (service, region) in self._fresh:
            return
        self._fresh[service, region] = ""
        with suppress(KeyError, ImportError, AttributeError):
            backend = engine.backend(service, self._world.account, region)
            self._fresh[service, region] = _digest(_backend(backend, _owned([backend])))
        for linked in LINKED.get(service, ()):
            self.note(linked, "aws" if linked == "iam" else region)

    def is_untouched(self, service: str, region: str, state: Any) -> bool:
        """Whether a backend still is what it was."""
        return self._fresh.get((service, region)) == _digest(state)


def snapshot(world: World) -> dict[str, Any]:
    """Describe the account: `{account, services: {service: {region: state}}, sandbox: {...}}`."""
    with world.lock:
        baseline = world.part(Baseline)
        services: dict[str, dict[str, Any]] = {}
        for service, region, backend in engine.backends_in_use(world.account):
            if service in NOT_STATE:
                continue
            state = _backend(backend, _owned([backend]))
            if state and not baseline.is_untouched(service, region, state):
                services.setdefault(service, {})[region] = state
        parts = {
            type(part).__name__: part.snapshot()
            for part in world.parts
            if hasattr(part, "snapshot")
        }
    return {
        "account": world.account,
        "services": services,
        "sandbox": {name: state for name, state in parts.items() if state},
    }


def _owned(backends: list[Any]) -> frozenset[int]:
    """Collect which objects have a home in a collection of a backend."""
    found: set[int] = set()
    for backend in backends:
        for name, value in vars(backend).items():
            if _is_state(name):
                _collect(value, found, 3)
    return frozenset(found)


def _collect(value: Any, found: set[int], levels: int) -> None:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple) and levels:
        for inner in value:
            _collect(inner, found, levels - 1)
    elif hasattr(value, "__dict__"):
        found.add(id(value))


def _digest(state: Any) -> str:
    return json.dumps(state, sort_keys=True)


def _backend(backend: Any, owned: frozenset[int]) -> dict[str, Any]:
    walk = _Walk(owned)
    found = {
        name: walk.value(value, 0, owned=isinstance(value, Mapping | list | tuple))
        for name, value in sorted(vars(backend).items())
        if _is_state(name)
    }
    return {name: value for name, value in found.items() if value not in (None, {}, [])}


def _is_state(name: str) -> bool:
    if name in KEPT:
        return True
    return not name.startswith("_") and name not in LEFT_OUT and not name.endswith("backend")


class _Walk:
    """One walk through a backend; the objects on the way down are not entered again."""

    def __init__(self, owned: frozenset[int]) -> None:
        self._owned = owned
        self._above: set[int] = set()

    def value(self, value: Any, depth: int, *, owned: bool) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, datetime | date):
            return value.isoformat()
        if isinstance(value, Enum):
            return self.value(value.value, depth, owned=owned)
        if isinstance(value, bytes):
            return value.hex()
        if depth > DEEPEST or id(value) in self._above:
            return _name(value)
        self._above.add(id(value))
        try:
            return self._inside(value, depth + 1, owned=owned)
        finally:
            self._above.discard(id(value))

    def _inside(self, value: Any, depth: int, *, owned: bool) -> Any:
        if isinstance(value, Mapping):
            items = ((_key(k), v) for k, v in list(value.items()))
            rows = ((k, self.value(v, depth, owned=owned)) for k, v in items if not _is_aws(k))
            return {key: row for key, row in sorted(rows, key=lambda row: row[0]) if row != {}}
        if isinstance(value, list | tuple):
            return [self.value(inner, depth, owned=owned) for inner in value]
        if isinstance(value, set | frozenset):
            return sorted((self.value(v, depth, owned=owned) for v in value), key=_digest)
        if not hasattr(value, "__dict__") or callable(value):
            return None
        if not owned and id(value) in self._owned and (identity := _name(value)) is not None:
            return identity
        return {
            name: self.value(inner, depth, owned=False)
            for name, inner in sorted(vars(value).items())
            if _is_state(name)
        }


def _key(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(key, default=str)


def _is_aws(key: str) -> bool:
    return key.startswith("arn:aws:iam::aws:")


def _name(value: Any) -> str | None:
    """Name a resource by its id, as `Class:id`."""
    own = vars(value) if hasattr(value, "__dict__") else {}
    for attribute in IDENTITIES:
        found = own.get(attribute)
        if isinstance(found, str) and found:
            return f"{type(value).__name__}:{found}"
    return None

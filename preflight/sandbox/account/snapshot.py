"""The whole account as plain JSON, to compare before and after.

moto's backends are walked as objects: a resource is told once, in the collection of the backend
that owns it, by its own attributes; where another resource mentions it, only its id stands. Each
Region is told as the JSON merge patch (RFC 7396) from a fresh one, so that looking at a Region
does not change the state; null says that something of a fresh account is gone.

Left out are secrets, and what changes without anybody changing the account: caches, links back to
the backend, when a key was last used, AWS's managed policies. So is what AWS makes in an account
by itself and keeps or forgets, see preflight/sandbox/account/unchanged.py. A key that waits for its
deletion is told under `pending_deletion`.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from enum import Enum
from typing import Any

from preflight.sandbox import engine
from preflight.sandbox.account.remains import gone, keys_gone
from preflight.sandbox.account.unchanged import is_left_out, pending_keys
from preflight.sandbox.world import World

# Attributes that hold no state of the account, or that reading alone changes.
LEFT_OUT = frozenset(
    {
        "account_summary",
        "aws_managed_policies",
        "credential_report",
        "default_kms_key_id",
        "filters",
        "instances_tracked",
        "key_material",
        "last_used",
        "launch_template_insert_order",
        "password_last_used",
        "policy_arn_regex",
        "private_key",
        "region_name",
        "secret_access_key",
    }
)
# State that moto keeps in attributes named as private.
KEPT = frozenset(
    {
        "_associations",
        "_cidr_block_association_set",
        "_etag",
        "_group_set",
        "_linked_service",
        "_metadata",
        "_parameters",
        "_placement",
        "_policy_json",
        "_routes",
        "_state",
        "_status",
        "_storage_class",
    }
)
# What AWS itself has under these keys belongs to no account: its policies, its public parameters.
OF_AWS = ("arn:aws:iam::aws:", "aws/service/")
IDENTITIES = ("arn", "id", "name", "physical_resource_id")
# Services whose backends hold catalogues or random documents, not state of an account.
NOT_STATE = frozenset({"instance_metadata", "moto_api", "pricing", "sts"})
DEEPEST = 40
# services/ec2/us-west-2/vpcs/vpc-1: where `difference` stops telling what is inside of new things.
RESOURCE_DEPTH = 5


# Backends that moto makes on the way when another service is used.
LINKED = {
    "autoscaling": ("ec2", "elb", "elbv2"),
    "efs": ("ec2",),
    "eks": ("iam",),
    "elb": ("ec2",),
    "elbv2": ("ec2",),
}


class Baseline:
    """What each backend was when it was first used, by service and Region.

    `World.backend` and the pipeline ask for it before anything in a backend can change.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._fresh: dict[tuple[str, str], dict[str, Any]] = {}

    def note(self, service: str, region: str) -> None:
        """Look at a backend, and those it will use, before the first change in them."""
        if (service, region) in self._fresh:
            return
        self._fresh[service, region] = {}
        with suppress(KeyError, ImportError, AttributeError):
            backend = engine.backend(service, self._world.account, region)
            self._fresh[service, region] = _backend(backend, _owned([backend]))
        for linked in LINKED.get(service, ()):
            self.note(linked, "aws" if linked == "iam" else region)

    def changes(self, service: str, region: str, backend: Any) -> dict[str, Any]:
        """Tell what in a backend is not what it was."""
        fresh = self._fresh.get((service, region))
        if fresh is None:
            # Made by moto on behalf of another service, past the pipeline.
            new = type(backend)(backend.region_name, backend.account_id)
            fresh = _backend(new, _owned([new]))
        return _patch(fresh, _state(service, backend))


def _patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Make the JSON merge patch that turns one object into another."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            inner = _patch(before, value)
            if inner:
                patch[key] = inner
        elif before != value or key not in old:
            patch[key] = value
    return patch


def snapshot(world: World) -> dict[str, Any]:
    """Describe the account.

    Gives `{account, regions: {region: settings}, services: {service: {region: state}},
    pending_deletion: [{arn, until}], sandbox: {part: state}}`.
    """
    with world.lock:
        baseline = world.part(Baseline)
        services: dict[str, dict[str, Any]] = {}
        pending: list[dict[str, str]] = []
        for service, region, backend in engine.backends_in_use(world.account):
            if service in NOT_STATE:
                continue
            if service == "kms":
                pending += pending_keys(backend)
            changes = baseline.changes(service, region, backend)
            if changes:
                services.setdefault(service, {})[region] = changes
        parts = {
            type(part).__name__: part.snapshot()
            for part in world.parts
            if hasattr(part, "snapshot")
        }
    return {
        "account": world.account,
        "regions": dict(world.scenario.get("regions", {})),
        "services": services,
        "pending_deletion": sorted(pending, key=lambda row: row["arn"]),
        "sandbox": {name: state for name, state in parts.items() if state},
    }


def _state(service: str, backend: Any) -> dict[str, Any]:
    """Describe a backend without the tags of what is gone, which moto keeps."""
    state = _backend(backend, _owned([backend]))
    over: set[str] = set()
    tags: dict[str, Any] = {}
    if service == "ec2":
        tags, over = state.get("tags", {}), gone(backend)
    elif service == "kms":
        tags, over = state.get("tagger", {}).get("tags", {}), keys_gone(backend)
    for id in over & tags.keys():
        del tags[id]
    return state


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Tell in words how two snapshots differ, one line a place; [] when they do not.

    `services/ec2/us-west-2/vpcs/vpc-1: added`, `...: removed`, `...: 5 became 6`.
    """
    return list(_compare(before, after, ()))


def _compare(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[str]:
    missing = object()
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            place = (*path, key)
            old, new = before.get(key, missing), after.get(key, missing)
            if len(place) < RESOURCE_DEPTH and (old is missing or new is missing):
                old = {} if old is missing and isinstance(new, Mapping) else old
                new = {} if new is missing and isinstance(old, Mapping) else new
            if old is missing or new is missing:
                # Null stands for something of a fresh account that is gone.
                added = (new is not None) if old is missing else old is None
                yield f"{'/'.join(place)}: {'added' if added else 'removed'}"
            else:
                yield from _compare(old, new, place)
    elif before != after:
        yield f"{'/'.join(path)}: {_short(before)} became {_short(after)}"


def _short(value: Any) -> str:
    return textwrap.shorten(json.dumps(value, sort_keys=True), 200, placeholder=" ...")


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
        value = [inner for key, inner in list(value.items()) if not _is_aws(_key(key))]
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
            if not owned:
                # A policy of AWS's that is attached to something: its ARN says it all.
                items = ((k, True if _is_aws(k) else v) for k, v in items)
            mine = (
                (k, v) for k, v in items if (v is True or not _is_aws(k)) and not is_left_out(v)
            )
            rows = ((k, self.value(v, depth, owned=owned)) for k, v in mine)
            return {key: row for key, row in sorted(rows, key=lambda row: row[0]) if row != {}}
        if isinstance(value, list | tuple):
            mine = (inner for inner in value if not is_left_out(inner))
            return [self.value(inner, depth, owned=owned) for inner in mine]
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
    return key.startswith(OF_AWS)


def _name(value: Any) -> str | None:
    """Name a resource by its id, as `Class:id`."""
    own = vars(value) if hasattr(value, "__dict__") else {}
    for attribute in IDENTITIES:
        found = own.get(attribute)
        if isinstance(found, str) and found:
            return f"{type(value).__name__}:{found}"
    return None

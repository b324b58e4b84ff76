"""An account described in a file: read, compared with its schema, and made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preflight import yamlfile
from preflight.errors import SpecError
from preflight.sandbox.world import World


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A scenario that agrees with its schema, and where each part of it stands."""

    document: yamlfile.Document

    @property
    def value(self) -> Mapping[str, Any]:
        """The scenario as plain values; {} for an empty account."""
        return self.document.value or {}


def read_scenario(source: Path | str | Mapping[str, Any] | None) -> Scenario:
    """Read a scenario; raises SpecError with file and line."""
    if source is None or isinstance(source, Mapping):
        document = yamlfile.of_value(dict(source or {}), "scenario")
    else:
        document = yamlfile.load(source)
    if not isinstance(document.value or {}, Mapping):
        raise SpecError("is not a mapping", where=document.where(()))
    return Scenario(document=document)


def furnish(world: World, scenario: Scenario, endpoint: str) -> None:
    """Fill the account of a fresh world."""
    backend = world.backend("iam", "aws")
    user = backend.create_user(region_name="us-east-1", user_name="sandbox-admin")
    backend.attach_user_policy("arn:aws:iam::aws:policy/AdministratorAccess", user.name)
    key = backend.create_access_key(user.name)
    rename_key(backend, key, world.admin_key_id, world.admin_secret)


def rename_key(backend: Any, key: Any, access_key_id: str, secret: str) -> None:
    """Give a moto access key the id and secret somebody wants it to have."""
    backend.access_keys.pop(key.access_key_id, None)
    key.access_key_id = access_key_id
    key.secret_access_key = secret
    backend.access_keys[access_key_id] = key

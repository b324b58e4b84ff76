"""What a vendor requires of an AWS account, as a file: limits, head-room, role, names.

Some ship with Preflight, others with plugins, and any other is a file of the same form. The checks
and the role command read the values, so that nothing of one vendor is written into code.

A distribution offers a profile under the entry point group `preflight.profiles`, by the profile's
name; the value names a package and a file in it, which is read and never run:

    [project.entry-points."preflight.profiles"]
    acme = "acme_preflight:acme.yaml"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path, PurePosixPath
from typing import Any

from preflight import schemas, yamlfile
from preflight.errors import PluginError, SpecError, UsageError
from preflight.namerule import NameRule, problems
from preflight.yamlfile import Document

GROUP = "preflight.profiles"
_ROLE_LISTS = ("managed_policies", "actions")


@dataclass(frozen=True, kw_only=True)
class RequiredQuota:
    """A quota and how much of it the vendor wants: as a limit, or free."""

    service: str
    code: str
    name: str
    value: int


@dataclass(frozen=True, kw_only=True)
class RequiredRole:
    """The role a vendor works as in the customer's account; durations in seconds."""

    trusted_account: str
    name_prefix: str = "preflight"
    maximum_session_seconds: int = 3600
    external_id_length: int = 30
    managed_policies: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()

    def managed_policy_arns(self, partition: str = "aws") -> tuple[str, ...]:
        """Give the ARNs of the AWS managed policies in one partition."""
        return tuple(f"arn:{partition}:iam::aws:policy/{name}" for name in self.managed_policies)


@dataclass(frozen=True, kw_only=True)
class RequiredCpus:
    """The vCPUs recommended for each family of instance types asked for; None is no opinion."""

    on_demand: int | None = None
    spot: int | None = None


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Everything one vendor asks for. `limits` and `vcpus` are recommended, `headroom` needed."""

    name: str
    title: str
    url: str | None = None
    role: RequiredRole | None = None
    name_rule: NameRule | None = None
    limits: tuple[RequiredQuota, ...] = ()
    vcpus: RequiredCpus = RequiredCpus()
    headroom: tuple[RequiredQuota, ...] = ()
    sts_regional_endpoint: bool = True
    default_zone: str | None = None
    provision_minutes: tuple[int, int] | None = None
    delete_minutes: tuple[int, int] | None = None
    #: Tag keys by which the vendor finds what it deletes; `{cluster}` stands for the name in EKS.
    claimed_tags: tuple[str, ...] = ()

    def claims(self, key: str, cluster: str) -> bool:
        """Say whether a tag of this key means to the vendor that a thing is its own."""
        return key in {claimed.replace("{cluster}", cluster) for claimed in self.claimed_tags}

    def name_problems(self, cluster: str) -> tuple[str, ...]:
        """Say what is wrong with a cluster's name under the vendor's rule; empty is legal."""
        return problems(self.name_rule, cluster) if self.name_rule else ()


def names() -> tuple[str, ...]:
    """List the profiles that `load` knows by name: the built-in ones, then those of plugins."""
    return (*_built_in(), *(name for name in sorted(_offered()) if name not in _built_in()))


def _built_in() -> tuple[str, ...]:
    entries = resources.files("preflight").joinpath("profiles").iterdir()
    return tuple(sorted(e.name.removesuffix(".yaml") for e in entries if e.name.endswith(".yaml")))


def _offered() -> dict[str, EntryPoint]:
    """Find the profiles of plugins, without importing any."""
    return {point.name: point for point in entry_points(group=GROUP)}


def load(vendor: Path | str) -> Profile:
    """Read a profile by name, or one from a file; a built-in one goes before one of a plugin.

    A text with a slash, or ending in .yaml, .yml or .json, is a path. Raises UsageError for a
    name that is not known and SpecError for a file that is wrong.
    """
    if isinstance(vendor, Path) or "/" in vendor or vendor.endswith((".yaml", ".yml", ".json")):
        return _read(yamlfile.load(vendor))
    if vendor in _built_in():
        file = resources.files("preflight").joinpath("profiles", f"{vendor}.yaml")
        return _read(yamlfile.loads(file.read_bytes(), f"{vendor}.yaml"))
    if point := _offered().get(vendor):
        return _of_plugin(point)
    raise UsageError(
        f"there is no vendor called {vendor!r}",
        f"one of: {', '.join(names())}; or the path of a profile file",
    )


def _of_plugin(point: EntryPoint) -> Profile:
    """Read the file that an entry point names, from the distribution that has it."""
    package, _, name = point.value.partition(":")
    path = PurePosixPath(package.strip().replace(".", "/"), name.strip())
    listed = point.dist.files or () if point.dist else ()
    found = next((file for file in listed if PurePosixPath(file) == path), None)
    if found is None:
        owner = point.dist.name if point.dist else "a plugin"
        raise PluginError(f"{owner} offers the vendor {point.name}, but has no file {path}")
    profile = _read(yamlfile.loads(Path(str(found.locate())).read_bytes(), str(path)))
    if profile.name != point.name:
        raise PluginError(f"{path} is the profile {profile.name}, not {point.name}")
    return profile


def _read(document: Document) -> Profile:
    if document.value is None:
        raise SpecError("the file is empty", where=f"{document.path}:1")
    found = schemas.mistakes(document.value, "profile", {"regular-expression": _judge_pattern})
    schemas.refuse(document, found)
    return _build(schemas.whole(document.value))


def _judge_pattern(text: str) -> None:
    try:
        re.compile(text, re.ASCII)
    except re.error as error:
        raise ValueError(f"{text!a} is not a regular expression: {error}") from None


def _build(value: Mapping[str, Any]) -> Profile:
    parts = {key: part for key, part in value.items() if part is not None}
    rule = parts.pop("cluster_name", None)
    for key in ("limits", "headroom"):
        parts[key] = tuple(RequiredQuota(**entry) for entry in parts.get(key, ()))
    for key in ("provision_minutes", "delete_minutes"):
        if key in parts:
            parts[key] = tuple(parts[key])
    if "role" in parts:
        lists: dict[str, Any] = {k: tuple(parts["role"].get(k, ())) for k in _ROLE_LISTS}
        parts["role"] = RequiredRole(**{**parts["role"], **lists})
    parts["claimed_tags"] = tuple(parts.get("claimed_tags", ()))
    parts["vcpus"] = RequiredCpus(**parts.get("vcpus", {}))
    return Profile(**parts, name_rule=_name_rule(rule, parts.get("url", "")) if rule else None)


def _name_rule(rule: Mapping[str, Any], url: str) -> NameRule:
    allowed = {"allowed": ".", "minimum": 1, "maximum": 253}
    return NameRule(kind="cluster", url=url, **{**allowed, **rule})

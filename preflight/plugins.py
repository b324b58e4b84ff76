"""Third-party checks: found without importing them, loaded one by one, a broken one is a finding.

A distribution offers a check under the entry point group `preflight.checks`, by the check's id:

    [project.entry-points."preflight.checks"]
    cost-centre = "acme_preflight:cost_centre"
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points

from preflight.check import Answer, Check, Context
from preflight.finding import Status

GROUP = "preflight.checks"
#: How long a plugin may take to be loaded, and again to answer.
SECONDS = 60.0
URL = "https://packaging.python.org/en/latest/specifications/entry-points/"


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A check that somebody else ships, before it is imported."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint

    def __str__(self) -> str:
        return f"{self.distribution}[{self.name}]"


def find() -> tuple[Plugin, ...]:
    """Find what is installed, in a stable order; imports nothing."""
    found = (
        Plugin(
            name=point.name,
            distribution=point.dist.name if point.dist else "?",
            version=point.dist.version if point.dist else "?",
            entry_point=point,
        )
        for point in entry_points(group=GROUP)
    )
    return tuple(sorted(found, key=str))


def checks(
    wanted: bool | Sequence[str], known: Iterable[str], seconds: float = SECONDS
) -> list[Check]:
    """Load the wanted plugins; what cannot be loaded becomes a check that says so.

    `wanted` True is all of them, or the names of those that must be there. `known` are the ids that
    are taken. `seconds` is how long one may take to be loaded, and again to answer.
    """
    taken = set(known)
    found = {plugin.name: plugin for plugin in find()}
    names = list(found) if wanted is True else list(wanted or ())
    loaded: list[Check] = []
    for name in names:
        loaded.append(_load(found.get(name), name, taken, seconds))
        taken.add(name)
    return loaded


def _load(plugin: Plugin | None, name: str, taken: set[str], seconds: float) -> Check:
    if plugin is None:
        return _broken(name, f"the spec asks for the plugin {name}, which is not installed")
    if name in taken:
        return _broken(f"{name}@{plugin.distribution}", f"{plugin} takes an id that is in use")
    check = _imported(plugin, seconds)
    if isinstance(check, BaseException):
        return _broken(name, f"{plugin} cannot be loaded: {type(check).__name__}: {check}")
    if not isinstance(check, Check):
        return _broken(name, f"{plugin} is a {type(check).__name__}, not a Check")
    if check.id != name:
        return _broken(name, f"{plugin} has the id {check.id!r}; it must be its entry point's name")
    return replace(check, limit=seconds)


def _imported(plugin: Plugin, seconds: float) -> object:
    """Import what an entry point names, or give what was raised instead.

    In a thread: a module that waits for something would keep everybody waiting.
    """
    found: list[object] = []

    def load() -> None:
        try:
            found.append(plugin.entry_point.load())
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module raises
            found.append(error)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else TimeoutError(f"no end of it within {seconds:g} s")


def _broken(id: str, reason: str) -> Check:
    def ask(context: Context) -> Iterator[Answer]:
        del context
        yield Answer(
            status=Status.UNKNOWN,
            subject=id,
            message=reason,
            hint="mend or remove it, or run with --no-plugins",
        )

    return Check(
        id=id,
        title="The plugin can be loaded",
        ask=ask,
        why="A check that cannot run has not passed.",
        fix="Mend or remove the distribution, or switch plugins off.",
        url=URL,
    )

"""`preflight checks`, `preflight explain ID`, `preflight schema NAME`: what there is to know."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from preflight.cli import options as o
from preflight.errors import UsageError

if TYPE_CHECKING:
    from preflight.check import Check


def checks(no_plugins: o.NoPlugins = False) -> None:
    """List the checks, in the order in which they are asked."""
    for check in _all(plugins=not no_plugins):
        typer.echo(f"{check.id:<24} {check.title}")


def explain(
    id: Annotated[str, typer.Argument(help="Id of a check.", show_default=False)],
    no_plugins: o.NoPlugins = False,
) -> None:
    """Say why a check is there, how to mend what it finds, and what it needs to look."""
    known = {check.id: check for check in _all(plugins=not no_plugins)}
    if id not in known:
        raise UsageError(f"no check is called {id!r}", f"one of: {', '.join(known)}")
    typer.echo(explanation(known[id]))


def explanation(check: Check) -> str:
    """Write all that is known of a check, 80 columns wide."""
    parts = [*_wrapped(f"{check.id}: {check.title}", indent=""), "", "Why", *_wrapped(check.why)]
    parts += ["", "How to mend it", *_wrapped(check.fix), "", f"Source\n  {check.url}"]
    if check.actions:
        parts += ["", "Needs", *(f"  {action}" for action in sorted(check.actions))]
    return "\n".join(parts)


def schema(
    name: Annotated[
        str, typer.Argument(help="cluster, profile, report or scenario.", show_default=False)
    ],
) -> None:
    """Print the JSON Schema of a file format."""
    from preflight import schemas

    if name not in schemas.names():
        raise UsageError(f"there is no schema {name!r}", f"one of: {', '.join(schemas.names())}")
    typer.echo(json.dumps(schemas.schema(name), indent=2))


def _wrapped(text: str, *, indent: str = "  ") -> list[str]:
    """Break between words alone: an option of a command stays in one piece."""
    return textwrap.wrap(
        " ".join(text.split()),
        80,
        initial_indent=indent,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _all(*, plugins: bool) -> list[Check]:
    from checks.builtin import CHECKS
    from preflight import plugins as third_party

    found = [*CHECKS]
    if plugins:
        found += third_party.checks(True, known=[check.id for check in found])
    return found

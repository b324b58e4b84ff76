"""The one place that writes what a command has to say, and picks its exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from preflight.cli.asked import Asked
    from reports.formats import Output
    from reports.view import Report


def outputs(asked: Asked) -> tuple[Output, ...]:
    """Read every `-o` before the work starts; text on standard output when there is none."""
    from reports.formats import parse_outputs

    return parse_outputs(asked.outputs or ("text",))


def show(report: Report, asked: Asked, *, exit: bool = True) -> None:
    """Write a report where it was asked for, and end with its exit code unless told otherwise."""
    from reports.formats import write
    from reports.options import Options

    options = Options.of(
        sys.stdout,
        color=asked.color,
        verbose=asked.verbose,
        spec_path=str(asked.file) if asked.file is not None else None,
    )
    write(report, outputs(asked), sys.stdout, options=options)
    if exit and report.verdict.exit_code:
        raise typer.Exit(report.verdict.exit_code)


def say(text: str, asked: Asked) -> None:
    """Tell a person on standard error how things go."""
    if not asked.quiet:
        typer.echo(text, err=True)


def confirm(question: str, expected: str, asked: Asked) -> None:
    """Let a person type the cluster's name before anything is made or destroyed."""
    from preflight.errors import Refused

    if asked.yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"not without a yes: {question}", "say it with --yes")
    typer.echo(f"{question} Type its name to go on: ", err=True, nl=False)
    if sys.stdin.readline().strip() != expected:
        raise Refused("not confirmed: nothing was changed")

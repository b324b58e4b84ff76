"""What is asked often answers at once: nothing heavy is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("boto3", "botocore", "moto", "flask", "jinja2", "jsonschema", "yaml", "rich.table")


def imported(*arguments: str) -> set[str]:
    """Name the modules that a command loads."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "preflight", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = (line.rpartition("|")[2].strip() for line in ended.stderr.splitlines())
    return {name for name in lines if name}


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("check", "--help")])
def test_help_and_version_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    names = imported(*arguments)
    assert "preflight.cli.main" in names
    loaded = {name for name in names for heavy in HEAVY if f"{name}.".startswith(f"{heavy}.")}
    assert loaded == set()


def test_the_version_does_not_even_load_the_commands() -> None:
    names = imported("--version")
    assert "preflight.version" in names
    assert not {"typer", "preflight.cli.app", "preflight.cli.check"} & names


def test_a_schema_is_printed_without_aws_or_tables() -> None:
    names = imported("schema", "report")
    assert not {"boto3", "moto", "rich.table"} & names

"""The commands that delete a thing, taken from the very code that deletes it.

The code is run against an account that only writes down what it is told to change. Where it has to
look first (which policies a role has, which objects a bucket), the commands are whole only with the
answers: then the real account is asked, if it is at hand, and else Preflight's own command is given
in place of half a recipe.
"""

from __future__ import annotations

import json
from typing import Any

from preflight.aws import READS, Aws, cli_word
from preflight.errors import PreflightError
from preflight.found import Found
from preflight.resource import Kind

#: boto3's name of a client where the AWS CLI has another.
CLI_NAMES = {"s3": "s3api"}
#: How often a real account is asked for the commands of one thing, and how many of them anybody
#: would copy; beyond that the thing goes with `preflight scan`.
MOST_LOOKS = 10
MOST_COMMANDS = 40
#: What the AWS CLI would take for a file or an address to read the value from.
#: https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html
READ_FROM = ("file://", "fileb://", "http://", "https://")

Command = tuple[str, ...]


class _Enough(Exception):
    """Commands cannot be had, or not at this price."""


class Rehearsal(Aws):
    """Takes calls down instead of making them; looks, if at all, through `real`."""

    def __init__(self, region: str, real: Aws | None = None) -> None:
        super().__init__(region)
        self.commands: list[Command] = []
        self._real = real
        self._looks = 0

    def _send(
        self, service: str, operation: str, region: str | None, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        """Ask what only looks; note what would change something."""
        if operation.startswith(READS):
            self._looks += 1
            if self._real is None or self._looks > MOST_LOOKS:
                raise _Enough
            return self._real.call(service, operation, region=region, **parameters)
        if len(self.commands) == MOST_COMMANDS:
            raise _Enough
        self.commands.append(_command(service, operation, region or self.region, parameters))
        return {}

    def _paging(self, service: str, operation: str) -> dict[str, Any] | None:
        return None if self._real is None else super()._paging(service, operation)


def commands(kind: type[Kind], found: Found, aws: Aws | None = None) -> tuple[Command, ...]:
    """Give the commands, as argument lists, that remove one thing; in this order, and all of them.

    Those of the AWS CLI where they can be known: without `aws` only for what is deleted without
    looking first. Never empty.
    """
    rehearsal = Rehearsal(found.region, aws)
    try:
        kind.delete(rehearsal, found)
    except (_Enough, PreflightError, KeyError, IndexError, TypeError):
        return (_own(found),)
    return tuple(rehearsal.commands) or (_own(found),)


def _own(found: Found) -> Command:
    name = ("--", found.cluster) if found.cluster.startswith("-") else (found.cluster,)
    return ("preflight", "scan", "--region", found.region, "--delete", *name)


def _command(service: str, operation: str, region: str, parameters: dict[str, Any]) -> Command:
    words = ["aws", CLI_NAMES.get(service, service), cli_word(operation)]
    for name, value in parameters.items():
        words += _option(cli_word(name), value)
    return (*words, "--region", region)


def _option(name: str, value: Any) -> tuple[str, ...]:
    """Write one option so that its value stays a value, whatever it looks like."""
    if isinstance(value, bool):
        return (f"--{name}" if value else f"--no-{name}",)
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        return (f"--{name}", json.dumps(value, sort_keys=True))
    if isinstance(value, list):
        plain = not any(text.startswith(("-", "[", "{")) for text in texts)
        return (f"--{name}", *texts) if plain and texts else (f"--{name}", json.dumps(texts))
    if value.startswith(READ_FROM) and name != "queue-url":
        raise _Enough
    return (f"--{name}={value}",) if value.startswith("-") else (f"--{name}", value)

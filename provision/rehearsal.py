"""The commands that delete a thing, taken from the very code that deletes it."""

from __future__ import annotations

import json
from typing import Any

from preflight.aws import READS, Aws, cli_word
from preflight.errors import PreflightError
from preflight.resource import Found, Kind

#: boto3's name of a client where the AWS CLI has another.
CLI_NAMES = {"s3": "s3api"}


class Rehearsal(Aws):
    """Takes calls down instead of making them; whoever reads is told that nothing is there."""

    def __init__(self, region: str) -> None:
        super().__init__(region)
        self.commands: list[tuple[str, ...]] = []

    def _send(
        self, service: str, operation: str, region: str | None, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        """Note a call that would change something."""
        if not operation.startswith(READS):
            self.commands.append(_command(service, operation, region or self.region, parameters))
        return _Nothing()

    def _paging(self, service: str, operation: str) -> None:
        del service, operation


class _Nothing(dict[str, Any]):
    def __missing__(self, key: str) -> Any:
        return _Nothing()


def commands(kind: type[Kind], found: Found) -> tuple[tuple[str, ...], ...]:
    """Give the AWS CLI commands, as argument lists, that remove one thing."""
    rehearsal = Rehearsal(found.region)
    try:
        kind.delete(rehearsal, found)
    except (PreflightError, KeyError, IndexError, TypeError):
        return ()
    return tuple(rehearsal.commands)


def _command(
    service: str, operation: str, region: str, parameters: dict[str, Any]
) -> tuple[str, ...]:
    words = ["aws", CLI_NAMES.get(service, service), cli_word(operation)]
    for name, value in parameters.items():
        option = "--" + cli_word(name)
        if isinstance(value, bool):
            words.append(option if value else "--no-" + cli_word(name))
        elif isinstance(value, list) and all(isinstance(each, str) for each in value):
            words += [option, *value]
        elif isinstance(value, dict | list):
            words += [option, json.dumps(value, sort_keys=True)]
        else:
            words += [option, str(value)]
    return (*words, "--region", region)

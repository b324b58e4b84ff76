"""The shape of a saved report: they come from anywhere, so say where they are wrong."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from preflight.errors import SpecError


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of version 1."""
    text = files("preflight").joinpath("schema/report.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def validate(record: Any, *, where: str | None = None) -> None:
    """Raise SpecError with the dotted path of the first place where the schema is not met."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema()).iter_errors(record))
    if error is not None:
        path = ".".join(str(part) for part in error.absolute_path)
        raise SpecError(error.message[:200], where=where, path=path, hint="see docs/reports.md")

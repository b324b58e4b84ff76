"""An account described in a file: read, and compared with its schema and with AWS's models.

Everything that can be found wrong without a running account is found here, with file, line and
reason; what only AWS can refuse is found in preflight/sandbox/account/furnish.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from preflight import yamlfile
from preflight.errors import SpecError
from preflight.sandbox import models

# `${name}` in the parameters of a call.
REFERENCE = re.compile(r"\$\{([^}]*)\}")
ALWAYS_KNOWN = frozenset({"account", "region"})


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A scenario that agrees with its schema, and where each part of it stands."""

    document: yamlfile.Document

    @property
    def value(self) -> Mapping[str, Any]:
        """The scenario as plain values; {} for an empty account."""
        return self.document.value or {}

    def error(self, path: list[str | int], message: str) -> SpecError:
        """Make the error for a key path; the caller raises it."""
        return self.document.error(path, message)


def read_scenario(source: Path | str | Mapping[str, Any] | None) -> Scenario:
    """Read a scenario, a file or its contents; raises SpecError with file, line and reason."""
    if source is None or isinstance(source, Mapping):
        document = yamlfile.of_value(dict(source or {}), "scenario")
    else:
        document = yamlfile.load(source)
    if document.value is not None:
        document.check(schema())
    scenario = Scenario(document=document)
    _check_regions(scenario)
    _check_lags(scenario)
    _check_quotas(scenario)
    _check_names(scenario)
    _check_calls(scenario)
    _check_faults(scenario)
    return scenario


def schema() -> dict[str, Any]:
    """Give the JSON Schema of a scenario."""
    file = resources.files("preflight") / "schema" / "scenario.schema.json"
    parsed: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return parsed


def _check_regions(scenario: Scenario) -> None:
    from preflight.sandbox.account.regions import ALL_REGIONS

    for path, region in _regions_named(scenario.value):
        if region not in ALL_REGIONS:
            raise scenario.error(path, f"there is no AWS Region {region}")


def _regions_named(value: Mapping[str, Any]) -> Iterator[tuple[list[str | int], str]]:
    account = value.get("account", {})
    if "region" in account:
        yield ["account", "region"], account["region"]
    for region in value.get("regions", {}):
        yield ["regions", region], region
    for section in ("quotas", "calls", "faults"):
        for number, entry in enumerate(value.get(section, [])):
            if "region" in entry:
                yield [section, number, "region"], entry["region"]


def _check_lags(scenario: Scenario) -> None:
    for name, asked in scenario.value.get("consistency", {}).items():
        if isinstance(asked, Mapping) and asked["min"] > asked["max"]:
            raise scenario.error(["consistency", name], "min is more than max")


def _check_quotas(scenario: Scenario) -> None:
    from preflight.sandbox.quotas.defaults import defaults

    for number, entry in enumerate(scenario.value.get("quotas", [])):
        known = (entry["service"], entry["code"]) in defaults()
        if not known and "name" not in entry:
            message = f"the sandbox has no quota {entry['service']}/{entry['code']}"
            raise scenario.document.error(
                ["quotas", number, "code"], message, "give it a `name` to make it"
            )


def _check_faults(scenario: Scenario) -> None:
    """Refuse codes of issues that EKS does not have: no client could have met them."""
    named = enumerate(scenario.value.get("faults", []))
    ours = [(n, one) for n, one in named if str(one["action"]).startswith("sandbox:")]
    if not ours:
        return
    from preflight.sandbox.eks.health import codes

    for number, entry in ours:
        known = codes(entry["action"])
        if known and entry.get("error") not in known:
            raise scenario.document.error(
                ["faults", number, "error" if "error" in entry else "action"],
                f"EKS has no such issue: {entry.get('error')}",
                f"it has {', '.join(known)}",
            )


def _check_names(scenario: Scenario) -> None:
    seen: set[str] = set()
    for number, entry in enumerate(scenario.value.get("principals", [])):
        names = [f"{kind} {entry[kind]}" for kind in ("user", "role") if kind in entry]
        names += [f"access key {entry['access_key'][0]}"] if "access_key" in entry else []
        for name in names:
            if name in seen:
                raise scenario.error(["principals", number], f"{name} is there twice")
            seen.add(name)
        if "role" in entry and "access_key" in entry:
            path: list[str | int] = ["principals", number, "access_key"]
            raise scenario.error(path, "a role has no access key of its own: assume it")


def _check_calls(scenario: Scenario) -> None:
    known = set(ALWAYS_KNOWN)
    for number, call in enumerate(scenario.value.get("calls", [])):
        at: list[str | int] = ["calls", number]
        _check_operation(scenario, at, call)
        here = known | {"n"} if "repeat" in call else known
        for path, text in _texts(call.get("parameters", {}), [*at, "parameters"]):
            for name in REFERENCE.findall(text):
                if name not in here:
                    raise scenario.error(path, f"${{{name}}} is not defined here")
        for name, expression in call.get("save", {}).items():
            _check_expression(scenario, [*at, "save", name], expression)
        known |= set(call.get("save", {}))


def _check_operation(scenario: Scenario, at: list[str | int], call: Mapping[str, Any]) -> None:
    from botocore.exceptions import UnknownServiceError

    try:
        model = models.service_model(call["service"])
    except UnknownServiceError as error:
        message = f"there is no AWS client named {call['service']}"
        raise scenario.error([*at, "service"], message) from error
    if call["operation"] not in model.operation_names:
        message = f"{call['service']} has no operation {call['operation']}"
        raise scenario.error([*at, "operation"], message)
    shape = model.operation_model(call["operation"]).input_shape
    members = shape.members if shape is not None else {}
    for name in call.get("parameters", {}):
        if name not in members:
            message = f"{call['service']} {call['operation']} has no parameter {name}"
            raise scenario.error([*at, "parameters", name], message)


def _check_expression(scenario: Scenario, path: list[str | int], expression: str) -> None:
    import jmespath

    try:
        jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        message = f"{expression!r} is not JMESPath: {str(error).splitlines()[0]}"
        raise scenario.error(path, message) from error


def _texts(value: Any, path: list[str | int]) -> Iterator[tuple[list[str | int], str]]:
    """Yield every text in nested parameters, keys of maps included, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield [*path, key], key
            yield from _texts(inner, [*path, key])
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, [*path, number])

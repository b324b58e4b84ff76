"""What a simulation is told of the request: context keys with their types, and kinds of resources.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_ContextEntry.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from preflight.policy import Context
from preflight.sandbox.identity.exclusions import invalid_input


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return text.isdigit()
    return True


#: Type of a context key, without its `List` -> what its values look like.
_TYPES: Mapping[str, Callable[[str], bool]] = {
    "boolean": lambda text: text.lower() in {"true", "false"},
    "date": _is_date,
    "ip": _is_ip,
    "numeric": lambda text: re.fullmatch(r"-?\d+(\.\d+)?", text) is not None,
}


def context_of(entries: Iterable[Mapping[str, Any]]) -> Context:
    """Read ContextEntries; raises InvalidInput for a value that its type does not have."""
    values: dict[str, list[str]] = {}
    for one in entries:
        name, kind = str(one.get("ContextKeyName", "")), str(one.get("ContextKeyType", ""))
        fits = _TYPES.get(kind.removesuffix("List"))
        given = [str(value) for value in one.get("ContextKeyValues") or ()]
        for value in given if fits else ():
            if fits and not fits(value):
                raise invalid_input(f"Invalid Context: {value} is not of type {kind}")
        values[name] = given
    return Context.of(values)


_INSTANCE = ("instance", "image", "security-group", "network-interface")
#: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
_SCENARIOS: Mapping[str, Sequence[str]] = {
    "EC2-VPC-InstanceStore": _INSTANCE,
    "EC2-VPC-InstanceStore-Subnet": (*_INSTANCE, "subnet"),
    "EC2-VPC-EBS": (*_INSTANCE, "volume"),
    "EC2-VPC-EBS-Subnet": (*_INSTANCE, "subnet", "volume"),
}


def insist_on_resources(option: str | None, resources: Iterable[str]) -> None:
    """Raise InvalidInput unless every kind of resource is there that the scenario asks for."""
    if not option:
        return
    if option not in _SCENARIOS:
        raise invalid_input(f"Invalid ResourceHandlingOption: {option}")
    there = {arn.rpartition(":")[2].partition("/")[0] for arn in resources}
    missing = [kind for kind in _SCENARIOS[option] if kind not in there]
    if missing:
        raise invalid_input(f"{option} requires resources of type {', '.join(missing)}")

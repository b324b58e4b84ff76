"""One question that a request puts to the policies of its signer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from preflight.policy import ContextValue


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """An action on a resource (None when its ARN is not known) with its condition keys.

    `unknown` are condition keys whose value AWS would know and the sandbox does not. `through` is
    the AWS service that acts in the caller's name, empty where the caller does it himself.
    """

    action: str
    resource: str | None
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    through: str = ""

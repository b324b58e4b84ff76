"""What AWS says of a role that a vendor assumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class RoleFound:
    """What AWS says of a role. `versions` are the default versions of customer policies by ARN."""

    arn: str
    name: str
    trust: Mapping[str, Any]
    seconds: int
    attached: tuple[str, ...] = ()
    inline: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    boundary: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

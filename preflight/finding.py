"""What was found out: the one value that checks produce, the gate weighs and reports show."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

EMPTY: Mapping[str, Any] = MappingProxyType({})


class Status(StrEnum):
    """The answer of a check; FAIL and UNKNOWN close the gate."""

    PASS = "pass"  # noqa: S105 - a status, not a password
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIP = "skip"


class LeftoverStatus(StrEnum):
    """What the sweeper says of a thing; only LEFTOVER is counted and offered for deletion."""

    LEFTOVER = "leftover"
    POSSIBLE = "possible"
    WAIT = "wait"
    KEEP = "keep"
    GHOST = "ghost"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How much it matters if nobody acts."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


def stable_id(*parts: str) -> str:
    """Name a finding so that two runs over the same account give it the same id (12 hex digits)."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One answer about one subject: `message` says what is, `hint` says what to do."""

    check: str
    status: Status | LeftoverStatus
    subject: str
    message: str
    hint: str | None = None
    severity: Severity = Severity.INFO
    url: str | None = None
    #: What machines read; its keys depend on the check (docs/reports.md).
    data: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    #: A reason given on the command line for letting the gate open in spite of this.
    waived: str | None = None

    @property
    def id(self) -> str:
        """The same for the same check and subject in every run."""
        return stable_id(self.check, self.subject)


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What a rule looked at: a rule that could not look is UNKNOWN, and says which action it lacks.

    `examined` counts the things looked at and `matched` those that the rule spoke about.
    """

    rule: str
    examined: int
    matched: int
    status: Status
    missing_action: str | None = None

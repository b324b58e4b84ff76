"""The one value that every format shows: what a run found out, free of how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

from preflight.finding import Coverage, Finding, LeftoverStatus, Severity, Status
from reports.sections import ClusterRow, PlanSection, RoleSection, Step


class Kind(StrEnum):
    """Which command the report is of."""

    CHECK = "check"
    PLAN = "plan"
    PROVISION = "provision"
    CLUSTERS = "clusters"
    DELETE = "delete"
    SCAN = "scan"
    QUOTAS = "quotas"
    ROLE = "role"
    PERMISSIONS = "permissions"


class Outcome(StrEnum):
    """The verdict in one word. (`Verdict` is the gate's own value, which makes permits.)"""

    OPEN = "open"
    DONE = "done"
    BUILT = "built"
    DELETED = "deleted"
    CLEAN = "clean"
    CLOSED = "closed"
    INCOMPLETE = "incomplete"
    LEFTOVERS = "leftovers"
    FAILED = "failed"
    PARTIAL = "partial"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"

    @property
    def exit_code(self) -> int:
        """The exit code of the command, from the one table for all commands."""
        return _EXIT_CODES.get(self, 0)


_EXIT_CODES: Final[Mapping[Outcome, int]] = MappingProxyType(
    {
        Outcome.CLOSED: 3,
        Outcome.INCOMPLETE: 4,
        Outcome.LEFTOVERS: 5,
        Outcome.FAILED: 6,
        Outcome.PARTIAL: 6,
        Outcome.REFUSED: 7,
        Outcome.INTERRUPTED: 130,
    }
)

#: Worst first: what must be acted on, what nobody knows, what may matter, what is fine.
STATUS_ORDER: Final[tuple[Status | LeftoverStatus, ...]] = (
    Status.FAIL,
    LeftoverStatus.LEFTOVER,
    Status.UNKNOWN,  # equal to LeftoverStatus.UNKNOWN: both are the word
    Status.WARN,
    LeftoverStatus.POSSIBLE,
    LeftoverStatus.WAIT,
    LeftoverStatus.GHOST,
    LeftoverStatus.KEEP,
    Status.SKIP,
    Status.PASS,
)
_WORST_SEVERITY_FIRST: Final = tuple(reversed(Severity))


def worst_first(finding: Finding) -> tuple[int, int, str, str, str]:
    """Sort key: by status, then severity, then by the names a reader looks for."""
    return (
        STATUS_ORDER.index(finding.status),
        _WORST_SEVERITY_FIRST.index(finding.severity),
        finding.check,
        finding.subject,
        finding.id,
    )


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one run found out, complete enough to be rendered again by anybody, anywhere.

    `complete` is False when something could not be looked at, whatever the verdict says.
    `calls` counts AWS calls by `service:Operation`; `seconds` is the wall-clock time of the run.
    """

    kind: Kind
    generated_at: datetime
    version: str
    verdict: Outcome
    complete: bool
    account: str | None = None
    region: str | None = None
    cluster: str | None = None
    findings: tuple[Finding, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    plan: PlanSection | None = None
    clusters: tuple[ClusterRow, ...] | None = None
    steps: tuple[Step, ...] | None = None
    role: RoleSection | None = None
    #: The IAM policy document that `preflight permissions` wrote.
    policy: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Bring the value into its one canonical form, so that equal reports are equal files."""
        findings = (replace(found, data=plain(found.data)) for found in self.findings)
        canonical: dict[str, Any] = {
            "generated_at": self.generated_at.astimezone(UTC).replace(microsecond=0),
            "findings": tuple(sorted(findings, key=worst_first)),
            "coverage": tuple(sorted(self.coverage, key=lambda line: line.rule)),
            "calls": dict(sorted(self.calls.items())),
            "seconds": round(float(self.seconds), 3),
        }
        for name, value in canonical.items():
            object.__setattr__(self, name, value)


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line for each type of JSON
    """Turn a value into what JSON has: dict, list, str, number, true, false, null."""
    match value:
        case Mapping():
            return {str(key): plain(inner) for key, inner in value.items()}
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case StrEnum():
            return value.value
        case float():
            return value if isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case set() | frozenset():
            return sorted(plain(inner) for inner in value)
        case Sequence():
            return [plain(inner) for inner in value]
        case _:
            return str(value)

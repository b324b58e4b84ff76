"""What a build or a tear-down says while it goes on: a port that the executor calls blindly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    """Where one resource is in its life."""

    STARTED = "started"
    WAITING = "waiting"
    RETRYING = "retrying"
    READY = "ready"
    ADOPTED = "adopted"
    KEPT = "kept"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETING = "deleting"
    BLOCKED = "blocked"
    GONE = "gone"


#: Phases after which nothing more happens to a resource in this run.
FINAL = frozenset({Phase.READY, Phase.ADOPTED, Phase.KEPT, Phase.FAILED, Phase.CANCELLED})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happened to one resource; `seconds` since its start."""

    address: str
    phase: Phase
    id: str = ""
    message: str = ""
    seconds: float = 0.0


class Progress(Protocol):
    """Whoever wants to know; called from one thread."""

    def __call__(self, step: Step) -> None:
        """Take note of a step."""
        ...


def silent(step: Step) -> None:
    """Nobody wants to know."""
    del step

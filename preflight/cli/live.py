"""The live view of a build or a tear-down: one line for each service on a terminal, a log else."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from preflight.errors import UsageError

if TYPE_CHECKING:
    from preflight.cli.asked import Asked
    from provision.progress import Step

Watch = Callable[["Step"], None]
#: What a log shows: the beginning and the end of each resource, and what holds it up.
LOUD = frozenset({"ready", "adopted", "gone", "failed", "cancelled", "blocked", "retrying"})
DONE = frozenset({"ready", "adopted", "kept", "gone"})
BAD = frozenset({"failed", "cancelled", "blocked"})


@contextmanager
def progress(asked: Asked, events: Path | None) -> Iterator[Watch]:
    """Give the function that is told every step."""
    with _view(asked) as view, _file(events) as file:

        def watch(step: Step) -> None:
            view(step)
            if file is not None:
                file.write(json.dumps(_event(step)) + "\n")
                file.flush()

        yield watch


def _event(step: Step) -> dict[str, Any]:
    return {
        "event": "step",
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "address": step.address,
        "phase": str(step.phase),
        "id": step.id,
        "message": step.message,
        "seconds": step.seconds,
    }


@contextmanager
def _file(path: Path | None) -> Iterator[IO[str] | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "see --events") from error
    with file:
        yield file


@contextmanager
def _view(asked: Asked) -> Iterator[Watch]:
    if asked.quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _table(asked) as watch:
            yield watch
    else:
        yield _log


def _log(step: Step) -> None:
    if step.phase in LOUD:
        from reports.clean import clean

        text = f"{step.seconds:7.1f}s  {step.phase:<9}  {step.address}"
        print(clean(f"{text}  {step.message}".rstrip()), file=sys.stderr)  # noqa: T201


@contextmanager
def _table(asked: Asked) -> Iterator[Watch]:
    from rich.console import Console
    from rich.live import Live

    board = Board()
    console = Console(stderr=True, no_color=not asked.color)
    with Live(board, console=console, refresh_per_second=8, transient=True):
        yield board.note


class Board:
    """What stands where, drawn anew whenever the terminal asks."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._began = time.monotonic()

    def note(self, step: Step) -> None:
        """Take note of a step."""
        self._steps[step.address] = step

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        from reports.clean import clean

        services: dict[str, Counter[str]] = {}
        for address, step in list(self._steps.items()):
            services.setdefault(address.split("/", 1)[0], Counter())[str(step.phase)] += 1
        table = Table(box=None, pad_edge=False, show_header=False)
        for service, phases in sorted(services.items()):
            done = sum(phases[phase] for phase in DONE)
            bad = sum(phases[phase] for phase in BAD)
            count = phases.total()
            bar = "█" * round(20 * done / count) + "░" * (20 - round(20 * done / count))
            trouble = f"{bad} in trouble" if bad else ""
            table.add_row(
                Text(service), Text(bar), Text(f"{done}/{count}"), Text(trouble, style="red")
            )
        waiting = [
            step
            for step in self._steps.values()
            if step.phase not in DONE and step.phase not in BAD
        ]
        waiting.sort(key=lambda step: -step.seconds)
        lines = [
            Text(clean(f"  {step.phase}  {step.address}  {step.message}"), style="dim")
            for step in waiting[:4]
        ]
        seconds = time.monotonic() - self._began
        return Group(table, *lines, Text(f"  {seconds:.0f} s", style="dim"))

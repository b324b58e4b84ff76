"""What AWS does later: an agenda on the virtual clock.

A request that starts something puts what follows on the agenda; every request first carries out
what has become due. So moto's own state is always the state at the present virtual time, and
filters, listings and delete rules need to know nothing of it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta

from preflight.sandbox.request import Request
from preflight.sandbox.world import World


class Agenda:
    """What is going to happen in one sandbox, in virtual time; a part of the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._at: float | None = None

    def seconds(self) -> float:
        """Tell the virtual time: inside an act the time it was due, not when it was noticed."""
        return self._world.clock.monotonic() if self._at is None else self._at

    def now(self) -> datetime:
        """Tell the same as a date."""
        clock = self._world.clock
        if self._at is None:
            return clock.now()
        return clock.now() - timedelta(seconds=clock.monotonic() - self._at)

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something so many virtual seconds from now."""
        self._count += 1
        heapq.heappush(self._due, (self.seconds() + seconds, self._count, act))

    def catch_up(self) -> None:
        """Do all that has become due, in order of time."""
        with self._world.lock:
            if self._at is not None:
                return
            while self._due and self._due[0][0] <= self._world.clock.monotonic():
                self._at, _, act = heapq.heappop(self._due)
                try:
                    act()
                finally:
                    self._at = None


def agenda(world: World) -> Agenda:
    """Give the agenda of a sandbox."""
    return world.part(Agenda)


def catch_up(request: Request) -> None:
    """Bring the account up to the present before a request is looked at."""
    agenda(request.world).catch_up()

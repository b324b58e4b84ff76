"""The sandbox's own time: faster than real time if asked, and moved forward by hand."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Time that runs `time_scale` times as fast as real time; safe to use from many threads."""

    def __init__(self, time_scale: float = 1.0) -> None:
        if not time_scale > 0:
            raise ValueError(f"time_scale must be above 0, not {time_scale}")
        self.time_scale = time_scale
        self._lock = threading.Lock()
        self._origin = datetime.now(UTC)
        self._started = time.monotonic()
        self._advanced = 0.0

    def monotonic(self) -> float:
        """Virtual seconds since the clock was made; never goes back."""
        with self._lock:
            return (time.monotonic() - self._started) * self.time_scale + self._advanced

    def now(self) -> datetime:
        """Tell the virtual time, in UTC."""
        return self._origin + timedelta(seconds=self.monotonic())

    def advance(self, seconds: float) -> datetime:
        """Move forward by virtual seconds and tell the new time; never back."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"a clock moves forward by finite seconds, not {seconds}")
        with self._lock:
            self._advanced += seconds
        return self.now()

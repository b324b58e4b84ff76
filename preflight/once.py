"""Fetch once, whoever asks and however many ask at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


class Once:
    """Remembers what was fetched, so that those who run side by side share their calls."""

    def __init__(self) -> None:
        self._cells: dict[str, _Cell] = {}
        self._lock = threading.Lock()

    def get(self, key: str, fetch: Callable[[], T]) -> T:
        """Fetch under a key at most once; an error is remembered and raised to all who ask."""
        with self._lock:
            cell = self._cells.setdefault(key, _Cell())
        with cell.lock:
            if not cell.done:
                try:
                    cell.value = fetch()
                except Exception as error:  # noqa: BLE001 - kept for whoever asks, then raised
                    cell.error = error
                cell.done = True
        if cell.error is not None:
            raise cell.error
        value: T = cell.value
        return value


@dataclass
class _Cell:
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False
    value: Any = None
    error: Exception | None = None

"""What was asked of AWS: counted, and told as IAM actions."""

from __future__ import annotations

import threading
from collections import Counter

from preflight.actions import action_of


class Calls:
    """What was asked of AWS, by IAM action; safe to share between threads."""

    def __init__(self) -> None:
        self._made: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def note(self, service: str, operation: str) -> None:
        """Count one request."""
        with self._lock:
            self._made[service, operation] += 1

    @property
    def by_operation(self) -> dict[str, int]:
        """How often each operation was called: `{"ec2:DescribeVpcs": 2}`."""
        with self._lock:
            return {f"{s}:{o}": count for (s, o), count in sorted(self._made.items())}

    @property
    def total(self) -> int:
        """How many requests were sent, retries included."""
        with self._lock:
            return self._made.total()

    @property
    def actions(self) -> frozenset[str]:
        """The IAM actions of all calls made."""
        with self._lock:
            return frozenset(action_of(*call) for call in self._made)

"""How fast one process may ask: a token bucket for each service in each Region."""

from __future__ import annotations

import threading

from preflight.clock import Clock

#: Requests per second that one process sends at most, with as many saved up for a burst. EC2's
#: are the account's documented buckets with room left for the account's other users:
#: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
#: Service Quotas' are documented and cannot be raised:
#: https://docs.aws.amazon.com/servicequotas/latest/userguide/reference_limits.html
RATES: dict[str, float] = {"service-quotas": 8.0, "iam": 12.0, "ec2": 20.0, "eks": 10.0}
DEFAULT_RATE = 15.0


class Bucket:
    """A token bucket that slows down when AWS throttles and recovers slowly."""

    def __init__(self, rate: float, clock: Clock) -> None:
        self._clock = clock
        self._full_rate = rate
        self._rate = rate
        self._tokens = rate
        self._at = clock.monotonic()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait until one more request may be sent."""
        self._clock.sleep(self._reserve())

    def slow(self) -> None:
        """Halve the rate: AWS said that it is too fast."""
        with self._lock:
            self._rate = max(0.5, self._rate / 2)
            self._tokens = min(self._tokens, 0.0)

    def _reserve(self) -> float:
        with self._lock:
            now = self._clock.monotonic()
            gained = (now - self._at) * self._rate
            self._at = now
            self._tokens = min(self._full_rate, self._tokens + gained) - 1
            self._rate = min(self._full_rate, self._rate * 1.02)
            return max(0.0, -self._tokens / self._rate)


class Pace:
    """The buckets of one account, made as they are needed; safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._lock = threading.Lock()

    def of(self, service: str, region: str) -> Bucket:
        """Give the bucket of a service in a Region."""
        with self._lock:
            key = (service, region)
            if key not in self._buckets:
                self._buckets[key] = Bucket(RATES.get(service, DEFAULT_RATE), self._clock)
            return self._buckets[key]

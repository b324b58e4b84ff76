"""How fast one process may ask: a token bucket for each service in each Region.

Service Quotas counts each operation by itself, and so does the bucket here.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType

from preflight.clock import Clock

#: Requests per second that one process sends at most, with as many saved up for a burst. EC2's
#: are the account's documented buckets with room left for the account's other users:
#: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
RATES: Mapping[str, float] = MappingProxyType({"iam": 12.0, "ec2": 20.0, "eks": 10.0})
DEFAULT_RATE = 15.0
#: What AWS documents for each operation of Service Quotas, for an account in a Region: requests a
#: second, and as many at once. They cannot be raised.
#: https://docs.aws.amazon.com/servicequotas/latest/userguide/reference_limits.html
SERVICE_QUOTAS: Mapping[str, float] = MappingProxyType(
    {
        "GetAWSDefaultServiceQuota": 5.0,
        "GetRequestedServiceQuotaChange": 5.0,
        "GetServiceQuota": 5.0,
        "ListAWSDefaultServiceQuotas": 10.0,
        "ListRequestedServiceQuotaChangeHistory": 5.0,
        "ListRequestedServiceQuotaChangeHistoryByQuota": 5.0,
        "ListServiceQuotas": 10.0,
        "ListServices": 10.0,
        "RequestServiceQuotaIncrease": 3.0,
    }
)
#: Kept back of a documented rate: what was sent evenly arrives in bunches.
MARGIN = 0.9


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
        self._buckets: dict[tuple[str, str, str], Bucket] = {}
        self._lock = threading.Lock()

    def of(self, service: str, region: str, operation: str = "") -> Bucket:
        """Give the bucket of an operation in a Region, which most services count all together."""
        documented = SERVICE_QUOTAS.get(operation) if service == "service-quotas" else None
        if documented is None:
            operation, rate = "", RATES.get(service, DEFAULT_RATE)
        else:
            rate = documented * MARGIN
        with self._lock:
            key = (service, region, operation)
            if key not in self._buckets:
                self._buckets[key] = Bucket(rate, self._clock)
            return self._buckets[key]

"""How fast Service Quotas is asked: never faster than documented, however many ask."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from preflight.aws import Aws
from preflight.aws.pace import SERVICE_QUOTAS, Pace


class Moments:
    """A clock that stands still; it keeps when each caller was let through."""

    def __init__(self) -> None:
        self.let: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.let.append(seconds)


@pytest.mark.parametrize(("operation", "rate"), SERVICE_QUOTAS.items())
def test_no_operation_of_service_quotas_exceeds_its_documented_rate(
    operation: str, rate: float
) -> None:
    clock = Moments()
    pace = Pace(clock)

    with ThreadPoolExecutor(max_workers=32) as pool:
        for _ in range(100):
            pool.submit(lambda: pace.of("service-quotas", "us-west-2", operation).take())

    moments = sorted(clock.let)
    assert len(moments) == 100
    for number, moment in enumerate(moments):
        # AWS's bucket: as many at once as a second brings.
        assert number + 1 <= rate + rate * moment + 1e-6


def test_operations_do_not_wait_for_each_other() -> None:
    pace = Pace(Moments())

    limits = pace.of("service-quotas", "us-west-2", "ListServiceQuotas")
    defaults = pace.of("service-quotas", "us-west-2", "ListAWSDefaultServiceQuotas")

    assert limits is not defaults
    assert limits is not pace.of("service-quotas", "us-east-1", "ListServiceQuotas")
    assert pace.of("ec2", "us-west-2", "DescribeVpcs") is pace.of(
        "ec2", "us-west-2", "RunInstances"
    )


def test_two_views_of_one_account_share_a_rate() -> None:
    aws = Aws("us-west-2")

    one = aws.at("us-east-1")._pace.of("service-quotas", "us-east-1", "ListServiceQuotas")

    assert one is aws._pace.of("service-quotas", "us-east-1", "ListServiceQuotas")

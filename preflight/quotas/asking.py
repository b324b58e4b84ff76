"""Reads limits and requests from Service Quotas, files requests, and tells what became of them.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from preflight.aws import Aws
from preflight.errors import AccessDenied, AlreadyExists, AwsError, NotFound, QuotaExceeded
from preflight.quotas.increase import OPEN, Decision, Filed, Listed, Standing, Wish
from preflight.quotas.limits import APPLIED, DEFAULTS

HISTORY = "ListRequestedServiceQuotaChangeHistory"


@dataclass(frozen=True, kw_only=True)
class State:
    """What became of a request: AWS's word on it, and the limit that is in force now."""

    filed: Filed
    limit: float | None

    @property
    def is_granted(self) -> bool:
        """Whether the limit is in force, which can be half an hour after the approval."""
        return self.limit is not None and self.limit >= self.filed.desired

    @property
    def is_decided(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.is_granted or self.filed.status not in OPEN | {"APPROVED"}

    @property
    def status(self) -> str:
        """How a finding says it: granted is a pass, turned down a failure."""
        if self.is_granted:
            return "pass"
        return "fail" if self.is_decided else "unknown"

    @property
    def said(self) -> str:
        """Say it in a few words."""
        now = "not known" if self.limit is None else f"{self.limit:,g}"
        return f"{'granted' if self.is_granted else self.filed.status}, the limit is {now}"


def read_listed(aws: Aws, wishes: Iterable[Wish]) -> dict[tuple[str, str, str], Listed]:
    """List the services of all wishes, applied values over defaults. Raises `AwsError`."""
    wanted = {wish.key for wish in wishes}
    found: dict[tuple[str, str, str], Listed] = {}
    for operation in (APPLIED, DEFAULTS):
        missing = {(service, region) for service, code, region in wanted - found.keys()}
        for service, region in sorted(missing):
            for entry in _entries(aws, operation, service, region):
                found.setdefault((service, entry["QuotaCode"], region), _listed(entry))
    return found


def _entries(aws: Aws, operation: str, service: str, region: str) -> list[dict[str, Any]]:
    request = {"ServiceCode": service, "MaxResults": 100}
    try:
        return list(aws.each("service-quotas", operation, "Quotas", region=region, **request))
    except NotFound:
        return []


def _listed(entry: Mapping[str, Any]) -> Listed:
    value = None if entry.get("ErrorReason") else entry.get("Value")
    return Listed(
        name=str(entry.get("QuotaName", "")),
        value=None if value is None else float(value),
        is_adjustable=bool(entry.get("Adjustable", True)),
    )


def read_requests(aws: Aws, region: str) -> tuple[Filed, ...]:
    """Read the requests of the last 90 days in a Region. Raises `AwsError`."""
    rows = aws.each("service-quotas", HISTORY, "RequestedQuotas", region=region, MaxResults=100)
    return tuple({row["Id"]: _filed(row, region) for row in rows}.values())


def _filed(row: Mapping[str, Any], region: str) -> Filed:
    return Filed(
        id=row["Id"],
        service=row["ServiceCode"],
        code=row["QuotaCode"],
        region=region,
        desired=float(row["DesiredValue"]),
        status=row["Status"],
    )


def opt_in_regions(aws: Aws, regions: Iterable[str]) -> frozenset[str]:
    """Say which of the Regions had to be enabled. Raises `AwsError`."""
    asked = [{"Name": "region-name", "Values": sorted(set(regions))}]
    rows = aws.each("ec2", "DescribeRegions", "Regions", Filters=asked)
    return frozenset(r["RegionName"] for r in rows if r.get("OptInStatus") == "opted-in")


def file(aws: Aws, decision: Decision) -> Decision:
    """Ask AWS for a limit that is missing; what AWS refuses is said, not raised."""
    wish = decision.wish
    request = {
        "ServiceCode": wish.service,
        "QuotaCode": wish.code,
        "DesiredValue": wish.value,
    }
    try:
        answer = aws.call(
            "service-quotas", "RequestServiceQuotaIncrease", region=wish.region, **request
        )
    except AccessDenied as error:
        return replace(
            decision, standing=Standing.UNKNOWN, why=str(error), missing_action=error.action
        )
    except AlreadyExists as error:
        return replace(decision, standing=Standing.PENDING, why=str(error))
    except QuotaExceeded as error:
        return replace(decision, standing=Standing.HELD, why=str(error))
    except AwsError as error:
        return replace(decision, standing=Standing.REFUSED, why=str(error))
    made = answer["RequestedQuota"]
    return replace(
        decision, standing=Standing.FILED, why=f"AWS says {made['Status']}", id=made["Id"]
    )


def filed(decision: Decision) -> Filed:
    """Give the request that was made of a decision, for the ledger."""
    wish = decision.wish
    return Filed(
        id=decision.id or "",
        service=wish.service,
        code=wish.code,
        region=wish.region,
        desired=wish.value,
        status="PENDING",
    )


def look(aws: Aws, requests: Mapping[tuple[str, str, str], Filed]) -> tuple[State, ...]:
    """Look what became of requests, and at the limits in force. Raises `AwsError`."""
    history = {
        filed.id: filed
        for region in {filed.region for filed in requests.values()}
        for filed in read_requests(aws, region)
    }
    wishes = [
        Wish(service=each.service, code=each.code, region=each.region, value=each.desired)
        for each in requests.values()
    ]
    listed = read_listed(aws, wishes)
    return tuple(
        State(
            filed=history.get(each.id, each),
            limit=listed[key].value if key in listed else None,
        )
        for key, each in requests.items()
    )

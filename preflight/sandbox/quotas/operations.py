"""The Service Quotas API: values, defaults, increases, pages of 100, and its own rate limits.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/Welcome.html
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from preflight.sandbox.account.regions import is_opt_in
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.quotas.book import OPEN, IncreaseRequest, QuotaBook, QuotaValue
from preflight.sandbox.quotas.defaults import service_name
from preflight.sandbox.request import Request
from preflight.sandbox.world import World

SERVICE = "service-quotas"
LARGEST_PAGE = 100
OPEN_PER_ACCOUNT = 20
OPEN_PER_OPT_IN_REGION = 2
HISTORY = timedelta(days=90)
# Requests a second and burst, per Region.
# https://docs.aws.amazon.com/servicequotas/latest/userguide/reference.html
RATES = {
    "GetAWSDefaultServiceQuota": 5,
    "GetRequestedServiceQuotaChange": 5,
    "GetServiceQuota": 5,
    "ListAWSDefaultServiceQuotas": 10,
    "ListRequestedServiceQuotaChangeHistory": 5,
    "ListRequestedServiceQuotaChangeHistoryByQuota": 5,
    "ListServiceQuotas": 10,
    "ListServices": 10,
    "RequestServiceQuotaIncrease": 3,
}


class Rates:
    """Token buckets over real time, one for each operation and Region."""

    def __init__(self, world: World) -> None:
        self.is_on = world.scenario.get("rates", "on") in ("on", True)
        self._left: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, operation: str, region: str, rate: float) -> bool:
        """Take one token; false when there is none."""
        now = time.monotonic()
        left, when = self._left.get((operation, region), (rate, now))
        left = min(rate, left + (now - when) * rate)
        taken = left >= 1
        self._left[operation, region] = (left - 1 if taken else left, now)
        return taken


def limit_rate(request: Request) -> None:
    """Refuse what comes faster than AWS answers."""
    rates = request.world.part(Rates)
    rate = RATES.get(request.operation)
    if rate is None or request.is_privileged or not rates.is_on:
        return
    if not rates.take(request.operation, request.region, rate):
        raise AwsFault("TooManyRequestsException", "Rate exceeded", 429)


def list_services(request: Request) -> dict[str, Any]:
    """ListServices."""
    services = _book(request).services(request.region)
    rows = [{"ServiceCode": code, "ServiceName": service_name(code)} for code in services]
    return _page(request, "Services", rows)


def list_service_quotas(request: Request) -> dict[str, Any]:
    """ListServiceQuotas: only what has an applied value."""
    values = _of_service(request)
    code = request.parameters.get("QuotaCode")
    rows = [
        _quota(request, value)
        for value in values
        if value.applied is not None and code in (None, value.quota.code)
    ]
    return _page(request, "Quotas", rows)


def list_defaults(request: Request) -> dict[str, Any]:
    """ListAWSDefaultServiceQuotas."""
    return _page(request, "Quotas", [_default(request, value) for value in _of_service(request)])


def get_service_quota(request: Request) -> dict[str, Any]:
    """GetServiceQuota: NoSuchResourceException where there is no applied value."""
    value = _one(request)
    if value.applied is None:
        raise _no_such_resource()
    return {"Quota": _quota(request, value)}


def get_default(request: Request) -> dict[str, Any]:
    """GetAWSDefaultServiceQuota."""
    return {"Quota": _default(request, _one(request))}


def request_increase(request: Request) -> dict[str, Any]:
    """RequestServiceQuotaIncrease."""
    value, book = _one(request), _book(request)
    desired = float(request.parameters["DesiredValue"])
    if not value.quota.is_adjustable:
        raise AwsFault("IllegalArgumentException", "The quota is not adjustable.")
    if desired <= value.in_force:
        message = "You must provide a quota value greater than the current quota value."
        raise AwsFault("IllegalArgumentException", message)
    _refuse_too_many(request, value, [r for r in book.requests() if r.status in OPEN])
    identifier = book.request(
        value,
        request.region,
        desired,
        requester=request.principal.arn if request.principal else "",
        case_allowed=request.parameters.get("SupportCaseAllowed", True),
    )
    entry = next(r for r in book.requests() if r.id == identifier)
    return {"RequestedQuota": _requested(request, entry)}


def _refuse_too_many(request: Request, value: QuotaValue, open_ones: list[IncreaseRequest]) -> None:
    key = (value.quota.service, value.quota.code)
    if any(r.key == key and r.region == request.region for r in open_ones):
        message = "Only one open service quota increase request is allowed per quota."
        raise AwsFault("ResourceAlreadyExistsException", message)
    here = sum(r.region == request.region for r in open_ones)
    if len(open_ones) >= OPEN_PER_ACCOUNT or (
        is_opt_in(request.region) and here >= OPEN_PER_OPT_IN_REGION
    ):
        message = "You have exceeded the number of open service quota increase requests."
        raise AwsFault("QuotaExceededException", message)


def get_requested_change(request: Request) -> dict[str, Any]:
    """GetRequestedServiceQuotaChange."""
    for entry in _book(request).requests():
        if entry.id == request.parameters["RequestId"] and entry.region == request.region:
            return {"RequestedQuota": _requested(request, entry)}
    raise _no_such_resource()


def list_history(request: Request) -> dict[str, Any]:
    """ListRequestedServiceQuotaChangeHistory, and the same by quota: the last 90 days."""
    wanted = request.parameters
    since = request.world.clock.now() - HISTORY
    rows = [
        _requested(request, entry)
        for entry in _book(request).requests()
        if entry.region == request.region
        and entry.created >= since
        and wanted.get("ServiceCode") in (None, entry.key[0])
        and wanted.get("QuotaCode") in (None, entry.key[1])
        and wanted.get("Status") in (None, entry.status)
    ]
    return _page(request, "RequestedQuotas", rows)


def _book(request: Request) -> QuotaBook:
    return request.world.part(QuotaBook)


def _of_service(request: Request) -> list[QuotaValue]:
    service = request.parameters["ServiceCode"]
    if service not in _book(request).services(request.region):
        raise _no_such_resource("The request failed because the specified service does not exist.")
    return list(_book(request).of_service(service, request.region))


def _one(request: Request) -> QuotaValue:
    wanted = request.parameters
    value = _book(request).get(wanted["ServiceCode"], wanted["QuotaCode"], request.region)
    if value is None:
        raise _no_such_resource()
    return value


def _no_such_resource(message: str = "") -> AwsFault:
    default = "The request failed because the specified quota does not exist."
    return AwsFault("NoSuchResourceException", message or default)


def _default(request: Request, value: QuotaValue) -> dict[str, Any]:
    quota = value.quota
    arn = f"arn:aws:servicequotas:{request.region}::{quota.service}/{quota.code}"
    return {
        "ServiceCode": quota.service,
        "ServiceName": service_name(quota.service),
        "QuotaArn": arn,
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": quota.value,
        "Unit": "None",
        "Adjustable": quota.is_adjustable,
        "GlobalQuota": quota.is_global,
    }


def _quota(request: Request, value: QuotaValue) -> dict[str, Any]:
    row = _default(request, value) | {"QuotaArn": _arn(request, value.quota)}
    row |= {"Value": value.applied, "QuotaAppliedAtLevel": "ACCOUNT"}
    if value.error_reason:
        row["Value"] = None
        row["ErrorReason"] = {
            "ErrorCode": value.error_reason,
            "ErrorMessage": "The value could not be read from the service that owns the quota.",
        }
    return row


def _arn(request: Request, quota: Any) -> str:
    owner = f"{request.region}:{request.account}"
    return f"arn:aws:servicequotas:{owner}:{quota.service}/{quota.code}"


def _requested(request: Request, entry: IncreaseRequest) -> dict[str, Any]:
    value = _book(request).get(*entry.key, entry.region)
    row: dict[str, Any] = {
        "Id": entry.id,
        "ServiceCode": entry.key[0],
        "ServiceName": service_name(entry.key[0]),
        "QuotaCode": entry.key[1],
        "DesiredValue": entry.desired,
        "Status": entry.status,
        "Created": entry.created,
        "LastUpdated": entry.created if entry.becomes else entry.decided_at or entry.created,
        "Requester": json.dumps({"accountId": request.account, "callerArn": entry.requester}),
        "Unit": "None",
        "QuotaRequestedAtLevel": "ACCOUNT",
    }
    if value is not None:
        row |= {"QuotaName": value.quota.name, "QuotaArn": _arn(request, value.quota)}
        row["GlobalQuota"] = value.quota.is_global
    if entry.status == "CASE_OPENED":
        row["CaseId"] = str(int(entry.id[:10], 16))
    return row


def _page(request: Request, member: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Cut one page out; the token holds the position and whose list it is."""
    size = int(request.parameters.get("MaxResults") or LARGEST_PAGE)
    if not 1 <= size <= LARGEST_PAGE:
        raise AwsFault("IllegalArgumentException", f"MaxResults is 1 to {LARGEST_PAGE}.")
    whose = f"{request.operation}/{request.parameters.get('ServiceCode', '')}"
    start = _position(request.parameters.get("NextToken"), whose)
    answer: dict[str, Any] = {member: list(rows[start : start + size])}
    if start + size < len(rows):
        token = base64.urlsafe_b64encode(f"{start + size}:{whose}".encode())
        answer["NextToken"] = token.decode()
    return answer


def _position(token: str | None, whose: str) -> int:
    if not token:
        return 0
    try:
        position, _, owner = base64.urlsafe_b64decode(token).decode().partition(":")
        if owner == whose:
            return int(position)
    except ValueError:
        pass
    raise AwsFault("InvalidPaginationTokenException", "Invalid pagination token.")


OPERATIONS = {
    (SERVICE, "GetAWSDefaultServiceQuota"): get_default,
    (SERVICE, "GetRequestedServiceQuotaChange"): get_requested_change,
    (SERVICE, "GetServiceQuota"): get_service_quota,
    (SERVICE, "ListAWSDefaultServiceQuotas"): list_defaults,
    (SERVICE, "ListRequestedServiceQuotaChangeHistory"): list_history,
    (SERVICE, "ListRequestedServiceQuotaChangeHistoryByQuota"): list_history,
    (SERVICE, "ListServiceQuotas"): list_service_quotas,
    (SERVICE, "ListServices"): list_services,
    (SERVICE, "RequestServiceQuotaIncrease"): request_increase,
}
RULES = {(SERVICE, "*"): limit_rate}

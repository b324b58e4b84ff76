"""The quotas in force in one account: defaults, what the scenario says, and granted increases."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from preflight.sandbox.quotas.defaults import QuotaDefault, QuotaKey, defaults
from preflight.sandbox.world import World

HOME_OF_GLOBAL = "us-east-1"
OPEN = frozenset({"PENDING", "CASE_OPENED"})
# The sandbox decides on an increase after this much virtual time; AWS takes minutes to days.
DECIDED_AFTER = timedelta(minutes=30)
#: Raising the limit of VPCs raises those of their gateways by the same.
#: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
FOLLOWERS: Mapping[QuotaKey, tuple[QuotaKey, ...]] = {
    ("vpc", "L-F678F1CE"): (("vpc", "L-A4707A72"), ("vpc", "L-45FE3B85")),
}


@dataclass(frozen=True, kw_only=True)
class QuotaValue:
    """One quota in one Region: AWS's default and the value applied, None where AWS has none."""

    quota: QuotaDefault
    applied: float | None
    error_reason: str | None = None

    @property
    def in_force(self) -> float:
        """The limit that bites."""
        return self.quota.value if self.applied is None else self.applied


@dataclass(frozen=True, kw_only=True)
class IncreaseRequest:
    """A request for more; `becomes` is the status it takes at `decided_at`, if it is decided."""

    id: str
    key: QuotaKey
    region: str
    desired: float
    status: str
    created: datetime
    requester: str
    becomes: str = ""
    decided_at: datetime | None = None


class QuotaBook:
    """All quotas of one sandbox and the increases asked for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._entries: list[Mapping[str, Any]] = list(world.scenario.get("quotas", []))
        self._quotas = dict(defaults())
        self._requests: list[IncreaseRequest] = []
        self._granted: dict[tuple[QuotaKey, str], float] = {}
        for entry in self._entries:
            self._define(entry)
            if "pending" in entry:
                self._remember(entry)

    def _define(self, entry: Mapping[str, Any]) -> None:
        key = (entry["service"], entry["code"])
        if key not in self._quotas:
            self._quotas[key] = QuotaDefault(
                service=entry["service"],
                code=entry["code"],
                name=entry["name"],
                value=float(entry.get("default", entry.get("applied") or 0)),
                is_adjustable=entry.get("adjustable", True),
            )

    def _remember(self, entry: Mapping[str, Any]) -> None:
        pending = entry["pending"]
        self._requests.append(
            IncreaseRequest(
                id=uuid.uuid5(uuid.NAMESPACE_OID, f"request {len(self._requests)}").hex,
                key=(entry["service"], entry["code"]),
                region=entry.get("region", self._world.region),
                desired=float(pending["desired"]),
                status=pending.get("status", "PENDING"),
                created=self._world.clock.now() - timedelta(hours=1),
                requester=f"arn:aws:iam::{self._world.account}:root",
            )
        )

    def get(self, service: str, code: str, region: str) -> QuotaValue | None:
        """Look one quota up; None when this Region does not show it."""
        quota = self._quotas.get((service, code))
        if quota is None or (quota.is_global and region != HOME_OF_GLOBAL):
            return None
        self._decide()
        return self._of((service, code), region)

    def _of(self, key: QuotaKey, region: str) -> QuotaValue:
        """Read one quota as it is in force, whatever is still to be decided."""
        quota = self._quotas[key]
        applied: float | None = quota.value if quota.is_applied else None
        error = None
        for entry in self._entries:
            if (entry["service"], entry["code"]) != key:
                continue
            if entry.get("region", region) != region and not quota.is_global:
                continue
            quota = _changed(quota, entry)
            applied = entry["applied"] if "applied" in entry else _follow(quota, applied)
            error = entry.get("error_reason", error)
        applied = self._granted.get((key, region), applied)
        return QuotaValue(quota=quota, applied=applied, error_reason=error)

    def limit(self, service: str, code: str, region: str) -> float:
        """Give the limit in force; a global quota has the same one in every Region."""
        quota = self._quotas[service, code]
        found = self.get(service, code, HOME_OF_GLOBAL if quota.is_global else region)
        return found.in_force if found else quota.value

    def services(self, region: str) -> list[str]:
        """List the service codes with quotas in a Region."""
        return sorted(
            {q.service for q in self._quotas.values() if not q.is_global or _is_home(region)}
        )

    def of_service(self, service: str, region: str) -> Iterator[QuotaValue]:
        """List the quotas of a service in a Region, by code."""
        for owner, code in sorted(self._quotas):
            if owner == service and (found := self.get(owner, code, region)):
                yield found

    def request(self, value: QuotaValue, region: str, desired: float, **how: Any) -> str:
        """Write an increase request down; gives its id. `how`: requester, case_allowed."""
        now = self._world.clock.now()
        entry = IncreaseRequest(
            id=uuid.uuid4().hex,
            key=(value.quota.service, value.quota.code),
            region=region,
            desired=desired,
            status="PENDING",
            created=now,
            requester=how["requester"],
            becomes="APPROVED" if how["case_allowed"] else "NOT_APPROVED",
            decided_at=now + DECIDED_AFTER,
        )
        self._requests.append(entry)
        return entry.id

    def requests(self) -> list[IncreaseRequest]:
        """List all increase requests, the newest first."""
        self._decide()
        return sorted(self._requests, key=lambda entry: entry.created, reverse=True)

    def _decide(self) -> None:
        now = self._world.clock.now()
        for number, entry in enumerate(self._requests):
            if entry.decided_at is not None and entry.decided_at <= now and entry.becomes:
                self._requests[number] = replace(entry, status=entry.becomes, becomes="")
                if entry.becomes == "APPROVED":
                    self._grant(entry)

    def _grant(self, entry: IncreaseRequest) -> None:
        by = entry.desired - self._of(entry.key, entry.region).in_force
        for follower in FOLLOWERS.get(entry.key, ()):
            limit = self._of(follower, entry.region).in_force + by
            self._granted[follower, entry.region] = limit
        self._granted[entry.key, entry.region] = entry.desired

    def snapshot(self) -> dict[str, Any]:
        """Give the increases asked for, by id; {} when there are none."""
        return {
            entry.id: {
                "quota": "/".join(entry.key),
                "region": entry.region,
                "desired": entry.desired,
                "status": entry.status,
            }
            for entry in sorted(self.requests(), key=lambda entry: entry.id)
        }


def _changed(quota: QuotaDefault, entry: Mapping[str, Any]) -> QuotaDefault:
    return replace(
        quota,
        value=float(entry.get("default", quota.value)),
        is_adjustable=entry.get("adjustable", quota.is_adjustable),
    )


def _follow(quota: QuotaDefault, applied: float | None) -> float | None:
    """A changed default moves the applied value with it, where there is one."""
    return None if applied is None else quota.value


def _is_home(region: str) -> bool:
    return region == HOME_OF_GLOBAL

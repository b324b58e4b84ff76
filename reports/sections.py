"""What single commands add to a report: a plan, clusters, steps, a role; each is optional."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Change(StrEnum):
    """What a plan does with one resource."""

    CREATE = "create"
    ADOPT = "adopt"
    KEEP = "keep"
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True)
class PlannedResource:
    """One resource of a plan; `address` names it inside the plan, `depends_on` are addresses."""

    address: str
    kind: str
    name: str
    change: Change
    depends_on: tuple[str, ...] = ()
    #: None: no price is known. 0.0: AWS does not charge for it.
    monthly_usd: float | None = None


@dataclass(frozen=True, kw_only=True)
class PlannedDemand:
    """What the plan takes of one quota; `within` is the zone, VPC or cluster it is counted in."""

    service: str
    code: str
    name: str
    amount: float
    within: str | None = None
    unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class PlanSection:
    """What would be made, in build order, with what it needs and what it costs.

    `monthly_usd` is the sum of what has a price, in US dollars for 730 hours, from a table dated
    `usd_as_of`; `unpriced` are the addresses or notes of what the sum leaves out.
    """

    resources: tuple[PlannedResource, ...]
    actions: tuple[str, ...] = ()
    demands: tuple[PlannedDemand, ...] = ()
    monthly_usd: float | None = None
    usd_as_of: str | None = None
    unpriced: tuple[str, ...] = ()

    @property
    def without_price(self) -> int:
        """How many resources the sum leaves out."""
        missing = sum(resource.monthly_usd is None for resource in self.resources)
        return missing or len(self.unpriced)


@dataclass(frozen=True, kw_only=True)
class ClusterRow:
    """One line of `preflight clusters`."""

    id: str
    name: str
    status: str
    region: str | None = None
    type: str = "byoc"
    created: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """How far one resource came in a build or a tear-down.

    `state` is one lower-case word of the executor: ready, adopted, kept, gone, failed, cancelled,
    pending. `id` is AWS's, `seconds` from the call to the end of the wait.
    """

    address: str
    state: str
    id: str | None = None
    seconds: float | None = None
    error: str | None = None
    hint: str | None = None


@dataclass(frozen=True, kw_only=True)
class RoleSection:
    """The cross-account role; the external id is a secret, so only its file is named."""

    role_arn: str
    role_name: str
    external_id_file: str | None = None

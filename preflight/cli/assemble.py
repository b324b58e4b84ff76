"""Turns what the rooms answer into the one report that is shown."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from preflight.version import __version__
from reports.view import (
    Change,
    Kind,
    Outcome,
    PlannedDemand,
    PlannedResource,
    PlanSection,
    Report,
    Step,
)

if TYPE_CHECKING:
    from preflight.aws import Calls
    from preflight.cli.asked import Asked
    from preflight.found import Found
    from preflight.gate import Verdict
    from preflight.plan import Plan
    from provision import progress


def report(
    kind: Kind,
    verdict: Outcome,
    *,
    asked: Asked,
    calls: Calls | None = None,
    complete: bool = True,
    **sections: Any,
) -> Report:
    """Fill in what every report says: when, by which version, with how many calls."""
    return Report(
        kind=kind,
        generated_at=datetime.now(UTC),
        version=__version__,
        verdict=verdict,
        complete=complete,
        calls=calls.by_operation if calls is not None else {},
        seconds=round(time.monotonic() - asked.began, 3),
        **sections,
    )


def gate_outcome(verdict: Verdict) -> Outcome:
    """Open, closed by a known failure, or closed only because nobody could look."""
    if verdict.is_open:
        return Outcome.OPEN
    return Outcome.CLOSED if verdict.failed else Outcome.INCOMPLETE


def plan_section(plan: Plan, existing: Mapping[str, Found] | None = None) -> PlanSection:
    """Show a plan: what would be made, what is there already, and what it takes."""
    from preflight.price import add_up, as_of

    region = plan.owner.region
    resources = []
    for resource in plan.ordered:
        price = add_up(resource.charges(), region)
        there = existing is not None and resource.address in existing
        resources.append(
            PlannedResource(
                address=resource.address,
                kind=resource.kind,
                name=next((value for _, value in resource.names()), resource.name),
                change=Change.KEEP if there else Change.CREATE,
                depends_on=tuple(sorted(need.address for need in resource.needs)),
                monthly_usd=None if price.unpriced else price.monthly_usd,
            )
        )
    demands = tuple(
        PlannedDemand(
            service=quota.service,
            code=quota.code,
            name=quota.name,
            amount=amount,
            within=within or None,
            unit=quota.unit,
        )
        for (quota, within), amount in plan.demands.items()
        if amount is not None
    )
    return PlanSection(
        resources=tuple(resources),
        actions=tuple(sorted({action.name for action in plan.actions})),
        demands=demands,
        monthly_usd=plan.price.monthly_usd,
        usd_as_of=as_of(),
        unpriced=plan.price.unpriced,
    )


def steps(found: Iterable[progress.Step]) -> tuple[Step, ...]:
    """Show the last word on every resource."""
    from provision.progress import Phase

    troubled = {Phase.FAILED, Phase.CANCELLED, Phase.BLOCKED}
    return tuple(
        Step(
            address=step.address,
            state=str(step.phase),
            id=step.id or None,
            seconds=step.seconds,
            error=step.message or None if step.phase in troubled else None,
        )
        for step in found
    )

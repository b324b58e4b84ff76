"""What the checks look with, as actions on the resources that they really look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from preflight.actions import Action
from preflight.check import Check
from preflight.names import BUCKET
from preflight.plan import Plan


def looks(plan: Plan, checks: Iterable[Check]) -> Iterator[Action]:
    """Give the actions of some checks, each once.

    The simulator is asked about principals of the account, buckets are looked for by the names of
    the plan, and where the plan looks with the same action, it is on the same resources.
    """
    places = _places(plan)
    for name in sorted(frozenset[str]().union(*(check.actions for check in checks))):
        if on := places.get(name, ("*",)):
            yield Action(name=name, on=on)


def _places(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    owner = plan.owner
    here = f"arn:{owner.partition}:iam::{owner.account}"
    planned: defaultdict[str, set[str]] = defaultdict(set)
    for action in plan.actions:
        planned[action.name].update(action.on)
    buckets = [one.value for one in plan.names if one.rule is BUCKET]
    return {
        **{name: tuple(sorted(on)) for name, on in planned.items()},
        "iam:GetRole": (f"{here}:role/*",),
        "iam:SimulatePrincipalPolicy": (f"{here}:role/*", f"{here}:user/*"),
        # Only the root user asks, and no policy grants him anything.
        "organizations:DescribeOrganization": (),
        "s3:ListBucket": tuple(f"arn:{owner.partition}:s3:::{name}" for name in buckets),
    }

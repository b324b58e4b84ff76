"""What a principal needs for the whole way: check, provision, delete, scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from preflight.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from preflight.actions import Action
    from preflight.cli.asked import Asked
    from preflight.least import Least
    from preflight.plan import Plan
    from preflight.spec import ClusterSpec


def drawn(spec: ClusterSpec, asked: Asked) -> Plan:
    """Draw a plan without a look at the account: which zones and images it gets needs no rights.

    The account is the spec's, or whatever the caller's credentials belong to.
    """
    from preflight.facts import Facts, Zone
    from provision.blueprint import draw

    account, partition = spec.account or "", partition_of(spec.region)
    if not account:
        from preflight.cli.asked import connected

        account = connected(spec.region, asked.aws_profile).identity.account
    return draw(
        spec,
        Facts(
            account=account,
            partition=partition,
            region=spec.region,
            # Whoever builds gets an access entry; its ARN is not part of any action's.
            principal=spec.role_arn or f"arn:{partition}:iam::{account}:role/builder",
            zones=tuple(Zone(name=f"{spec.region}{each}", id="") for each in "abcdef"),
        ),
    )


def partition_of(region: str) -> str:
    """Tell the partition from the name of a Region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def least_of(plan: Plan, *, sweep: bool = False) -> Least:
    """Write the least policies for a plan; `sweep` adds the deletion of what controllers left."""
    from checks.builtin import CHECKS
    from checks.looks import looks
    from preflight.least import least

    strays = _deletions(plan) if sweep else ()
    return least((*plan.actions, *strays), plan.owner, looks(plan, CHECKS))


def _deletions(plan: Plan) -> Iterator[Action]:
    from provision.strays.kinds import STRAYS

    for kind in STRAYS:
        for action in kind.deletes:
            yield action.of(None, plan.owner)


def account_of(arn: str) -> str:
    """Read the account off the ARN of a principal; raises `UsageError` for anything else."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in {"iam", "sts"} or not parts[4]:
        raise UsageError(
            f"{arn} is not the ARN of a user or role", "as arn:aws:iam::111122223333:role/builder"
        )
    return parts[4]

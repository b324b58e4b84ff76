"""What the commands about roles do."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import typer

from preflight.cli.asked import Asked
from preflight.cli.role_place import (
    arn_of,
    arn_or_none,
    insist_own,
    journal_of,
    kept,
    name_of,
    where,
)
from preflight.errors import BuildFailed, Refused

if TYPE_CHECKING:
    from preflight.aws import Aws
    from preflight.found import Owner
    from preflight.plan import Plan
    from preflight.profile import Profile
    from provision.executor import Built
    from reports.view import Outcome, Report


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a role is to be like, as asked for."""

    trust: tuple[str, ...] = ()
    without_id: tuple[str, ...] = ()
    seconds: int | None = None
    least: bool = False


def make(
    asked: Asked,
    name: str | None,
    *,
    shape: Shape,
    external_id: str | None = None,
    region: str | None = None,
    shell: bool = False,
) -> None:
    """Make the role; the vendor may assume it, and whoever is named beside him.

    One that is there already gets its trust and its policies again.
    """
    from preflight.cli.assemble import steps
    from preflight.cli.provision import held
    from preflight.cli.show import confirm, outputs, say
    from preflight.gate import Verdict
    from preflight.secret import external_id as fresh
    from provision.executor import build
    from reports.view import Outcome

    outputs(asked)
    aws, vendor, owner = where(asked, name, region)
    file = kept(owner)
    length = vendor.role.external_id_length if vendor.role is not None else 30
    before = file.read()
    secret = external_id or before or fresh(length)
    if (there := arn_or_none(aws, owner)) is not None:
        insist_own(there, owner)
    plan = draw(asked, vendor, owner, secret, shape)
    if shape.without_id:
        say(f"warning: no secret keeps {', '.join(shape.without_id)} out", asked)
    confirm(f"Role {name_of(owner)} will be made in {owner.account}.", name_of(owner), asked)
    file.write(secret)
    verdict = Verdict(plan=plan.digest, findings=())
    with held(journal_of(owner)) as journal:
        built = build(verdict.permit(plan), aws, journal)
    if not built.complete:
        if before is not None:
            file.write(before)  # the role still waits for it
        reasons = "; ".join(step.message for step in built.steps if step.message)
        raise BuildFailed(f"{name_of(owner)}: {reasons}")
    _restore(aws, plan, built)
    arn = next(step.id for step in built.steps if step.address.startswith("iam/role/"))
    if shell:
        typer.echo(f"export ROLE_ARN={shlex.quote(arn)} EXTERNAL_ID={shlex.quote(secret)}")
        return
    shown(asked, aws, owner, Outcome.BUILT, arn, steps=steps(built.steps))


def _restore(aws: Aws, plan: Plan, built: Built) -> None:
    """Give what was there already its settings again: somebody may have changed them."""
    from provision.life import Made
    from provision.progress import Phase

    by_address = {step.address: step for step in built.steps}
    ids = {each: by_address[each.address].id for each in plan.ordered}
    for resource, id in ids.items():
        if by_address[resource.address].phase is Phase.KEPT:
            resource.configure(aws, Made(owner=built.owner, ids=ids), id)


def draw(asked: Asked, vendor: Profile, owner: Owner, secret: str, shape: Shape) -> Plan:
    """Draw the role as asked for."""
    from preflight.cli.needs import drawn, least_of
    from provision.blueprint.vendor_role import draw_role

    needed = None
    if shape.least:
        spec = replace(asked, account=owner.account).spec()
        needed = least_of(drawn(spec, asked))
    return draw_role(
        vendor,
        owner,
        secret,
        shape.trust,
        least=needed,
        seconds=shape.seconds,
        without_id=shape.without_id,
    )


def remove(asked: Asked, name: str, *, region: str | None = None) -> None:
    """Delete the role and forget its external id."""
    from preflight.cli.assemble import steps
    from preflight.cli.provision import held
    from preflight.cli.role_show import needing
    from preflight.cli.show import confirm, outputs
    from provision.resources.policies import Policy
    from provision.resources.roles import Role
    from provision.teardown import tear_down
    from reports.view import Outcome

    outputs(asked)
    aws, _, owner = where(asked, name, region)
    arn = arn_of(aws, owner)
    insist_own(arn, owner)
    if alive := needing(aws, arn):
        named = ", ".join(f"{cluster} in {place}" for cluster, place in alive)
        raise Refused(
            f"{named} still {'needs' if len(alive) == 1 else 'need'} it",
            f"delete first: preflight delete {alive[0][0]} --region {alive[0][1]}",
        )
    confirm(f"Role {name_of(owner)} in {owner.account} will be deleted.", name_of(owner), asked)
    with held(journal_of(owner)) as journal:
        torn = tear_down(aws, owner, (Role, Policy), journal)
    if not torn.complete:
        reasons = "; ".join(step.message for step in torn.steps if step.message)
        raise BuildFailed(f"{name_of(owner)}: {reasons}")
    kept(owner).forget()
    shown(asked, aws, owner, Outcome.DELETED, arn, steps=steps(torn.steps))


def shown(
    asked: Asked, aws: Aws, owner: Owner, outcome: Outcome, arn: str, **sections: Any
) -> Report:
    """Write the report about a role, and end with its exit code."""
    from preflight.cli.assemble import report
    from preflight.cli.show import show as write
    from reports.view import Kind, RoleSection

    path = kept(owner).path
    made = report(
        Kind.ROLE,
        outcome,
        asked=asked,
        calls=aws.calls,
        account=owner.account,
        region=owner.region,
        role=RoleSection(
            role_arn=arn,
            role_name=name_of(owner),
            external_id_file=str(path) if path.exists() else None,
        ),
        **sections,
    )
    write(made, asked)
    return made

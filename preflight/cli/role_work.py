"""What the commands about roles do."""

from __future__ import annotations

import secrets
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import typer

from preflight.cli.asked import Asked, configured_region, connected
from preflight.errors import BuildFailed, NotFound, Refused, UsageError

if TYPE_CHECKING:
    from preflight.aws import Aws
    from preflight.found import Owner
    from preflight.journal import Journal
    from preflight.plan import Plan
    from preflight.profile import Profile
    from preflight.secret import SecretFile
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
    """Make the role; the vendor may assume it, and whoever is named beside him."""
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
    secret = external_id or file.read() or fresh(length)
    if (there := _arn_or_none(aws, owner)) is not None:
        _own(there, owner)
    plan = draw(asked, vendor, owner, secret, shape)
    if shape.without_id:
        say(f"warning: no secret keeps {', '.join(shape.without_id)} out", asked)
    confirm(f"Role {name_of(owner)} will be made in {owner.account}.", name_of(owner), asked)
    file.write(secret)
    verdict = Verdict(plan=plan.digest, findings=())
    with held(_journal(owner)) as journal:
        built = build(verdict.permit(plan), aws, journal)
    if not built.complete:
        reasons = "; ".join(step.message for step in built.steps if step.message)
        raise BuildFailed(f"{name_of(owner)}: {reasons}")
    arn = next(step.id for step in built.steps if step.address.startswith("iam/role/"))
    if shell:
        typer.echo(f"export ROLE_ARN={shlex.quote(arn)} EXTERNAL_ID={shlex.quote(secret)}")
        return
    shown(asked, aws, owner, Outcome.BUILT, arn, steps=steps(built.steps))


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
    _own(arn, owner)
    if alive := needing(aws, arn):
        named = ", ".join(f"{cluster} in {place}" for cluster, place in alive)
        raise Refused(
            f"{named} still {'needs' if len(alive) == 1 else 'need'} it",
            f"delete first: preflight delete {alive[0][0]} --region {alive[0][1]}",
        )
    confirm(f"Role {name_of(owner)} in {owner.account} will be deleted.", name_of(owner), asked)
    with held(_journal(owner)) as journal:
        torn = tear_down(aws, owner, (Role, Policy), journal)
    if not torn.complete:
        reasons = "; ".join(step.message for step in torn.steps if step.message)
        raise BuildFailed(f"{name_of(owner)}: {reasons}")
    kept(owner).forget()
    shown(asked, aws, owner, Outcome.DELETED, arn, steps=steps(torn.steps))


def where(asked: Asked, name: str | None, region: str | None) -> tuple[Aws, Profile, Owner]:
    """Connect, and say whose the role is."""
    from preflight import profile
    from preflight.spec import ClusterSpec

    vendor = profile.load(asked.vendor or ClusterSpec.vendor)
    region = region or configured_region(asked.aws_profile) or "us-east-1"
    aws = connected(region, asked.aws_profile)
    prefix = vendor.role.name_prefix if vendor.role is not None else "preflight"
    chosen = _legal(name or f"{prefix}-{secrets.token_hex(4)}")
    identity = aws.identity
    return aws, vendor, _owner(chosen, identity.account, region, identity.partition)


def elsewhere(asked: Asked, name: str, region: str | None) -> tuple[Profile, Owner]:
    """Say whose role it will be; AWS is asked only when no account is given."""
    from preflight import profile
    from preflight.cli.needs import partition_of
    from preflight.spec import ClusterSpec

    if asked.account is None:
        _, vendor, owner = where(asked, name, region)
        return vendor, owner
    vendor = profile.load(asked.vendor or ClusterSpec.vendor)
    place = region or configured_region(asked.aws_profile) or "us-east-1"
    return vendor, _owner(_legal(name), asked.account, place, partition_of(place))


def _legal(name: str) -> str:
    from preflight import names

    if wrong := names.problems(names.ROLE, name):
        raise UsageError(f"{name}: {wrong[0]}")
    return name


def _owner(name: str, account: str, region: str, partition: str) -> Owner:
    from provision.blueprint.vendor_role import role_owner

    return role_owner(name, account, region, partition)


def name_of(owner: Owner) -> str:
    """Give the name of the role that an owner stands for."""
    from provision.blueprint.vendor_role import role_name

    return role_name(owner)


def arn_of(aws: Aws, owner: Owner) -> str:
    """Look a role up; raises `UsageError` where there is none of that name."""
    arn = _arn_or_none(aws, owner)
    if arn is None:
        raise UsageError(f"there is no role {name_of(owner)} in {owner.account}")
    return arn


def _arn_or_none(aws: Aws, owner: Owner) -> str | None:
    try:
        return str(aws.call("iam", "GetRole", RoleName=name_of(owner))["Role"]["Arn"])
    except NotFound:
        return None


def _own(arn: str, owner: Owner) -> None:
    """Keep hands off a role that somebody else made; raises `Refused`."""
    from provision.resources.iam import path

    mine = path(owner)
    if f":role{mine}" in arn:
        return
    stem = mine.removesuffix(f"--{owner.region}/")
    if f":role{stem}--" in arn:
        made_in = arn.split(f"{stem}--", 1)[1].partition("/")[0]
        raise Refused(f"{arn} was made from {made_in}", f"--region {made_in}")
    raise Refused(
        f"{arn} was not made by `preflight role create`",
        "choose another name, or change that role with what made it",
    )


def _journal(owner: Owner) -> Journal:
    from preflight.state import State, default_folder

    return State(folder=default_folder()).role_journal(owner.account, name_of(owner))


def kept(owner: Owner) -> SecretFile:
    """Name the file that holds the external id of a role."""
    from preflight.secret import SecretFile
    from preflight.state import default_folder

    return SecretFile.of_role(default_folder(), owner.account, name_of(owner))


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

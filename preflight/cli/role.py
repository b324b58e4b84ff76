"""`preflight role create|show|delete`: the role a vendor assumes, without a second toolchain."""

from __future__ import annotations

import secrets
import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from preflight.cli import options as o
from preflight.cli.asked import Asked, configured_region, connected
from preflight.errors import BuildFailed, NotFound, Refused, UsageError

if TYPE_CHECKING:
    from preflight.aws import Aws
    from preflight.journal import Journal
    from preflight.profile import Profile
    from preflight.resource import Owner
    from preflight.secret import SecretFile
    from reports.view import Outcome, Report

role = typer.Typer(
    help="The cross-account role that the vendor assumes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

RoleName = Annotated[str, typer.Argument(help="Name of the role.", show_default=False)]
Shell = Annotated[
    bool,
    typer.Option(
        "--shell", help="Print `export ROLE_ARN=... EXTERNAL_ID=...`, the secret included."
    ),
]


@role.command()
def create(
    name: Annotated[
        str | None,
        typer.Argument(help="Name of the role; made from the vendor's prefix.", show_default=False),
    ] = None,
    vendor: o.Vendor = None,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            "--trust", help="ARN that may assume it, too; repeatable.", show_default=False
        ),
    ] = None,
    external_id: o.ExternalId = None,
    region: o.Region = None,
    profile: o.AwsProfile = None,
    yes: o.Yes = False,
    shell: Shell = False,
    output: o.Outputs = None,
    quiet: o.Quiet = False,
) -> None:
    """Make the role with its policies and an external id, which is kept in a 0600 file."""
    asked = Asked(
        aws_profile=profile, outputs=tuple(output or ()), quiet=quiet, yes=yes, vendor=vendor
    )
    make(asked, name, trust=tuple(trust or ()), external_id=external_id, region=region, shell=shell)


def make(
    asked: Asked,
    name: str | None,
    *,
    trust: tuple[str, ...] = (),
    external_id: str | None = None,
    region: str | None = None,
    shell: bool = False,
) -> None:
    """Make the role; the vendor may assume it, and whoever `trust` names."""
    from preflight.cli.provision import held
    from preflight.cli.show import confirm, outputs
    from preflight.gate import Verdict
    from preflight.secret import external_id as fresh
    from provision.blueprint.vendor_role import draw_role
    from provision.executor import build

    outputs(asked)
    aws, vendor, owner = _where(asked, name, region)
    kept = _secret(owner)
    length = vendor.role.external_id_length if vendor.role is not None else 30
    secret = external_id or kept.read() or fresh(length)
    plan = draw_role(vendor, owner, secret, trust)
    confirm(f"Role {owner.cluster} will be made in {owner.account}.", owner.cluster, asked)
    kept.write(secret)
    verdict = Verdict(plan=plan.digest, findings=())
    with held(_journal(owner)) as journal:
        built = build(verdict.permit(plan), aws, journal)
    from reports.view import Outcome

    if not built.complete:
        raise BuildFailed(f"{owner.cluster}: {built.steps[0].message}")
    arn = built.steps[0].id
    if shell:
        typer.echo(f"export ROLE_ARN={shlex.quote(arn)} EXTERNAL_ID={shlex.quote(secret)}")
        return
    from preflight.cli.assemble import steps

    _show(asked, aws, owner, Outcome.BUILT, arn, steps=steps(built.steps))


@role.command()
def show(
    name: RoleName,
    region: o.Region = None,
    profile: o.AwsProfile = None,
    shell: Shell = False,
    output: o.Outputs = None,
) -> None:
    """Show the role's ARN and name, and where its external id is kept."""
    from reports.view import Outcome

    asked = Asked(aws_profile=profile, outputs=tuple(output or ()))
    aws, _, owner = _where(asked, name, region)
    arn = _arn(aws, owner)
    secret = _secret(owner).read()
    if shell:
        if secret is None:
            raise UsageError("the external id of this role is not kept on this machine")
        typer.echo(f"export ROLE_ARN={shlex.quote(arn)} EXTERNAL_ID={shlex.quote(secret)}")
        return
    _show(asked, aws, owner, Outcome.DONE, arn)


@role.command()
def delete(
    name: RoleName,
    region: o.Region = None,
    profile: o.AwsProfile = None,
    yes: o.Yes = False,
    output: o.Outputs = None,
    quiet: o.Quiet = False,
) -> None:
    """Delete the role; refused while a cluster of this account was built with it."""
    asked = Asked(aws_profile=profile, outputs=tuple(output or ()), quiet=quiet, yes=yes)
    remove(asked, name, region=region)


def remove(asked: Asked, name: str, *, region: str | None = None) -> None:
    """Delete the role and forget its external id."""
    from preflight.cli.assemble import steps
    from preflight.cli.clusters import living
    from preflight.cli.provision import held
    from preflight.cli.show import confirm, outputs
    from provision.resources.iam import Role
    from provision.teardown import tear_down
    from reports.view import Outcome

    outputs(asked)
    aws, _, owner = _where(asked, name, region)
    arn = _arn(aws, owner)
    alive = [row.name for row in living(aws) if row.type == "byoc"]
    if alive:
        raise Refused(
            f"{', '.join(alive)} still {'needs' if len(alive) == 1 else 'need'} it",
            f"delete first: preflight delete {alive[0]}",
        )
    confirm(f"Role {owner.cluster} in {owner.account} will be deleted.", owner.cluster, asked)
    with held(_journal(owner)) as journal:
        torn = tear_down(aws, owner, (Role,), journal)
    if not torn.complete:
        raise BuildFailed(f"{owner.cluster}: {torn.steps[0].message}")
    _secret(owner).forget()
    _show(asked, aws, owner, Outcome.DELETED, arn, steps=steps(torn.steps))


def _where(asked: Asked, name: str | None, region: str | None) -> tuple[Aws, Profile, Owner]:
    from preflight import names, profile
    from preflight.resource import Owner

    vendor = profile.load(asked.vendor or "grid")
    region = region or configured_region(asked.aws_profile) or "us-east-1"
    aws = connected(region, asked.aws_profile)
    prefix = vendor.role.name_prefix if vendor.role is not None else "preflight"
    chosen = name or f"{prefix}-{secrets.token_hex(4)}"
    if wrong := names.problems(names.ROLE, chosen):
        raise UsageError(f"{chosen}: {wrong[0]}")
    identity = aws.identity
    owner = Owner(
        cluster=chosen,
        account=identity.account,
        region=aws.region,
        partition=identity.partition,
    )
    return aws, vendor, owner


def _arn(aws: Aws, owner: Owner) -> str:
    try:
        return str(aws.call("iam", "GetRole", RoleName=owner.cluster)["Role"]["Arn"])
    except NotFound as error:
        raise UsageError(f"there is no role {owner.cluster} in {owner.account}") from error


def _journal(owner: Owner) -> Journal:
    from preflight.state import State, default_folder

    return State(folder=default_folder()).role_journal(owner.account, owner.cluster)


def _secret(owner: Owner) -> SecretFile:
    from preflight.secret import SecretFile
    from preflight.state import default_folder

    return SecretFile.of_role(default_folder(), owner.account, owner.cluster)


def _show(
    asked: Asked, aws: Aws, owner: Owner, outcome: Outcome, arn: str, **sections: Any
) -> Report:
    from preflight.cli.assemble import report
    from preflight.cli.show import show as write
    from reports.view import Kind, RoleSection

    path = _secret(owner).path
    made = report(
        Kind.ROLE,
        outcome,
        asked=asked,
        calls=aws.calls,
        account=owner.account,
        region=owner.region,
        role=RoleSection(
            role_arn=arn,
            role_name=owner.cluster,
            external_id_file=str(path) if path.exists() else None,
        ),
        **sections,
    )
    write(made, asked)
    return made

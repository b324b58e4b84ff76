"""`preflight role`: the cross-account role of a vendor, without a second toolchain."""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import Annotated

import typer

from preflight.cli import options as o
from preflight.cli.asked import Asked
from preflight.cli.role_place import arn_of, elsewhere, kept, where
from preflight.cli.role_work import Shape, draw, make, remove, shown
from preflight.errors import UsageError

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


class RoleFormat(StrEnum):
    """What `role export` writes."""

    TERRAFORM = "terraform"
    CLOUDFORMATION = "cloudformation"
    AWS_CLI = "aws-cli"


Least = Annotated[
    bool,
    typer.Option("--least", help="The least policies of the cluster of -f, not the vendor's."),
]
Trust = Annotated[
    list[str] | None,
    typer.Option("--trust", help="ARN that may assume it, too; repeatable.", show_default=False),
]
WithoutId = Annotated[
    list[str] | None,
    typer.Option(
        "--trust-without-external-id",
        help="Dangerous: ARN that may assume it without the secret; repeatable.",
        show_default=False,
    ),
]
Seconds = Annotated[
    int | None,
    typer.Option(
        "--session-seconds",
        min=3600,
        max=43200,
        help="Longest session; the vendor's unless given.",
        show_default=False,
    ),
]


@role.command()
def create(
    name: Annotated[
        str | None,
        typer.Argument(help="Name of the role; made from the vendor's prefix.", show_default=False),
    ] = None,
    vendor: o.Vendor = None,
    least: Least = False,
    file: o.SpecFile = None,
    trust: Trust = None,
    without_id: WithoutId = None,
    seconds: Seconds = None,
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
        file=file,
        aws_profile=profile,
        outputs=tuple(output or ()),
        quiet=quiet,
        yes=yes,
        vendor=vendor,
    )
    shape = Shape(
        trust=tuple(trust or ()), without_id=tuple(without_id or ()), seconds=seconds, least=least
    )
    make(asked, name, shape=shape, external_id=external_id, region=region, shell=shell)


@role.command()
def show(
    name: RoleName,
    vendor: o.Vendor = None,
    external_id: o.ExternalId = None,
    region: o.Region = None,
    profile: o.AwsProfile = None,
    shell: Shell = False,
    output: o.Outputs = None,
    verbose: o.Verbose = False,
) -> None:
    """Verify the role: trust, external id, session length, policies, and what has changed."""
    from preflight.cli.role_show import findings, outcome_of
    from preflight.finding import Status

    asked = Asked(aws_profile=profile, outputs=tuple(output or ()), vendor=vendor, verbose=verbose)
    aws, wanted, owner = where(asked, name, region)
    arn = arn_of(aws, owner)
    secret = external_id or kept(owner).read()
    if shell:
        if secret is None:
            raise UsageError("the external id of this role is not kept on this machine")
        typer.echo(f"export ROLE_ARN={shlex.quote(arn)} EXTERNAL_ID={shlex.quote(secret)}")
        return
    found = findings(aws, wanted, owner, secret)
    complete = all(finding.status is not Status.UNKNOWN for finding in found)
    shown(asked, aws, owner, outcome_of(found), arn, findings=found, complete=complete)


@role.command()
def export(
    name: RoleName,
    form: Annotated[
        RoleFormat, typer.Option("--format", help="What the role is written as.")
    ] = RoleFormat.TERRAFORM,
    vendor: o.Vendor = None,
    least: Least = False,
    file: o.SpecFile = None,
    trust: Trust = None,
    without_id: WithoutId = None,
    seconds: Seconds = None,
    account: o.Account = None,
    region: o.Region = None,
    profile: o.AwsProfile = None,
) -> None:
    """Write what `role create` would do, for another tool; nothing is made, no secret written."""
    from preflight.cli import templates

    asked = Asked(file=file, aws_profile=profile, vendor=vendor, account=account)
    shape = Shape(
        trust=tuple(trust or ()), without_id=tuple(without_id or ()), seconds=seconds, least=least
    )
    vendor_profile, owner = elsewhere(asked, name, region)
    plan = draw(asked, vendor_profile, owner, templates.EXTERNAL_ID, shape)
    wanted = templates.of_plan(plan)
    if form is RoleFormat.TERRAFORM:
        text = templates.terraform(wanted)
    elif form is RoleFormat.CLOUDFORMATION:
        text = templates.cloudformation(wanted)
    else:
        text = templates.aws_cli(wanted, owner.account, owner.partition)
    typer.echo(text, nl=False)


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

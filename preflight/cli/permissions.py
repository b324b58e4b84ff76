"""`preflight permissions`: the policy a plan needs, and whether a principal has what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from preflight.cli import options as o
from preflight.cli.asked import Asked, environment
from preflight.cli.permissions_tested import test
from preflight.cli.permissions_written import Format, write_least, write_managed
from preflight.errors import UsageError


def permissions(
    name: o.Name = None,
    file: o.SpecFile = None,
    region: o.Region = None,
    instance_types: o.InstanceTypes = None,
    account: o.Account = None,
    vendor: o.Vendor = None,
    profile: o.AwsProfile = None,
    sandbox: o.OnSandbox = False,
    form: Annotated[
        Format, typer.Option("--format", help="What the policies are written as.")
    ] = Format.JSON,
    folder: Annotated[
        Path | None,
        typer.Option("--to", help="Write each document to a file there.", show_default=False),
    ] = None,
    managed: Annotated[
        bool, typer.Option("--managed", help="The vendor's own list instead of the least.")
    ] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Add what `scan --delete` needs for strays.")
    ] = False,
    principal: Annotated[
        str | None,
        typer.Option("--principal", help="Test this user or role instead.", show_default=False),
    ] = None,
    offline: Annotated[
        list[Path] | None,
        typer.Option(
            "--offline", help="Test these policy documents; AWS is not asked.", show_default=False
        ),
    ] = None,
    boundary: Annotated[
        Path | None,
        typer.Option("--boundary", help="Boundary for --offline.", show_default=False),
    ] = None,
    output: o.Outputs = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Write the smallest policies a cluster needs, or test whether a principal has them."""
    asked = Asked(
        name=name,
        file=file,
        region=region,
        instance_types=instance_types,
        account=account,
        vendor=vendor,
        aws_profile=profile,
        sandbox=sandbox,
        outputs=tuple(output or ()),
        quiet=quiet,
        verbose=verbose,
        color=not no_color,
    )
    testing = principal is not None or bool(offline)
    if managed and form is not Format.JSON:
        raise UsageError(
            f"--managed has no --format {form}", f"preflight role export --format {form}"
        )
    if managed and testing:
        raise UsageError("--managed writes a policy, --principal and --offline test one")
    if boundary is not None and not offline:
        raise UsageError("--boundary is for --offline: AWS knows that of a --principal")
    with environment(asked):
        if testing:
            test(asked, principal, tuple(offline or ()), boundary)
        elif managed:
            write_managed(asked, folder)
        else:
            write_least(asked, form, folder, sweep=sweep)

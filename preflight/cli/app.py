"""All commands under one name, in the order in which a newcomer meets them."""

from __future__ import annotations

from typing import Annotated

import typer

from preflight.cli import (
    catalogue,
    check,
    clusters,
    delete,
    plan,
    provision,
    quota_request,
    quota_watch,
    report,
    scan,
)
from preflight.cli import demo as demonstration
from preflight.cli.permissions import permissions
from preflight.cli.quotas import quotas
from preflight.cli.role import role
from preflight.cli.sandbox import sandbox
from preflight.version import __version__

app = typer.Typer(
    name="preflight",
    help="Check, build, tear down and sweep an EKS cluster in an AWS account somebody pays for.",
    epilog="Exit codes: 0 done, open or clean; 1 internal error; 2 usage or spec; 3 gate closed;"
    " 4 something could not be looked at; 5 leftovers; 6 build or tear-down failed; 7 refused;"
    " 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"preflight {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it and end.")
    ] = False,
) -> None:
    """Take `--version`, which `preflight.cli.main` answers without loading this module."""


app.command()(check.check)
app.command()(plan.plan)
app.command()(provision.provision)
app.command()(clusters.clusters)
app.command()(delete.delete)
app.command()(scan.scan)
app.add_typer(quotas, name="quotas")
quotas.command()(quota_request.request)
quotas.command()(quota_watch.watch)
app.add_typer(role, name="role")
app.command()(permissions)
app.command()(report.report)
app.command()(catalogue.checks)
app.command()(catalogue.explain)
app.command()(catalogue.schema)
app.add_typer(sandbox, name="sandbox")
app.command()(demonstration.demo)

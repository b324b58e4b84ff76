"""`preflight`: the commands, and what happens to errors."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import click
import typer

from preflight.cli import catalogue, check, clusters, delete, plan, provision, report, scan
from preflight.cli import demo as demonstration
from preflight.cli.role import role
from preflight.cli.sandbox import sandbox
from preflight.errors import PreflightError
from preflight.version import __version__

app = typer.Typer(
    name="preflight",
    help="Check, build, tear down and sweep an EKS cluster in an AWS account somebody pays for.",
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
    """Exit codes: 0 done, open or clean; 1 internal error; 2 usage or spec; 3 gate closed;
    4 incomplete, something could not be looked at; 5 leftovers; 6 build or tear-down failed;
    7 refused; 130 interrupted.
    """


app.command()(check.check)
app.command()(plan.plan)
app.command()(provision.provision)
app.command()(clusters.clusters)
app.command()(delete.delete)
app.command()(scan.scan)
app.add_typer(role, name="role")
app.command()(report.report)
app.command()(catalogue.checks)
app.command()(catalogue.explain)
app.command()(catalogue.schema)
app.add_typer(sandbox, name="sandbox")
app.command()(demonstration.demo)


def main() -> None:
    """Run one command and end with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:  # noqa: PLR0911 - one line for each way to end
    """Run one command and give its exit code; errors become one message on standard error."""
    try:
        code = app(arguments, standalone_mode=False)
    except click.exceptions.Abort:
        return _tell("interrupted", None, 130)
    except click.ClickException as error:
        error.show()
        return 2
    except PreflightError as error:
        if "-v" in arguments or "--verbose" in arguments:
            traceback.print_exc()
        return _tell(str(error), error.hint, error.exit_code)
    except KeyboardInterrupt:
        return _tell("interrupted", None, 130)
    except BrokenPipeError:
        sys.stderr.close()  # whoever reads has seen enough
        return 0
    except Exception as error:  # noqa: BLE001 - the last resort: a message, not a traceback
        if "-v" in arguments or "--verbose" in arguments:
            traceback.print_exc()
        what = f"internal error: {type(error).__name__}: {error}"
        return _tell(what, "please report it, with what `-v` prints", 1)
    return code if isinstance(code, int) else 0


def _tell(message: str, hint: str | None, code: int) -> int:
    typer.echo(f"preflight: {message}", err=True)
    if hint:
        typer.echo(f"  hint: {hint}", err=True)
    return code

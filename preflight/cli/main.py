"""`preflight`: run one command, turn errors into one message, and end with its exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

from preflight.errors import PreflightError
from preflight.version import __version__

NAME = "preflight"
INTERNAL, INTERRUPTED = 1, 130


def main() -> None:
    """Run one command and end with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; errors become one message on standard error."""
    if arguments == ["--version"]:  # asked by scripts, often: without loading any command
        sys.stdout.write(f"{NAME} {__version__}\n")
        return 0
    try:
        code = _carried_out(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence()  # whoever reads has seen enough
        return 0
    except KeyboardInterrupt:
        return _tell("interrupted", None, INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last resort: a message, not a traceback
        said = _said(error)
        if said[2] == INTERNAL and {"-v", "--verbose"} & set(arguments):
            import traceback

            traceback.print_exc()
        return _tell(*said)
    return code


def _carried_out(arguments: list[str]) -> int:
    import typer

    from preflight.cli.app import app

    if f"_{NAME.upper()}_COMPLETE" in os.environ:
        app(arguments, prog_name=NAME)  # the shell asks what could follow
    command: Any = typer.main.get_command(app)
    try:
        # Not `app(arguments)`: that would turn Ctrl-C and a broken pipe into codes of its own.
        with command.make_context(NAME, list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as error:
        return error.exit_code
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except typer.TyperException as error:
        return _misused(error)
    return 0


def _misused(error: Any) -> int:
    """Say what is wrong with the command line, and where its help is."""
    said = error.format_message()
    context = getattr(error, "ctx", None)
    if context is not None and said == context.get_help():
        sys.stderr.write(f"{said}\n")  # nothing was asked for at all
        return 2
    path = context.command_path if context is not None else NAME
    return _tell(said, f"`{path} --help` says what there is", 2)


def _said(error: Exception) -> tuple[str, str | None, int]:
    """Give the message, the hint and the exit code of an error."""
    if isinstance(error, PreflightError):
        return str(error), error.hint, error.exit_code
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}", None, INTERNAL
    what = f"internal error: {type(error).__name__}: {error}"
    return what, "please report it, with what `-v` prints", INTERNAL


def _tell(message: str, hint: str | None, code: int) -> int:
    """Write to standard error what went wrong; AWS's own words must not steer the terminal."""
    from reports.clean import clean_lines

    said = f"{NAME}: {message}" + (f"\nhint: {hint}" if hint else "")
    try:
        sys.stderr.write(clean_lines(said).replace("\n", "\n  ") + "\n")
    except BrokenPipeError:
        _silence()
    return code


def _silence() -> None:
    """Send what is still to be written nowhere, so that Python ends without complaint."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)

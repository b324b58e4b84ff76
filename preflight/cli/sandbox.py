"""`preflight sandbox serve`: the embedded AWS for any client that is pointed there."""

from __future__ import annotations

import errno
import json
import signal
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated

import typer

from preflight.errors import UsageError

sandbox = typer.Typer(help="The embedded AWS.", no_args_is_help=True, rich_markup_mode=None)


@sandbox.callback()
def _group() -> None:
    """The embedded AWS: moto and what it lacks, on a port of this machine."""


@sandbox.command()
def serve(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    scenario: Annotated[
        Path | None, typer.Option(help="The account, as YAML.", show_default=False)
    ] = None,
    time_scale: Annotated[
        float, typer.Option("--time-scale", help="Virtual seconds in a real one.")
    ] = 1.0,
    latency: Annotated[float, typer.Option(help="Milliseconds added to each call.")] = 0.0,
    call_log: Annotated[
        Path | None,
        typer.Option("--call-log", help="One JSON line for each call.", show_default=False),
    ] = None,
) -> None:
    """Serve until Ctrl-C. Prints one JSON line with the endpoint and credentials when ready."""
    from preflight.cli.embedded import embedded

    # Not an Event: a signal that comes while its lock is held would wait for itself.
    ended: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: ended.put(number))
    server = embedded(
        scenario=scenario,
        port=port,
        time_scale=time_scale,
        latency_ms=latency,
        call_log=call_log,
    )
    try:
        server.start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise UsageError(f"port {port} is in use", "choose another, or 0 for a free one") from error
    try:
        typer.echo(json.dumps(server.banner()))
        ended.get()
    finally:
        server.stop()

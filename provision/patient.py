"""One call of a build or a tear-down, in a thread, made again while time heals its error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from preflight.clock import Clock
from preflight.errors import AlreadyExists, AwsError, Unreachable
from provision.retry import LOST, TAKEN, Patience, is_server_fault, pause

T = TypeVar("T")
OnRetry = Callable[[AwsError], None]
#: Said of a taken name when nothing of the cluster's own was found under it.
NOT_OURS = "nothing shows that it is this cluster's: remove it, or give the cluster another name"


async def patiently(
    ask: Callable[[], T],
    patience: Mapping[type[AwsError], Patience],
    clock: Clock,
    on_retry: OnRetry,
    *,
    instead: Callable[[], T | None] | None = None,
) -> T:
    """Ask, and ask again; raises the `AwsError` that waiting does not help against.

    `instead` looks for the result where the call may have worked although its answer was lost, or
    where AWS says that it is there already: nothing is ever made twice.
    """
    began = clock.monotonic()
    attempt = 0
    while True:
        attempt += 1
        try:
            return await asyncio.to_thread(ask)
        except AwsError as error:
            elapsed = clock.monotonic() - began
            wait = pause(patience, error, attempt, elapsed)
            if instead is not None and _may_have_worked(error):
                if (there := await asyncio.to_thread(instead)) is not None:
                    return there
                again = TAKEN if isinstance(error, AlreadyExists) else LOST
                wait = again.pause(attempt, elapsed) if wait is None else wait
            if wait is None:
                raise
            on_retry(error)
        await asyncio.sleep(wait)


async def all_of(lives: asyncio.Future[Any], background: list[asyncio.Task[None]]) -> None:
    """Wait for all lives, but no longer than what goes on behind them: the poller, the lease."""
    await asyncio.wait({lives, *background}, return_when=asyncio.FIRST_COMPLETED)
    for task in background:
        if task.done() and (error := task.exception()) is not None:
            lives.cancel()
            raise error
    await lives


def _may_have_worked(error: AwsError) -> bool:
    return isinstance(error, Unreachable | AlreadyExists) or is_server_fault(error)


def explained(error: AwsError) -> str:
    """Write an error and what to do about it on one line."""
    hint = NOT_OURS if isinstance(error, AlreadyExists) else error.hint
    return f"{error}; {hint}" if hint else str(error)

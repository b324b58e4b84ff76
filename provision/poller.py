"""One poller for everything that is becoming ready: waits cost nothing, Describes are batched."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from preflight.aws import Aws
from preflight.errors import AccessDenied, AwsError
from preflight.resource import LACKING, WAIT, Failed, Ids, Readiness, Resource
from provision.retry import CREATING, pause

#: A wait is looked at again after this share of the time it has lasted: never much too late.
SHARE = 0.03
LONGEST = 15.0


def interval(shortest: float, elapsed: float) -> float:
    """Give the seconds until the next look at something that takes `elapsed` already."""
    return max(shortest, min(LONGEST, SHARE * elapsed))


@dataclass
class _Wait:
    id: str
    since: float
    due: float
    done: asyncio.Future[Readiness]
    blind_since: float | None = None


class GivenUp(Exception):
    """Nobody waits any more; the thing itself goes on becoming ready."""


class Poller:
    """Asks AWS again and again how things are, a kind in one go, and wakes who waits."""

    def __init__(self, aws: Aws, ids: Ids, *, shortest: float) -> None:
        self._aws = aws
        self._ids = ids
        self._shortest = shortest
        self._waits: dict[Resource, _Wait] = {}
        self._new = asyncio.Event()
        self._given_up = False

    async def until_ready(self, resource: Resource, id: str) -> Readiness:
        """Wait until a resource is READY or Failed; raises `GivenUp` when the build is stopped."""
        if self._given_up:
            raise GivenUp
        now = self._aws.clock.monotonic()
        future: asyncio.Future[Readiness] = asyncio.get_running_loop().create_future()
        self._waits[resource] = _Wait(id=id, since=now, due=now, done=future)
        self._new.set()
        return await future

    def give_up(self) -> None:
        """Wake everybody who waits: the journal has the ids, a later run waits on."""
        self._given_up = True
        for wait in self._waits.values():
            if not wait.done.done():
                wait.done.set_exception(GivenUp())
        self._waits.clear()

    async def run(self, hopeless: Callable[[Resource], str | None]) -> None:
        """Poll until cancelled; `hopeless` says why what is LACKING will never be ready."""
        while True:
            self._new.clear()
            now = self._aws.clock.monotonic()
            due: dict[type[Resource], dict[Resource, str]] = defaultdict(dict)
            for resource, wait in self._waits.items():
                if wait.due <= now:
                    due[type(resource)][resource] = wait.id
            await asyncio.gather(*(self._look(cls, made, hopeless) for cls, made in due.items()))
            await self._sleep()

    async def _sleep(self) -> None:
        now = self._aws.clock.monotonic()
        following = min((wait.due for wait in self._waits.values()), default=None)
        timeout = None if following is None else max(0.01, following - now)
        with contextlib.suppress(TimeoutError):
            # Not `wait_for`: before Python 3.12 it can swallow the cancellation that ends a build.
            async with asyncio.timeout(timeout):
                await self._new.wait()

    async def _look(
        self,
        cls: type[Resource],
        made: dict[Resource, str],
        hopeless: Callable[[Resource], str | None],
    ) -> None:
        waits = {resource: self._waits[resource] for resource in made}
        try:
            answers = await asyncio.to_thread(cls.ready_all, self._aws, self._ids, made)
        except AccessDenied as error:
            answers = dict.fromkeys(made, Failed(reason=str(error), hint=error.hint))
        except AwsError as error:
            answers = {resource: self._unseen(waits[resource], error) for resource in made}
        else:
            for wait in waits.values():
                wait.blind_since = None
        if self._given_up:
            return
        now = self._aws.clock.monotonic()
        for resource, wait in waits.items():
            answer = answers.get(resource, WAIT)
            if answer is LACKING and (reason := hopeless(resource)) is not None:
                answer = Failed(reason=reason)
            if answer in {WAIT, LACKING}:
                wait.due = now + interval(self._shortest, now - wait.since)
            else:
                del self._waits[resource]
                wait.done.set_result(answer)

    def _unseen(self, wait: _Wait, error: AwsError) -> Readiness:
        """Keep waiting for a while: a look that failed says nothing about the thing itself."""
        now = self._aws.clock.monotonic()
        if wait.blind_since is None:
            wait.blind_since = now
        if pause(CREATING, error, 1, now - wait.blind_since) is None:
            return Failed(reason=str(error), hint=error.hint)
        return WAIT

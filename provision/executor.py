"""Builds a plan: each resource lives its own life, started when what it needs is ready.

There are no waves, and no slot is held while waiting: a life is a coroutine that sleeps for free,
only the calls themselves take a thread, and only their rate is limited. The journal is written
before each call, from one thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from preflight.aws import Aws
from preflight.errors import AwsError, NotFound, PreflightError, Refused
from preflight.gate import Permit
from preflight.journal import LEASE_SECONDS, Entry, Event, Journal
from preflight.resource import Failed, Found, Owner, Resource
from provision.existing import Existing, going, incarnation, look
from provision.identity import client_token, digest, history
from provision.patient import all_of, explained, patiently
from provision.poller import GivenUp, Poller, interval
from provision.progress import Phase, Progress, Step, silent
from provision.retry import CREATING

T = TypeVar("T")
#: Calls under way at once. Waiting takes no thread, and the rate is limited in `preflight.aws`.
THREADS = 16
#: How soon a wish to stop is heard.
HEED_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Built:
    """How a build ended: the last step of every resource, in the order of the plan."""

    owner: Owner
    steps: tuple[Step, ...]
    seconds: float
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything is there."""
        return all(step.phase in {Phase.READY, Phase.ADOPTED, Phase.KEPT} for step in self.steps)


@dataclass
class Stop:
    """Set from a signal handler: nothing new is started, what was sent is waited for."""

    asked: bool = False


def build(
    permit: Permit,
    aws: Aws,
    journal: Journal,
    *,
    progress: Progress = silent,
    stop: Stop | None = None,
    shortest_poll: float = 1.0,
) -> Built:
    """Build the plan of a permit, or go on where an earlier run ended.

    A failure cancels only what depends on it. Raises `Refused` when the name belongs to remains of
    another cluster or is being deleted, and `AwsError` when it cannot even look.
    """
    plan = permit.plan
    existing = look(aws, plan.owner, plan.kinds)
    owner = _owner(plan.owner, journal, existing)
    for waiver in permit.verdict.waivers:
        journal.append(Event.NOTE, "gate", waived=waiver.check, reason=waiver.reason)
    run = _Build(permit, owner, aws, journal, existing, progress, stop or Stop(), shortest_poll)
    return asyncio.run(run.all())


def _owner(owner: Owner, journal: Journal, existing: Existing) -> Owner:
    if names := going(existing):
        raise Refused(
            f"{names[0]} is being deleted" + (f", and {len(names) - 1} more" if names[1:] else ""),
            "wait until `preflight delete` is through",
        )
    mine = incarnation(journal.fact("incarnation") or None, existing, lambda: secrets.token_hex(4))
    journal.remember("incarnation", mine)
    return replace(owner, incarnation=mine)


@dataclass
class _Life:
    """What is known of one resource during a build."""

    done: asyncio.Future[bool]
    started: float = 0.0
    step: Step | None = None
    #: How often the thing was taken away before: each new one has a client token of its own.
    generation: int = 0
    tried_again: bool = False


@dataclass
class _Made:
    """The ids so far, as resources see them (the protocol `preflight.resource.Ids`)."""

    owner: Owner
    ids: dict[Resource, str] = field(default_factory=dict)

    def __getitem__(self, resource: Resource) -> str:
        return self.ids[resource]


class _Failure(Exception):
    """Ends one life; the reason is for its step."""

    def __init__(self, message: str, phase: Phase = Phase.FAILED) -> None:
        super().__init__(message)
        self.phase = phase


class _Build:
    def __init__(
        self,
        permit: Permit,
        owner: Owner,
        aws: Aws,
        journal: Journal,
        existing: Existing,
        progress: Progress,
        stop: Stop,
        shortest_poll: float,
    ) -> None:
        self._resources = permit.plan.ordered
        self._aws = aws
        self._journal = journal
        self._written: Mapping[str, Entry] = journal.latest()
        self._asked, self._removals = history(journal)
        self._existing = existing
        self._progress = progress
        self._stop = stop
        self._shortest = shortest_poll
        self._made = _Made(owner)
        self._lives: dict[Resource, _Life] = {}
        self._poller = Poller(aws, self._made, shortest=shortest_poll)

    async def all(self) -> Built:
        """Run every life to its end."""
        loop = asyncio.get_running_loop()
        began = self._aws.clock.monotonic()
        with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="aws") as threads:
            loop.set_default_executor(threads)
            self._lives = {
                each: _Life(
                    done=loop.create_future(), generation=self._removals.get(each.address, 0)
                )
                for each in self._resources
            }
            background = [
                loop.create_task(work()) for work in (self._poller.run, self._beat, self._heed)
            ]
            lives = asyncio.gather(*(self._live(resource) for resource in self._resources))
            try:
                await all_of(lives, background)
            finally:
                for task in background:
                    task.cancel()
                await asyncio.gather(*background, return_exceptions=True)
        steps = tuple(life.step for life in self._lives.values() if life.step is not None)
        return Built(
            owner=self._made.owner,
            steps=steps,
            seconds=self._aws.clock.monotonic() - began,
            interrupted=self._stop.asked,
        )

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 4)
            self._journal.beat()

    async def _heed(self) -> None:
        """Wait for the wish to stop, and then for nothing that only becomes ready."""
        while True:
            await asyncio.sleep(HEED_SECONDS)
            if self._stop.asked:
                self._poller.give_up()

    async def _live(self, resource: Resource) -> None:
        """Carry one resource from nothing to ready."""
        life = self._lives[resource]
        try:
            await self._wait_for_needs(resource)
            life.started = self._aws.clock.monotonic()
            await self._bring(resource, life)
        except _Failure as failure:
            if failure.phase is Phase.FAILED:
                self._journal.append(Event.FAILED, resource.address, reason=str(failure))
            self._say(resource, failure.phase, message=str(failure))
        life.done.set_result(life.step is not None and life.step.phase not in _BAD)

    async def _wait_for_needs(self, resource: Resource) -> None:
        for needed in resource.needs:
            if not await asyncio.shield(self._lives[needed].done):
                raise _Failure(f"needs {needed.address}", Phase.CANCELLED)
        self._unless_stopped()

    def _unless_stopped(self) -> None:
        if self._stop.asked:
            raise _Failure("interrupted; the same command goes on", Phase.CANCELLED)

    async def _bring(self, resource: Resource, life: _Life) -> None:
        written = self._written.get(resource.address)
        found = self._existing.by_address.get(resource.address)
        if found is not None:
            self._same_as_before(resource)
            await self._finish(resource, life, found.id, kept=_was_ready(written, found))
            return
        if (shared := await self._call(resource, lambda: resource.adopt(self._aws))) is not None:
            self._made.ids[resource] = shared
            if written is None or (written.event, written.id) != (Event.ADOPTED, shared):
                self._journal.append(Event.ADOPTED, resource.address, id=shared)
            self._say(resource, Phase.ADOPTED, id=shared, message="there already, used as it is")
            return
        self._unless_stopped()
        if written is not None and written.event is Event.READY:
            # It was there, so it was deleted since, or died with something else.
            self._journal.append(Event.GONE, resource.address, id=written.id)
            life.generation += 1
        id = await self._create(resource, life)
        await self._finish(resource, life, id, kept=False)

    def _same_as_before(self, resource: Resource) -> None:
        if self._asked.get(resource.address) not in {None, digest(resource)}:
            raise _Failure(
                "exists with other parameters; build never changes what is there."
                " `preflight delete` it first, or go back to the spec it was built from"
            )

    async def _create(self, resource: Resource, life: _Life) -> str:
        """Ask for the thing, once: what may have been lost is looked for before asking again."""
        token = client_token(self._made.owner, resource.address, life.generation)
        self._journal.append(
            Event.INTENT, resource.address, token=token, parameters=digest(resource)
        )
        self._say(resource, Phase.STARTED)
        id = await self._call(
            resource,
            lambda: resource.create(self._aws, self._made, token),
            instead=lambda: self._find_one(resource),
        )
        self._journal.append(Event.ACCEPTED, resource.address, id=id, parameters=digest(resource))
        return id

    async def _finish(self, resource: Resource, life: _Life, id: str, *, kept: bool) -> None:
        self._made.ids[resource] = id
        if kept:
            self._say(resource, Phase.KEPT, id=id)
            return
        await self._call(resource, lambda: resource.configure(self._aws, self._made, id))
        self._say(resource, Phase.WAITING, id=id)
        try:
            answer = await self._poller.until_ready(resource, id)
        except GivenUp:
            reason = "interrupted while it becomes ready; the same command waits on"
            raise _Failure(reason, Phase.CANCELLED) from None
        if isinstance(answer, Failed):
            await self._once_more(resource, life, id, answer)
            return
        self._journal.append(Event.READY, resource.address, id=id, parameters=digest(resource))
        self._say(resource, Phase.READY, id=id)

    async def _once_more(self, resource: Resource, life: _Life, id: str, failed: Failed) -> None:
        """Delete and make again what is known to work at the second try, once."""
        if not failed.again or life.tried_again:
            raise _Failure(failed.reason + (f"; {failed.hint}" if failed.hint else ""))
        self._journal.append(Event.FAILED, resource.address, id=id, reason=failed.reason)
        self._say(resource, Phase.RETRYING, id=id, message=f"{failed.reason}; made once more")
        await self._remove(resource, id)
        life.generation += 1
        life.tried_again = True
        await self._finish(resource, life, await self._create(resource, life), kept=False)

    async def _remove(self, resource: Resource, id: str) -> None:
        began = self._aws.clock.monotonic()
        asked = False
        while True:
            here = [each for each in await self._find_all(resource) if each.id == id]
            if not here:
                return
            if not asked:
                self._journal.append(Event.DOOMED, resource.address, id=id)
                await self._call(resource, partial(_delete, self._aws, resource, here[0]))
                asked = True
            elapsed = self._aws.clock.monotonic() - began
            await asyncio.sleep(interval(self._shortest, elapsed))

    async def _find_all(self, resource: Resource) -> list[Found]:
        return await self._call(
            resource, lambda: list(type(resource).find(self._aws, self._made.owner))
        )

    def _find_one(self, resource: Resource) -> str | None:
        for found in type(resource).find(self._aws, self._made.owner):
            if found.address == resource.address:
                return found.id
        return None

    async def _call(
        self,
        resource: Resource,
        ask: Callable[[], T],
        *,
        instead: Callable[[], T | None] | None = None,
    ) -> T:
        def retrying(error: AwsError) -> None:
            self._unless_stopped()
            self._say(resource, Phase.RETRYING, message=f"{error.code}: {error.message}")

        try:
            return await patiently(ask, CREATING, self._aws.clock, retrying, instead=instead)
        except AwsError as error:
            raise _Failure(explained(error)) from error
        except PreflightError as error:
            raise _Failure(error.message) from error

    def _say(self, resource: Resource, phase: Phase, *, id: str = "", message: str = "") -> None:
        life = self._lives[resource]
        seconds = self._aws.clock.monotonic() - life.started if life.started else 0.0
        life.step = Step(
            address=resource.address,
            phase=phase,
            id=id or self._made.ids.get(resource, ""),
            message=message,
            seconds=round(seconds, 3),
        )
        self._progress(life.step)


_BAD = frozenset({Phase.FAILED, Phase.CANCELLED})


def _delete(aws: Aws, resource: Resource, found: Found) -> None:
    with contextlib.suppress(NotFound):
        type(resource).delete(aws, found)


def _was_ready(written: Entry | None, found: Found) -> bool:
    return written is not None and written.event is Event.READY and written.id == found.id

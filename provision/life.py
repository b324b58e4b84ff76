"""The life of one resource during a build: looked for, asked for, configured, waited for.

INTENT is in the journal before each call that makes something, ACCEPTED as soon as AWS gives an id.
What may have been made although its answer was lost is looked for before it is asked for again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from preflight.aws import Aws
from preflight.errors import AwsError, NotFound, PreflightError
from preflight.found import Found, Owner
from preflight.journal import Entry, Event, Journal
from preflight.resource import Failed, Resource
from provision.existing import Existing
from provision.identity import client_token, digest
from provision.patient import explained, patiently
from provision.poller import GivenUp, Poller, interval
from provision.progress import Phase, Progress, Step
from provision.retry import CREATING

T = TypeVar("T")


@dataclass
class Stop:
    """Set from a signal handler: nothing new is started, what was sent is waited for."""

    asked: bool = False


@dataclass(frozen=True, kw_only=True)
class Made:
    """The ids so far, as resources see them (the protocol `preflight.resource.Ids`)."""

    owner: Owner
    ids: dict[Resource, str] = field(default_factory=dict)

    def __getitem__(self, resource: Resource) -> str:
        return self.ids[resource]


@dataclass(frozen=True, kw_only=True)
class Site:
    """What all lives of one build share. `made`, `journal` and `poller` change as it goes on."""

    aws: Aws
    journal: Journal
    existing: Existing
    made: Made
    poller: Poller
    progress: Progress
    stop: Stop
    #: The last journal entry of each address, before this build.
    written: Mapping[str, Entry]
    #: The digest each address was last asked for with.
    asked: Mapping[str, str]
    #: Seconds between two looks at something that takes no time.
    shortest_poll: float


class Ended(Exception):
    """Ends one life before it is ready; the message is for its last step."""

    def __init__(self, message: str, phase: Phase = Phase.FAILED) -> None:
        super().__init__(message)
        self.phase = phase


class Life:
    """One resource and how far it is; `step` is the last thing that was said of it.

    `generation` counts how often the thing was taken away: each new one has its own client token.
    """

    def __init__(self, resource: Resource, site: Site, generation: int = 0) -> None:
        self.resource = resource
        self.step: Step | None = None
        self._site = site
        self._generation = generation
        self._began: float | None = None
        self._tried_again = False

    @property
    def is_ready(self) -> bool:
        """Whether what depends on it can go on."""
        return self.step is not None and self.step.phase not in {Phase.FAILED, Phase.CANCELLED}

    async def bring(self) -> None:
        """Carry the resource to ready, or adopt or keep what is there; raises `Ended`."""
        site, address = self._site, self.resource.address
        self._unless_stopped()
        self._began = site.aws.clock.monotonic()
        written = site.written.get(address)
        found = site.existing.by_address.get(address)
        if found is not None:
            self._same_as_before()
            await self._finish(found.id, kept=_was_ready(written, found))
            return
        if (shared := await self._call(lambda: self.resource.adopt(site.aws))) is not None:
            self._adopt(shared, written)
            return
        self._unless_stopped()
        if written is not None and written.event is Event.READY:
            # It was there, so it was deleted since, or died with something else.
            site.journal.append(Event.GONE, address, id=written.id)
            self._generation += 1
        await self._finish(await self._create(), kept=False)

    def end(self, ended: Ended) -> None:
        """Write down and say why it did not come so far."""
        if ended.phase is Phase.FAILED:
            self._site.journal.append(Event.FAILED, self.resource.address, reason=str(ended))
        self._say(ended.phase, message=str(ended))

    def _unless_stopped(self) -> None:
        if self._site.stop.asked:
            raise Ended("interrupted; the same command goes on", Phase.CANCELLED)

    def _same_as_before(self) -> None:
        if self._site.asked.get(self.resource.address) not in {None, digest(self.resource)}:
            raise Ended(
                "exists with other parameters; build never changes what is there."
                " `preflight delete` it first, or go back to the spec it was built from"
            )

    def _adopt(self, shared: str, written: Entry | None) -> None:
        self._site.made.ids[self.resource] = shared
        if written is None or (written.event, written.id) != (Event.ADOPTED, shared):
            self._site.journal.append(Event.ADOPTED, self.resource.address, id=shared)
        self._say(Phase.ADOPTED, id=shared, message="there already, used as it is")

    async def _create(self) -> str:
        """Ask for the thing, once: what may have been lost is looked for before asking again."""
        site, address, asked = self._site, self.resource.address, digest(self.resource)
        token = client_token(site.made.owner, address, self._generation)
        site.journal.append(Event.INTENT, address, token=token, parameters=asked)
        self._say(Phase.STARTED)
        id = await self._call(
            lambda: self.resource.create(site.aws, site.made, token), instead=self._find_one
        )
        site.journal.append(Event.ACCEPTED, address, id=id, parameters=asked)
        return id

    async def _finish(self, id: str, *, kept: bool) -> None:
        site, resource = self._site, self.resource
        site.made.ids[resource] = id
        if kept:
            self._say(Phase.KEPT, id=id)
            return
        await self._call(lambda: resource.configure(site.aws, site.made, id))
        self._say(Phase.WAITING, id=id)
        try:
            answer = await site.poller.until_ready(resource, id)
        except GivenUp:
            reason = "interrupted while it becomes ready; the same command waits on"
            raise Ended(reason, Phase.CANCELLED) from None
        if isinstance(answer, Failed):
            await self._once_more(id, answer)
            return
        site.journal.append(Event.READY, resource.address, id=id, parameters=digest(resource))
        self._say(Phase.READY, id=id)

    async def _once_more(self, id: str, failed: Failed) -> None:
        """Delete and make again what is known to work at the second try, once."""
        if not failed.again or self._tried_again:
            raise Ended(failed.reason + (f"; {failed.hint}" if failed.hint else ""))
        self._site.journal.append(Event.FAILED, self.resource.address, id=id, reason=failed.reason)
        self._say(Phase.RETRYING, id=id, message=f"{failed.reason}; made once more")
        await self._remove(id)
        self._generation += 1
        self._tried_again = True
        await self._finish(await self._create(), kept=False)

    async def _remove(self, id: str) -> None:
        clock = self._site.aws.clock
        began = clock.monotonic()
        asked = False
        while True:
            here = [each for each in await self._call(self._find_all) if each.id == id]
            if not here:
                return
            if not asked:
                self._site.journal.append(Event.DOOMED, self.resource.address, id=id)
                await self._call(partial(self._delete, here[0]))
                asked = True
            await asyncio.sleep(interval(self._site.shortest_poll, clock.monotonic() - began))

    def _delete(self, found: Found) -> None:
        with contextlib.suppress(NotFound):
            type(self.resource).delete(self._site.aws, found)

    def _find_all(self) -> list[Found]:
        return list(type(self.resource).find(self._site.aws, self._site.made.owner))

    def _find_one(self) -> str | None:
        here = (each.id for each in self._find_all() if each.address == self.resource.address)
        return next(here, None)

    async def _call(
        self, ask: Callable[[], T], *, instead: Callable[[], T | None] | None = None
    ) -> T:
        def retrying(error: AwsError) -> None:
            self._unless_stopped()
            self._say(Phase.RETRYING, message=f"{error.code}: {error.message}")

        clock = self._site.aws.clock
        try:
            return await patiently(ask, CREATING, clock, retrying, instead=instead)
        except AwsError as error:
            raise Ended(explained(error)) from error
        except PreflightError as error:
            raise Ended(error.message) from error

    def _say(self, phase: Phase, *, id: str = "", message: str = "") -> None:
        now = self._site.aws.clock.monotonic()
        self.step = Step(
            address=self.resource.address,
            phase=phase,
            id=id or self._site.made.ids.get(self.resource, ""),
            message=message,
            seconds=0.0 if self._began is None else round(now - self._began, 3),
        )
        self._site.progress(self.step)


def _was_ready(written: Entry | None, found: Found) -> bool:
    return written is not None and written.event is Event.READY and written.id == found.id

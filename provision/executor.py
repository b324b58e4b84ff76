"""Builds a plan: each resource lives its own life, started when what it needs is ready.

There are no waves, and no slot is held while waiting: a life is a coroutine that sleeps for free,
only the calls themselves take a thread, and only their rate is limited. The journal is written
before each call, from one thread. What one life consists of is in `provision.life`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from preflight.aws import Aws
from preflight.errors import Refused
from preflight.found import Owner
from preflight.gate import Permit
from preflight.journal import LEASE_SECONDS, Event, Journal
from preflight.resource import Resource
from provision.existing import Existing, going, incarnation, look
from provision.identity import history
from provision.life import Ended, Life, Made, Site, Stop
from provision.patient import all_of
from provision.poller import Poller
from provision.progress import Phase, Progress, Step, silent

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
    asked, removals = history(journal)
    made = Made(owner=owner)
    site = Site(
        aws=aws,
        journal=journal,
        existing=existing,
        made=made,
        poller=Poller(aws, made, shortest=shortest_poll),
        progress=progress,
        stop=stop or Stop(),
        written=journal.latest(),
        asked=asked,
        shortest_poll=shortest_poll,
    )
    lives = [Life(each, site, removals.get(each.address, 0)) for each in plan.ordered]
    return asyncio.run(_Build(site, lives).all())


def _owner(owner: Owner, journal: Journal, existing: Existing) -> Owner:
    if names := going(existing):
        raise Refused(
            f"{names[0]} is being deleted" + (f", and {len(names) - 1} more" if names[1:] else ""),
            "wait until `preflight delete` is through",
        )
    mine = incarnation(journal.fact("incarnation") or None, existing, lambda: secrets.token_hex(4))
    journal.remember("incarnation", mine)
    return replace(owner, incarnation=mine)


class _Build:
    """Starts each life when what it needs is ready, and keeps the lease while they last."""

    def __init__(self, site: Site, lives: Sequence[Life]) -> None:
        self._site = site
        self._lives = lives
        self._over: dict[Resource, asyncio.Future[bool]] = {}

    async def all(self) -> Built:
        """Run every life to its end."""
        loop = asyncio.get_running_loop()
        clock = self._site.aws.clock
        began = clock.monotonic()
        with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="aws") as threads:
            loop.set_default_executor(threads)
            self._over = {life.resource: loop.create_future() for life in self._lives}
            polling = self._site.poller.run(self._hopeless)
            background = [loop.create_task(work) for work in (polling, self._beat(), self._heed())]
            lives = asyncio.gather(*(self._live(life) for life in self._lives))
            try:
                await all_of(lives, background)
            finally:
                for task in background:
                    task.cancel()
                await asyncio.gather(*background, return_exceptions=True)
        return Built(
            owner=self._site.made.owner,
            steps=tuple(life.step for life in self._lives if life.step is not None),
            seconds=clock.monotonic() - began,
            interrupted=self._site.stop.asked,
        )

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 4)
            self._site.journal.beat()

    async def _heed(self) -> None:
        """Wait for the wish to stop, and then for nothing that only becomes ready."""
        while True:
            await asyncio.sleep(HEED_SECONDS)
            if self._site.stop.asked:
                self._site.poller.give_up()

    async def _live(self, life: Life) -> None:
        """Carry one resource from nothing to ready, and tell those who wait for it."""
        try:
            await self._wait_for_needs(life.resource)
            await life.bring()
        except Ended as ended:
            life.end(ended)
        self._over[life.resource].set_result(life.is_ready)

    def _hopeless(self, resource: Resource) -> str | None:
        """Say what a resource waits for in vain: nothing that makes it ready will come."""
        wanted = [each for each in self._over if each.kind in type(resource).ready_with]
        over = [self._over[each] for each in wanted]
        if not wanted or not all(one.done() and not one.result() for one in over):
            return None
        return f"not waited for any more: it needs {wanted[0].address}, which did not come"

    async def _wait_for_needs(self, resource: Resource) -> None:
        for needed in resource.needs:
            if not await asyncio.shield(self._over[needed]):
                raise Ended(f"needs {needed.address}", Phase.CANCELLED)

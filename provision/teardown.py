"""Takes a cluster down: from what is found, not from what the journal remembers.

Each kind waits until the kinds before it are gone, asks for the deletion of all it finds, and looks
again until nothing is found. What other things hold on to is asked again for a while and then
reported with AWS's own reason; only what depends on it stays with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from preflight.aws import Aws
from preflight.errors import AwsError, Dependency, NotFound, PreflightError
from preflight.found import Found, Owner, State
from preflight.journal import LEASE_SECONDS, Event, Journal
from preflight.resource import Kind
from provision.order import gone_first
from provision.patient import all_of, explained, patiently
from provision.poller import interval
from provision.progress import Phase, Progress, Step, silent
from provision.retry import DELETING

THREADS = 16
#: Network interfaces of load balancers and nodes are released within two to four minutes, seldom
#: after ten; whatever still blocks then will not go by itself.
PATIENCE = 600.0
#: What AWS says is being deleted is waited for so long: draining a node group can take most of it.
LONGEST = 3600.0

#: Steps that nothing follows in this run.
CLOSED = frozenset({Phase.GONE, Phase.KEPT, Phase.BLOCKED, Phase.FAILED})

Choice = Callable[[Found], bool]


@dataclass(frozen=True, kw_only=True)
class TornDown:
    """How a tear-down ended: the last step of everything found, in the order of the kinds."""

    steps: tuple[Step, ...]
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether all that was to go is gone."""
        return all(step.phase in {Phase.GONE, Phase.KEPT} for step in self.steps)


def everything(found: Found) -> bool:
    """Choose whatever was found."""
    return found.state is not State.KEPT


def tear_down(
    aws: Aws,
    owner: Owner,
    kinds: Sequence[type[Kind]],
    journal: Journal,
    *,
    choose: Choice = everything,
    progress: Progress = silent,
    patience: float = PATIENCE,
    shortest_poll: float = 1.0,
) -> TornDown:
    """Delete what `choose` picks of an owner's things; `patience` is in seconds.

    Safe to repeat: what is gone is not found again. Never raises for one thing that will not go;
    raises `Refused` when somebody else takes the cluster over.
    """
    run = _TearDown(aws, owner, kinds, journal, choose, progress, patience, shortest_poll)
    return asyncio.run(run.all())


class _Stuck(Exception):
    """A kind that will not go, or could not be looked at; `because` when another one is why."""

    def __init__(self, message: str, because: str = "") -> None:
        super().__init__(message)
        self.because = because


class _TearDown:
    def __init__(
        self,
        aws: Aws,
        owner: Owner,
        kinds: Sequence[type[Kind]],
        journal: Journal,
        choose: Choice,
        progress: Progress,
        patience: float,
        shortest_poll: float,
    ) -> None:
        self._aws = aws
        self._owner = owner
        self._kinds = {kind.kind: kind for kind in kinds}
        self._first = gone_first(kinds)
        self._journal = journal
        self._choose = choose
        self._progress = progress
        self._patience = patience
        self._shortest = shortest_poll
        self._gone: dict[str, asyncio.Future[bool]] = {}
        #: Of each kind that did not go: what kept it, in AWS's own words where there are any.
        self._kept_by: dict[str, str] = {}
        self._steps: dict[str, Step] = {}
        self._began = aws.clock.monotonic()

    async def all(self) -> TornDown:
        """End every kind."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="aws") as threads:
            loop.set_default_executor(threads)
            self._gone = {kind: loop.create_future() for kind in self._kinds}
            beat = loop.create_task(self._beat())
            ends = asyncio.gather(*(self._end(kind) for kind in self._kinds.values()))
            try:
                await all_of(ends, [beat])
            finally:
                beat.cancel()
                await asyncio.gather(beat, return_exceptions=True)
        return TornDown(
            steps=tuple(self._steps.values()), seconds=self._aws.clock.monotonic() - self._began
        )

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 4)
            self._journal.beat()

    async def _end(self, kind: type[Kind]) -> None:
        """Bring one kind to its end and tell those who wait for it."""
        ended = False
        try:
            await self._wait_for_carrier(kind)
            here = await self._look(kind)
            for found in here:
                self._say(found, Phase.WAITING)
            if here:
                await self._wait_for_others(kind, here)
                await self._delete_all(kind)
            ended = True
        except _Stuck as stuck:
            self._give_up(kind, stuck)
        finally:
            self._gone[kind.kind].set_result(ended)

    def _give_up(self, kind: type[Kind], stuck: _Stuck) -> None:
        """Leave no step of a kind open, and remember the reason for those who wait for it."""
        steps = [step for key, step in self._steps.items() if key.startswith(f"{kind.kind}\x1f")]
        said = [step for step in steps if step.phase in {Phase.BLOCKED, Phase.FAILED}]
        reason = next((step.message for step in said), str(stuck))
        self._kept_by[kind.kind] = stuck.because or f"{kind.kind} is still there: {reason}"
        for key, step in list(self._steps.items()):
            if step in steps and step.phase not in CLOSED:
                self._note(key, replace(step, phase=Phase.FAILED, message=str(stuck)))
        if not steps:
            step = Step(address=kind.kind, phase=Phase.FAILED, message=str(stuck))
            self._note(kind.kind, step)

    async def _wait_for_carrier(self, kind: type[Kind]) -> None:
        """Let what dies with something else die with it; whatever is left then is asked for."""
        if kind.dies_with in self._gone:
            await asyncio.shield(self._gone[kind.dies_with])

    async def _wait_for_others(self, kind: type[Kind], here: list[Found]) -> None:
        for other in sorted(self._first[kind.kind]):
            if not await asyncio.shield(self._gone[other]):
                because = self._kept_by.get(other, f"{other} is still there")
                for found in here:
                    self._say(found, Phase.BLOCKED, message=because)
                raise _Stuck(because, because)

    async def _delete_all(self, kind: type[Kind]) -> None:
        """Ask and look again until nothing of the kind is found, or nothing moves any more."""
        moved = self._aws.clock.monotonic()
        known: dict[str, Found] = {}
        while True:
            here = {found.id: found for found in await self._look(kind)}
            for id, found in known.items():
                if id not in here:
                    moved = self._aws.clock.monotonic()
                    self._say(found, Phase.GONE)
                    self._journal.append(Event.GONE, found.address or found.id, id=id)
            if not here:
                return
            known = here
            moving = await asyncio.gather(*(self._ask(kind, found) for found in here.values()))
            idle = self._aws.clock.monotonic() - moved
            if idle >= (LONGEST if any(moving) else self._patience):
                raise _Stuck(f"{kind.kind} does not go")
            if all(self._phase(found) is Phase.FAILED for found in here.values()):
                raise _Stuck(f"{kind.kind} could not be deleted")
            await self._pause(moved)

    def _phase(self, found: Found) -> Phase | None:
        step = self._steps.get(_key(found))
        return None if step is None else step.phase

    async def _ask(self, kind: type[Kind], found: Found) -> bool:
        """Ask for one deletion; True while it is on its way."""
        if found.state is State.GOING:
            self._say(found, Phase.DELETING, message=found.note)
            return True
        if self._phase(found) is Phase.FAILED:
            return False
        first = self._phase(found) not in {Phase.DELETING, Phase.BLOCKED}
        if first:
            self._journal.append(Event.DOOMED, found.address or found.id, id=found.id)
            self._say(found, Phase.DELETING)
        try:
            await patiently(
                partial(kind.delete, self._aws, found),
                DELETING,
                self._aws.clock,
                lambda error: self._say(found, Phase.RETRYING, message=error.message),
            )
        except NotFound:
            return first
        except Dependency as error:
            self._say(found, Phase.BLOCKED, message=error.message)
            return False
        except PreflightError as error:
            reason = explained(error) if isinstance(error, AwsError) else error.message
            self._say(found, Phase.FAILED, message=reason)
            self._journal.append(Event.FAILED, found.address or found.id, reason=reason)
            return False
        return first

    async def _look(self, kind: type[Kind]) -> list[Found]:
        try:
            found = await patiently(
                lambda: list(kind.find(self._aws, self._owner)),
                DELETING,
                self._aws.clock,
                lambda _: None,
            )
        except AwsError as error:
            raise _Stuck(f"could not look: {explained(error)}") from error
        return [each for each in found if self._choose(each)]

    async def _pause(self, since: float) -> None:
        await asyncio.sleep(interval(self._shortest, self._aws.clock.monotonic() - since))

    def _say(self, found: Found, phase: Phase, message: str = "") -> None:
        step = Step(
            address=found.address or f"{found.kind}/{found.id}",
            phase=phase,
            id=found.id,
            message=message,
            seconds=round(self._aws.clock.monotonic() - self._began, 3),
        )
        self._note(_key(found), step)

    def _note(self, key: str, step: Step) -> None:
        before = self._steps.get(key)
        self._steps[key] = step
        if before is None or (before.phase, before.message) != (step.phase, step.message):
            self._progress(step)


def _key(found: Found) -> str:
    return f"{found.kind}\x1f{found.id}"

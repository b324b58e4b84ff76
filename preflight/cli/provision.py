"""`preflight provision`: check, confirm, build, wait."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from preflight.cli import options as o
from preflight.cli.asked import Asked, Ready, environment, insist, prepare

if TYPE_CHECKING:
    from preflight.gate import Permit
    from preflight.journal import Journal
    from provision.executor import Built
    from provision.life import Stop
    from reports.view import Report


def provision(
    name: o.Name = None,
    file: o.SpecFile = None,
    region: o.Region = None,
    instance_types: o.InstanceTypes = None,
    role_arn: o.RoleArn = None,
    external_id: o.ExternalId = None,
    account: o.Account = None,
    vendor: o.Vendor = None,
    profile: o.AwsProfile = None,
    sandbox: o.OnSandbox = False,
    strict: o.Strict = False,
    waive: o.Waive = None,
    no_plugins: o.NoPlugins = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Accepted for the vendor's spelling: it always waits.")
    ] = True,
    events: o.Events = None,
    yes: o.Yes = False,
    output: o.Outputs = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Build the cluster, if the gate is open. Killed or failed, the same command goes on."""
    from preflight.cli.live import progress

    del wait
    asked = Asked.of(locals())
    with environment(asked), progress(asked, events) as watch:
        run(asked, watch)


def run(asked: Asked, watch: object = None, *, shortest_poll: float = 1.0) -> None:
    """Carry out the whole of it and show how it ended."""
    from preflight.cli.check import report_of, weigh
    from preflight.cli.show import confirm, outputs, say, show

    outputs(asked)
    ready = prepare(asked)
    insist(ready)
    verdict = weigh(ready)
    if not verdict.is_open:
        show(report_of(verdict, ready), asked)
        return
    plan = ready.context.plan
    say(f"gate open: {len(verdict.findings)} findings, none closes it", asked)
    price = plan.price
    least = "at least " if price.unpriced else ""
    beside = f" (not priced: {', '.join(price.unpriced)})" if price.unpriced else ""
    confirm(
        f"{len(plan.resources)} resources, {least}${price.monthly_usd:,.2f} a month{beside}, for"
        f" {ready.spec.name} in {plan.owner.account}/{plan.owner.region}.",
        ready.spec.name,
        asked,
    )
    built = build(verdict.permit(plan), ready, watch, shortest_poll)
    show(report_of_build(built, ready), asked)


def build(permit: Permit, ready: Ready, watch: object, shortest_poll: float) -> Built:
    """Build under the lease of the cluster's journal, and stop gently on Ctrl-C."""
    from provision import executor
    from provision.life import Stop
    from provision.progress import silent

    owner = permit.plan.owner
    stop = Stop()
    with opened(owner.account, owner.region, owner.cluster) as journal, stopping(stop):
        return executor.build(
            permit,
            ready.aws,
            journal,
            progress=watch if callable(watch) else silent,
            stop=stop,
            shortest_poll=shortest_poll,
        )


@contextmanager
def opened(account: str, region: str, cluster: str) -> Iterator[Journal]:
    """Open the journal of a cluster and hold its lease."""
    from preflight.state import State, default_folder

    with held(State(folder=default_folder()).journal(account, region, cluster)) as journal:
        yield journal


@contextmanager
def held(journal: Journal) -> Iterator[Journal]:
    """Open a journal and hold its lease."""
    holder = f"{os.environ.get('USER', 'somebody')}@{socket.gethostname()}:{os.getpid()}"
    run = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with journal:
        journal.lock(holder, run)
        yield journal


@contextmanager
def stopping(stop: Stop) -> Iterator[None]:
    """Let the first Ctrl-C finish what was sent; the second ends at once, the journal is safe."""

    def ask(number: int, frame: object) -> None:
        del number, frame
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True
        typer.echo("\nstopping: what was sent is waited for; again to end now", err=True)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def report_of_build(built: Built, ready: Ready) -> Report:
    """Write how a build ended as a report."""
    from preflight.cli.assemble import plan_section, report, steps
    from reports.view import Kind, Outcome

    if built.complete:
        outcome = Outcome.BUILT
    elif built.interrupted:
        outcome = Outcome.INTERRUPTED
    else:
        outcome = Outcome.PARTIAL if any(s.id for s in built.steps) else Outcome.FAILED
    return report(
        Kind.PROVISION,
        outcome,
        asked=ready.asked,
        calls=ready.calls,
        complete=built.complete,
        account=built.owner.account,
        region=built.owner.region,
        cluster=built.owner.cluster,
        steps=steps(built.steps),
        plan=plan_section(ready.context.plan),
    )

"""`preflight scan`: what a deleted cluster left behind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from preflight.cli import options as o
from preflight.cli.asked import Asked, environment
from preflight.errors import Refused, UsageError

if TYPE_CHECKING:
    from preflight.aws import Aws
    from preflight.found import Owner
    from provision.sweeper import Sweep
    from reports.view import Outcome


def scan(
    name: o.Name = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every cluster that is gone, not one by name.")
    ] = False,
    region: o.Region = None,
    role_arn: o.RoleArn = None,
    external_id: o.ExternalId = None,
    account: o.Account = None,
    profile: o.AwsProfile = None,
    sandbox: o.OnSandbox = False,
    remove: Annotated[
        bool, typer.Option("--delete", help="Delete what is certain to be a leftover.")
    ] = False,
    patience: Annotated[
        float, typer.Option("--patience", help="Seconds to wait for what others still hold.")
    ] = 600.0,
    events: o.Events = None,
    yes: o.Yes = False,
    output: o.Outputs = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Look for leftovers of a cluster that is gone; reads only, unless --delete is given."""
    from preflight.cli.live import progress

    if (name is None) == (not every):
        raise UsageError("scan what?", "give a NAME, or --all")
    asked = Asked.of({**locals(), "name": name or "all"})
    with environment(asked), progress(asked, events) as watch:
        run(asked, watch, every=every, remove=remove, patience=patience)


def run(
    asked: Asked,
    watch: object = None,
    *,
    every: bool = False,
    remove: bool = False,
    patience: float = 600.0,
    shortest_poll: float = 1.0,
) -> None:
    """Sweep, delete where asked to, and show what is left."""
    from preflight.cli.assemble import report
    from preflight.cli.delete import target
    from preflight.cli.show import confirm, outputs, show
    from provision.sweeper import findings
    from reports.view import Kind

    outputs(asked)
    _, aws, owner = target(asked)
    owners = _dead(aws, owner) if every else (_gone(aws, owner),)
    result = _sweep(aws, owners)
    if remove and result.to_delete:
        count = len(result.to_delete)
        confirm(
            f"{count} leftovers in {owner.account}/{owner.region} will be deleted.",
            owner.cluster,
            asked,
        )
        for one in owners:
            _remove(aws, one, result, watch, patience, shortest_poll)
        result = _sweep(aws, owners)
        if not every:
            _close(owner, result)
    show(
        report(
            Kind.SCAN,
            _outcome(result),
            asked=asked,
            calls=aws.calls,
            complete=result.complete,
            account=owner.account,
            region=owner.region,
            cluster=None if every else owner.cluster,
            findings=findings(result, datetime.now(UTC)),
            coverage=result.coverage,
        ),
        asked,
    )


def _gone(aws: Aws, owner: Owner) -> Owner:
    from provision.sweeper import is_alive

    if is_alive(aws, owner.eks_name):
        raise Refused(
            f"{owner.eks_name} is alive: what belongs to it is not left over",
            f"delete it first: preflight delete {owner.cluster}",
        )
    return owner


def _dead(aws: Aws, owner: Owner) -> tuple[Owner, ...]:
    from provision.dead import owners

    return owners(aws, owner)


def _sweep(aws: Aws, owners: tuple[Owner, ...]) -> Sweep:
    from provision.resources.kinds import KINDS
    from provision.strays.kinds import STRAYS
    from provision.sweeper import join, sweep

    return join(sweep(aws, owner, (*KINDS, *STRAYS)) for owner in owners)


def _remove(
    aws: Aws, owner: Owner, result: Sweep, watch: object, patience: float, shortest_poll: float
) -> None:
    """Delete exactly what the sweep called a leftover, in the order the kinds allow."""
    from preflight.cli.provision import opened
    from provision.progress import silent
    from provision.resources.kinds import KINDS
    from provision.strays.kinds import STRAYS
    from provision.teardown import tear_down

    certain = {(one.found.kind, one.found.id) for one in result.to_delete}
    with opened(owner.account, owner.region, owner.cluster) as journal:
        tear_down(
            aws,
            owner,
            (*KINDS, *STRAYS),
            journal,
            choose=lambda found: (found.kind, found.id) in certain,
            progress=watch if callable(watch) else silent,
            patience=patience,
            shortest_poll=shortest_poll,
        )


def _close(owner: Owner, result: Sweep) -> None:
    """Let the next cluster of this name be another, when nothing of this one is left."""
    from preflight.cli.delete import all_gone
    from preflight.cli.provision import opened

    if all_gone(result):
        with opened(owner.account, owner.region, owner.cluster) as journal:
            journal.end()


def _outcome(result: Sweep) -> Outcome:
    from reports.view import Outcome

    if result.to_delete:
        return Outcome.LEFTOVERS
    return Outcome.CLEAN if result.complete else Outcome.INCOMPLETE

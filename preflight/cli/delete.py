"""`preflight delete`: tear down, then scan."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from preflight.cli import options as o
from preflight.cli.asked import Asked, connect, environment
from preflight.errors import Refused

if TYPE_CHECKING:
    from preflight.aws import Aws
    from preflight.found import Owner
    from preflight.spec import ClusterSpec
    from provision.sweeper import Sweep
    from provision.teardown import TornDown
    from reports.view import Outcome

PATIENCE = 600.0


def delete(
    name: o.SomeName,
    region: o.Region = None,
    role_arn: o.RoleArn = None,
    external_id: o.ExternalId = None,
    account: o.Account = None,
    profile: o.AwsProfile = None,
    sandbox: o.OnSandbox = False,
    keep_data: Annotated[
        bool, typer.Option("--keep-data", help="Keep buckets and image repositories.")
    ] = False,
    patience: Annotated[
        float, typer.Option("--patience", help="Seconds to wait for what others still hold.")
    ] = PATIENCE,
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
    """Delete a cluster with all that was built for it, then look for what is left."""
    from preflight.cli.live import progress

    del wait
    asked = Asked.of(locals())
    with environment(asked), progress(asked, events) as watch:
        run(asked, watch, keep_data=keep_data, patience=patience)


def run(
    asked: Asked,
    watch: object = None,
    *,
    keep_data: bool = False,
    patience: float = PATIENCE,
    shortest_poll: float = 1.0,
) -> None:
    """Tear down, scan, and show both in one report."""
    from datetime import UTC, datetime

    from preflight.cli.assemble import report, steps
    from preflight.cli.provision import opened
    from preflight.cli.show import confirm, outputs, show
    from provision.progress import silent
    from provision.sweeper import findings
    from provision.teardown import everything, tear_down
    from reports.view import Kind

    outputs(asked)
    _, aws, owner = target(asked)
    confirm(
        f"Everything of {owner.cluster} in {owner.account}/{owner.region} will be deleted.",
        owner.cluster,
        asked,
    )
    from provision.resources.kinds import KINDS
    from provision.strays.kinds import PUT_BY_AWS

    kept = {kind.kind for kind in KINDS if keep_data and kind.holds_data}
    with opened(owner.account, owner.region, owner.cluster) as journal:
        torn = tear_down(
            aws,
            owner,
            (*KINDS, *PUT_BY_AWS),
            journal,
            choose=lambda found: everything(found) and found.kind not in kept,
            progress=watch if callable(watch) else silent,
            patience=patience,
            shortest_poll=shortest_poll,
        )
        left = look_again(aws, owner, kept)
        if torn.complete and all_gone(left):
            journal.end()
    show(
        report(
            Kind.DELETE,
            outcome(torn, left),
            asked=asked,
            calls=aws.calls,
            complete=left.complete,
            account=owner.account,
            region=owner.region,
            cluster=owner.cluster,
            findings=findings(left, datetime.now(UTC)),
            coverage=left.coverage,
            steps=steps(torn.steps),
        ),
        asked,
    )


def target(asked: Asked) -> tuple[ClusterSpec, Aws, Owner]:
    """Find out whose things are meant; refuses in the wrong account."""
    from preflight.found import Owner

    spec = asked.spec()
    _, aws, role_error = connect(spec, asked.aws_profile)
    if role_error is not None:
        raise role_error
    identity = aws.identity
    if spec.account is not None and spec.account != identity.account:
        raise Refused(
            f"these credentials belong to account {identity.account}, not {spec.account}",
            "choose others with --profile or AWS_PROFILE",
        )
    owner = Owner(
        cluster=spec.name,
        account=identity.account,
        region=spec.region,
        partition=identity.partition,
    )
    return spec, aws, owner


def look_again(aws: Aws, owner: Owner, kept: Collection[str] = ()) -> Sweep:
    """Scan after a tear-down; what was to be kept is not left over."""
    from preflight.finding import LeftoverStatus
    from provision.resources.kinds import KINDS
    from provision.strays.kinds import STRAYS
    from provision.sweeper import sweep

    seen = sweep(aws, owner, (*KINDS, *STRAYS))
    return replace(
        seen,
        leftovers=tuple(
            replace(one, status=LeftoverStatus.KEEP) if one.kind.kind in kept else one
            for one in seen.leftovers
        ),
    )


def all_gone(left: Sweep) -> bool:
    """Say whether nothing that was planned is left, and everything could be seen."""
    from preflight.resource import Resource

    return left.complete and not any(issubclass(one.kind, Resource) for one in left.leftovers)


def outcome(torn: TornDown, left: Sweep) -> Outcome:
    """A tear-down that did not finish beats what is left, which beats what nobody could see."""
    from reports.view import Outcome

    if not torn.complete:
        return Outcome.PARTIAL
    if left.to_delete:
        return Outcome.LEFTOVERS
    return Outcome.DELETED if left.complete else Outcome.INCOMPLETE

"""`preflight quotas`: how accounts stand against their quotas, and whether plans fit into them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from preflight.cli import options as o
from preflight.cli.asked import (
    Asked,
    configured_region,
    connected,
    environment,
    prepare,
)
from preflight.errors import UsageError

if TYPE_CHECKING:
    from preflight.aws import Calls
    from preflight.cli.asked import Ready
    from preflight.cli.quota_audit import Audit
    from preflight.quota import Quota
    from preflight.quotas.audit import Before, Place, Thresholds

quotas = typer.Typer(
    help="How the account stands against its quotas; ask for more; wait for it.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
Files = Annotated[
    list[Path] | None,
    typer.Option(
        "-f",
        "--file",
        help="Judge what this cluster takes; repeatable, several are added up.",
        show_default=False,
    ),
]
Services = Annotated[
    list[str] | None,
    typer.Option(
        "--services",
        metavar="SERVICE[/CODE],...",
        help="Only these, as vpc,ec2/L-1216C47A; repeatable.",
        show_default=False,
    ),
]
Deep = Annotated[
    bool, typer.Option("--deep", help="Count what takes many calls, too: snapshots, keys, ...")
]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What one audit looks at."""

    files: tuple[Path, ...] = ()
    quotas: tuple[Quota, ...] = ()
    regions: str | None = None
    accounts: Path | None = None
    deep: bool = False


@quotas.callback()
def audit(
    context: typer.Context,
    file: Files = None,
    services: Services = None,
    region: o.Region = None,
    regions: Annotated[
        str | None,
        typer.Option("--regions", metavar="all|A,B", help="Several Regions.", show_default=False),
    ] = None,
    accounts: Annotated[
        Path | None,
        typer.Option("--accounts", help="Roles to assume, as YAML.", show_default=False),
    ] = None,
    deep: Deep = False,
    warn_at: Annotated[float, typer.Option("--warn-at", help="Percent of a limit: tight.")] = 80.0,
    fail_at: Annotated[float, typer.Option("--fail-at", help="Percent of a limit: short.")] = 100.0,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", help="Earlier report, for the trend.", show_default=False),
    ] = None,
    role_arn: o.RoleArn = None,
    external_id: o.ExternalId = None,
    account: o.Account = None,
    vendor: o.Vendor = None,
    profile: o.AwsProfile = None,
    sandbox: o.OnSandbox = False,
    output: o.Outputs = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Audit every quota Preflight knows, those of chosen services, or what plans take."""
    from preflight.quotas.audit import Thresholds

    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    from preflight.cli.quota_audit import chosen
    from preflight.cli.quota_show import read

    asked = Asked.of({**locals(), "file": None})  # plans come as a list
    wanted = Wanted(
        files=tuple(file or ()),
        quotas=chosen(services or ()),
        regions=regions,
        accounts=accounts,
        deep=deep,
    )
    thresholds = Thresholds(tight=warn_at, short=fail_at)
    run(asked, wanted, thresholds, read(baseline))


def _refuse_options(context: typer.Context) -> None:
    """Refuse what stands before `request` or `watch`: it would be passed over in silence."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            flag = "--" + name.replace("_", "-")
            raise UsageError(f"{flag} goes behind `{context.invoked_subcommand}`")


def run(asked: Asked, wanted: Wanted, thresholds: Thresholds, before: dict[Place, Before]) -> None:
    """Look, judge, and show it worst first."""
    from preflight.cli.quota_show import shown, with_trend
    from preflight.cli.show import outputs

    outputs(asked)
    if wanted.files and (wanted.regions or wanted.accounts):
        raise UsageError("a plan says its own Region and role", "leave out --regions, --accounts")
    with environment(asked):
        if wanted.files:
            ready = [prepare(replace(asked, file=file)) for file in wanted.files]
            found, calls = plans(ready, wanted, thresholds)
        else:
            found, calls = everywhere(asked, wanted, thresholds)
        shown(with_trend(found, before), asked, calls)


def everywhere(asked: Asked, wanted: Wanted, thresholds: Thresholds) -> tuple[Audit, Calls]:
    """Audit the caller's account or those of a file, in one Region or several."""
    from preflight.cli import quota_places as where
    from preflight.cli.quota_audit import of_accounts

    regions = where.read_regions(wanted.regions)
    roles = where.read_accounts(wanted.accounts) if wanted.accounts else ()
    home = asked.region or (regions or (configured_region(asked.aws_profile),))[0]
    if home is None:
        raise UsageError("which Region?", "give --region, or set AWS_REGION")
    caller = connected(home, asked.aws_profile)
    if asked.role_arn:
        _ = caller.identity
        caller = caller.assume(asked.role_arn, asked.external_id)
    if asked.account:
        insist(asked, caller.identity.account)
    principals, lost = where.accounts(caller, roles) if roles else ((caller,), ())
    seen, unseen = where.places(principals, regions, every=wanted.regions == "all")
    found = of_accounts(seen, wanted.quotas, thresholds, deep=wanted.deep)
    return replace(found, unseen=(*found.unseen, *lost, *unseen)), caller.calls


def insist(asked: Asked, account: str) -> None:
    """Refuse to go on in another account than the one named."""
    from preflight.errors import Refused

    if asked.account is not None and asked.account != account:
        raise Refused(f"these credentials belong to account {account}, not {asked.account}")


def plans(ready: list[Ready], wanted: Wanted, thresholds: Thresholds) -> tuple[Audit, Calls]:
    """Judge several plans together."""
    from preflight.aws import Calls
    from preflight.cli.quota_plans import of_plans

    found = of_plans(ready, wanted.quotas, thresholds, deep=wanted.deep)
    calls = Calls()
    for made in {id(each.calls): each.calls for each in ready}.values():
        for operation, count in made.by_operation.items():
            for _ in range(count):
                calls.note(*operation.split(":"))
    return found, calls

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
    from preflight.audit import Before, Place, Thresholds
    from preflight.aws import Calls
    from preflight.cli.asked import Ready
    from preflight.cli.quota_audit import Audit
    from preflight.finding import Status
    from preflight.quota import Quota
    from reports.view import Outcome

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
    from preflight.audit import Thresholds

    if context.invoked_subcommand is not None:
        return
    from preflight.cli.quota_audit import chosen

    asked = Asked(
        region=region,
        role_arn=role_arn,
        external_id=external_id,
        account=account,
        vendor=vendor,
        aws_profile=profile,
        sandbox=sandbox,
        outputs=tuple(output or ()),
        quiet=quiet,
        verbose=verbose,
        color=not no_color,
    )
    wanted = Wanted(
        files=tuple(file or ()),
        quotas=chosen(services or ()),
        regions=regions,
        accounts=accounts,
        deep=deep,
    )
    thresholds = Thresholds(tight=warn_at, short=fail_at)
    run(asked, wanted, thresholds, _baseline(baseline))


def run(asked: Asked, wanted: Wanted, thresholds: Thresholds, before: dict[Place, Before]) -> None:
    """Look, judge, and show it worst first."""
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
    insist(asked, caller.identity.account)
    principals, lost = where.accounts(caller, roles) if roles else ((caller,), ())
    seen, unseen = where.places(principals, regions, every=wanted.regions == "all")
    found = of_accounts(seen, wanted.quotas, thresholds, deep=wanted.deep)
    return replace(found, unseen=(*lost, *unseen)), caller.calls


def insist(asked: Asked, account: str) -> None:
    """Refuse to go on in another account than the one named."""
    from preflight.errors import Refused

    if asked.account is not None and asked.account != account:
        raise Refused(f"these credentials belong to account {account}, not {asked.account}")


def plans(ready: list[Ready], wanted: Wanted, thresholds: Thresholds) -> tuple[Audit, Calls]:
    """Judge several plans together."""
    from preflight.aws import Calls
    from preflight.cli.quota_audit import of_plans

    found = of_plans(ready, wanted.quotas, thresholds, deep=wanted.deep)
    calls = Calls()
    for made in {id(each.calls): each.calls for each in ready}.values():
        for operation, count in made.by_operation.items():
            for _ in range(count):
                calls.note(*operation.split(":"))
    return found, calls


def _baseline(path: Path | None) -> dict[Place, Before]:
    if path is None:
        return {}
    from preflight.audit import read_baseline
    from reports.view import Kind, read_report

    report = read_report(path)
    if report.kind is not Kind.QUOTAS:
        raise UsageError(
            f"{path} is a report of `preflight {report.kind}`",
            "write a baseline with `preflight quotas -o json:FILE`",
        )
    return read_baseline(finding.data for finding in report.findings)


def with_trend(found: Audit, before: dict[Place, Before]) -> Audit:
    """Put beside each row how it stood in the baseline; sort worst first."""
    from preflight.audit import worst_first

    rows = (replace(row, before=before.get(row.place)) for row in found.rows)
    return replace(found, rows=worst_first(rows))


def shown(found: Audit, asked: Asked, calls: Calls, *, exit: bool = True) -> None:
    """Show an audit as a report."""
    from preflight.cli.assemble import report
    from preflight.cli.show import show
    from preflight.finding import Status
    from reports.view import Kind

    findings = found.findings
    places = {(row.account, row.region) for row in found.rows}
    accounts, regions = {place[0] for place in places}, {place[1] for place in places}
    statuses = {Status(finding.status) for finding in findings}
    show(
        report(
            Kind.QUOTAS,
            outcome(statuses),
            asked=asked,
            calls=calls,
            complete=Status.UNKNOWN not in statuses,
            account=accounts.pop() if len(accounts) == 1 else None,
            region=regions.pop() if len(regions) == 1 else None,
            findings=findings,
            coverage=found.coverage,
        ),
        asked,
        exit=exit,
    )


def outcome(statuses: set[Status]) -> Outcome:
    """Let a shortfall beat what is not known, as everywhere."""
    from preflight.finding import Status
    from reports.view import Outcome

    if Status.FAIL in statuses:
        return Outcome.CLOSED
    return Outcome.INCOMPLETE if Status.UNKNOWN in statuses else Outcome.OPEN

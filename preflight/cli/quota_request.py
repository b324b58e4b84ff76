"""`preflight quotas request`: ask AWS for exactly what is missing, and only when told to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from preflight.cli import options as o
from preflight.cli.asked import DEFAULT_FILE, Asked, environment
from preflight.cli.quotas import Files
from preflight.errors import UsageError
from preflight.finding import Finding, Severity, Status

if TYPE_CHECKING:
    from preflight.aws import Aws, Calls
    from preflight.errors import AwsError
    from preflight.quotas.increase import Decision, Wish

CHECK = "quota-request"
URL = "https://docs.aws.amazon.com/servicequotas/latest/userguide/request-quota-increase.html"
_STATUS = {
    "missing": Status.WARN,
    "filed": Status.WARN,
    "pending": Status.WARN,
    "enough": Status.SKIP,
    "refused": Status.FAIL,
    "held": Status.FAIL,
    "unknown": Status.UNKNOWN,
}
_SAID = {
    "missing": "{value} would be asked for: {why}",
    "filed": "{value} was asked for, request {id}: {why}",
    "pending": "not asked again: {why}",
    "enough": "not asked for: {why}",
    "refused": "{value} is not asked for: {why}",
    "held": "{value} is not asked for yet: {why}",
    "unknown": "whether to ask for {value} is not known: {why}",
}


def request(
    wishes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SERVICE/CODE=VALUE ...]", show_default=False),
    ] = None,
    file: Files = None,
    region: o.Region = None,
    recommended: Annotated[
        bool, typer.Option("--recommended", help="Also what the vendor only recommends.")
    ] = False,
    really: Annotated[
        bool, typer.Option("--yes", "-y", "--file-requests", help="Ask AWS, not only say what.")
    ] = False,
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
    """Ask for higher limits, those named or those that plans lack; a dry run without --yes."""
    asked = Asked.of({**locals(), "file": None, "yes": really})  # plans come as a list
    run(asked, tuple(wishes or ()), specs(file, wishes), recommended=recommended)


def specs(files: Sequence[Path] | None, wishes: Sequence[str] | None) -> tuple[Path, ...]:
    """Give the specs asked for, or the one in this folder when nothing else is named."""
    if files or wishes:
        return tuple(files or ())
    return (DEFAULT_FILE,) if DEFAULT_FILE.is_file() else ()


def run(
    asked: Asked, texts: Sequence[str], files: Sequence[Path], *, recommended: bool = False
) -> None:
    """Find out what is missing, ask for it where told to, and show both."""
    from preflight.cli.quota_filing import carried_out, decided, wanted
    from preflight.cli.show import outputs
    from preflight.quotas.increase import gather

    outputs(asked)
    if not texts and not files:
        raise UsageError("ask for what?", "give SERVICE/CODE=VALUE, or `-f cluster.yaml`")
    with environment(asked):
        aws, wishes, gaps, calls = wanted(asked, texts, files, recommended=recommended)
        decisions, blind = decided(aws, gather(wishes))
        if asked.yes:
            decisions = carried_out(aws, decisions, files)
        findings = [finding_of(each, aws.identity.account) for each in decisions]
        findings += [_blind(wish, error) for wish, error in blind]
        report(findings + gaps or [_nothing()], asked, aws, calls)


def finding_of(decision: Decision, account: str) -> Finding:
    """Say what is done about one wish."""
    wish, standing = decision.wish, decision.standing
    said = _SAID[standing].format(value=f"{wish.value:,g}", why=decision.why, id=decision.id)
    why = f", because {wish.instead_of} follows it" if wish.instead_of else ""
    hint = None
    if decision.missing_action:
        hint = f"allow {decision.missing_action}"
    elif standing == "missing":
        hint = f"`preflight quotas request {wish}={wish.value:g} --region {wish.region} --yes`"
    elif standing in {"filed", "pending"}:
        hint = "`preflight quotas watch` waits until it is granted"
    status = _STATUS[standing]
    return Finding(
        check=CHECK,
        status=status,
        subject=f"{wish} {wish.region}",
        message=f"{decision.name or wish}: {said}{why}",
        hint=hint,
        severity=Severity.HIGH if status is Status.FAIL else Severity.LOW,
        url=URL,
        data={
            "service": wish.service,
            "code": wish.code,
            "name": decision.name or None,
            "region": wish.region,
            "account": account,
            # Not `limit`: the table of an audit has no place for a request.
            "present": decision.limit,
            "request": wish.value,
            "request_id": decision.id,
            "standing": str(standing),
            "missing_action": decision.missing_action,
        },
    )


def _blind(wish: Wish, error: AwsError) -> Finding:
    from preflight.errors import AccessDenied

    missing = error.action if isinstance(error, AccessDenied) else None
    return Finding(
        check=CHECK,
        status=Status.UNKNOWN,
        subject=f"{wish} {wish.region}",
        message=f"{wish}: whether {wish.value:,g} is missing or asked for is not known: {error}",
        hint=error.hint,
        severity=Severity.MEDIUM,
        url=URL,
        data={"region": wish.region, "request": wish.value, "missing_action": missing},
    )


def _nothing() -> Finding:
    return Finding(
        check=CHECK, status=Status.PASS, subject="plans", message="no higher limit is missing"
    )


def report(findings: Sequence[Finding], asked: Asked, aws: Aws, calls: Calls) -> None:
    """Show what was decided; refused and held is a shortfall that stays."""
    from preflight.cli.assemble import report as made
    from preflight.cli.quota_show import outcome
    from preflight.cli.show import show
    from reports.view import Kind

    statuses = {Status(finding.status) for finding in findings}
    regions = {str(each.data["region"]) for each in findings if each.data.get("region")}
    show(
        made(
            Kind.QUOTAS,
            outcome(statuses),
            asked=asked,
            calls=calls,
            complete=Status.UNKNOWN not in statuses,
            account=aws.identity.account,
            region=regions.pop() if len(regions) == 1 else None,
            findings=tuple(findings),
        ),
        asked,
    )

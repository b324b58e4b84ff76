"""`preflight quotas watch`: wait until AWS has decided, then say whether the gate opens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from preflight.cli import options as o
from preflight.cli.asked import Asked, configured_region, connected, environment, prepare
from preflight.cli.quotas import Files
from preflight.errors import UsageError

if TYPE_CHECKING:
    from preflight.aws import Aws
    from preflight.quotas.asking import State
    from preflight.quotas.increase import Filed
    from preflight.quotas.ledger import Ledger

CHECK = "quota-request"
Key = tuple[str, str, str]


def watch(
    file: Files = None,
    region: o.Region = None,
    interval: Annotated[
        float, typer.Option("--interval", help="Seconds between two looks.", min=0.1)
    ] = 60.0,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", help="Seconds to wait at most.", show_default=False),
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
    """Wait for the limits that were asked for, then run the gate; go on where it was stopped."""
    asked = Asked.of({**locals(), "file": None})  # plans come as a list
    run(asked, tuple(file or ()), interval=interval, timeout=timeout)


def run(asked: Asked, files: tuple[Path, ...], *, interval: float, timeout: float | None) -> None:
    """Wait, and end with the gate's verdict, or with that on the requests where there is no plan.

    What was asked for is in the ledger of the account, and at AWS: nothing is lost with a run.
    """
    from preflight.cli.show import outputs
    from preflight.quotas.ledger import Ledger
    from preflight.state import default_folder

    outputs(asked)
    with environment(asked):
        aws = _connected(asked, files)
        ledger = Ledger.of(default_folder(), aws.identity.account)
        requests = _asked_for(aws, ledger, aws.region if asked.region or files else None)
        if not requests:
            raise UsageError("no limit was asked for", "`preflight quotas request` asks for one")
        states = _wait(aws, requests, asked, interval, timeout)
        plans = files or ledger.specs()
        if plans and all(state.is_decided for state in states):
            _gate(asked, plans)
        else:
            _report(asked, aws, states)


def _connected(asked: Asked, files: tuple[Path, ...]) -> Aws:
    from preflight.cli.quotas import insist

    if files:
        context = prepare(replace(asked, file=files[0])).context
        same = context.caller.identity.account == context.facts.account
        aws = context.caller if same else context.aws
    else:
        region = asked.region or configured_region(asked.aws_profile)
        if region is None:
            raise UsageError("in which Region?", "give --region, or set AWS_REGION")
        aws = connected(region, asked.aws_profile)
        _ = aws.identity
        if asked.role_arn:
            aws = aws.assume(asked.role_arn, asked.external_id)
    insist(asked, aws.identity.account)
    return aws


def _asked_for(aws: Aws, ledger: Ledger, region: str | None) -> dict[Key, Filed]:
    """Give the newest request for each quota: those of the ledger, and those open at AWS."""
    from preflight.quota import HOME
    from preflight.quotas.asking import read_requests
    from preflight.quotas.increase import OPEN

    entries = ledger.entries()
    known = {key: filed for key, filed in entries.items() if region in {None, key[2]}}
    known |= {key: filed for key, filed in entries.items() if key[2] == HOME}
    for filed in read_requests(aws, region or aws.region):
        if filed.status in OPEN:
            known[filed.key] = filed
    return known


def _wait(
    aws: Aws,
    requests: dict[Key, Filed],
    asked: Asked,
    interval: float,
    timeout: float | None,
) -> tuple[State, ...]:
    from preflight.cli.show import say
    from preflight.quotas.asking import look

    began = aws.clock.monotonic()
    told: dict[Key, str] = {}
    if timeout is None or timeout >= interval:
        said = f"looking every {interval:g} s; stopped and started again it goes on where it was"
        say(f"waiting for {len(requests)} of AWS's decisions, {said}", asked)
    while True:
        states = look(aws, requests)
        passed = aws.clock.monotonic() - began
        for state in states:
            if told.get(state.filed.key) != state.said:
                told[state.filed.key] = state.said
                say(f"{passed:7.0f}s  {state.filed}  {state.said}", asked)
        if all(state.is_decided for state in states):
            return states
        if timeout is not None and passed + interval > timeout:
            return states
        aws.clock.sleep(interval)


def _gate(asked: Asked, plans: tuple[Path, ...]) -> None:
    """Ask the gate about one plan; several are judged together, for their quotas."""
    from preflight.cli import check, quotas
    from preflight.quotas.audit import Thresholds
    from preflight.quotas.catalogue import CATALOGUE

    if len(plans) == 1:
        ready = prepare(replace(asked, file=plans[0]))
        from preflight.cli.show import show

        show(check.report_of(check.weigh(ready), ready), asked)
        return
    wanted = quotas.Wanted(files=plans, quotas=CATALOGUE)
    quotas.run(replace(asked, sandbox=False), wanted, Thresholds(), {})


def _report(asked: Asked, aws: Aws, states: tuple[State, ...]) -> None:
    from preflight.cli.quota_request import report
    from preflight.finding import Finding, Severity, Status

    findings = [
        Finding(
            check=CHECK,
            status=Status(state.status),
            subject=f"{state.filed.service}/{state.filed.code} {state.filed.region}",
            message=f"{state.filed.desired:,g} was asked for: {state.said}",
            severity=Severity.LOW,
            data={
                "service": state.filed.service,
                "code": state.filed.code,
                "region": state.filed.region,
                "present": state.limit,
                "request": state.filed.desired,
                "request_id": state.filed.id,
            },
        )
        for state in states
    ]
    report(findings, asked, aws, aws.calls)

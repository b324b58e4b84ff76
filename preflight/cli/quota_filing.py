"""What `preflight quotas request` asks AWS: what is missing, what is pending, and then for more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from preflight.cli.asked import Asked, Ready, configured_region, connected, prepare
from preflight.errors import AwsError, UsageError
from preflight.finding import Finding, Status

if TYPE_CHECKING:
    from preflight.aws import Aws, Calls
    from preflight.quotas.increase import Decision, Wish


def wanted(
    asked: Asked, texts: Sequence[str], files: Sequence[Path], *, recommended: bool
) -> tuple[Aws, list[Wish], list[Finding], Calls]:
    """Give who asks AWS, for what, what nobody knows of the plans, and the calls made for it."""
    from preflight.cli.quotas import insist
    from preflight.quotas.increase import read_wish

    if not files:
        region = asked.region or configured_region(asked.aws_profile)
        if region is None:
            raise UsageError("in which Region?", "give --region, or set AWS_REGION")
        named = [read_wish(text, region) for text in texts]
        aws = connected(region, asked.aws_profile)
        _ = aws.identity
        if asked.role_arn:
            aws = aws.assume(asked.role_arn, asked.external_id)
        insist(asked, aws.identity.account)
        return aws, named, [], aws.calls
    ready = [prepare(replace(asked, file=path)) for path in files]
    context = ready[0].context
    accounts = {each.context.facts.account for each in ready}
    if len(accounts) > 1:
        raise UsageError("the plans are of several accounts", "ask for one account at a time")
    aws = context.caller if context.caller.identity.account in accounts else context.aws
    insist(asked, aws.identity.account)
    missing, gaps = _missing(ready, recommended=recommended)
    named = [read_wish(text, asked.region or aws.region) for text in texts]
    return aws, [*named, *missing], gaps, aws.calls


def _missing(ready: list[Ready], *, recommended: bool) -> tuple[list[Wish], list[Finding]]:
    from preflight.cli.quota_plans import of_plans
    from preflight.quotas.audit import Thresholds
    from preflight.quotas.catalogue import CATALOGUE
    from preflight.quotas.increase import Wish

    found = of_plans(ready, CATALOGUE, Thresholds(), deep=False)
    statuses = {Status.FAIL, Status.WARN} if recommended else {Status.FAIL}
    wishes = [
        Wish(
            service=each.data["service"],
            code=each.data["code"],
            region=each.data["region"],
            value=float(each.data["request"]),
        )
        for each in found.findings
        if each.status in statuses and each.data.get("request") is not None
    ]
    never = [
        each
        for each in found.findings
        if each.status is Status.UNKNOWN
        or (each.status is Status.FAIL and each.data.get("request") is None)
    ]
    return wishes, never


def decided(
    aws: Aws, wishes: Sequence[Wish]
) -> tuple[tuple[Decision, ...], list[tuple[Wish, AwsError]]]:
    """Look at limits and open requests; where that is denied, give the error for a decision."""
    from preflight.quotas import asking, increase

    blind: list[tuple[Wish, AwsError]] = []
    requests: list[increase.Filed] = []
    readable: list[Wish] = []
    listed: dict[tuple[str, str, str], increase.Listed] = {}
    for region in dict.fromkeys(wish.region for wish in wishes):
        here = [wish for wish in wishes if wish.region == region]
        try:
            listed |= asking.read_listed(aws, here)
            requests += asking.read_requests(aws, region)
            readable += here
        except AwsError as error:
            blind += [(wish, error) for wish in here]
    try:
        opt_in = asking.opt_in_regions(aws, [wish.region for wish in readable])
    except AwsError:
        opt_in = frozenset()  # AWS itself refuses the third request there
    return increase.decide(readable, listed, requests, opt_in), blind


def carried_out(
    aws: Aws, decisions: Sequence[Decision], files: Sequence[Path]
) -> tuple[Decision, ...]:
    """Ask AWS for what is missing, and write down each request as soon as AWS has it."""
    from preflight.quotas import asking, increase
    from preflight.quotas.ledger import Ledger
    from preflight.state import default_folder

    ledger = Ledger.of(default_folder(), aws.identity.account)
    done = []
    for each in decisions:
        decision = each
        if each.standing is increase.Standing.MISSING:
            decision = asking.file(aws, each)
            if decision.standing is increase.Standing.FILED:
                ledger.add(asking.filed(decision), files, aws.clock.now())
        done.append(decision)
    return tuple(done)

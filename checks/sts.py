"""Does STS make credentials for this account in the Region? Without that no node ever joins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from checks import sts_tokens
from checks.principal import Principal, PrincipalKind
from checks.region import HOMES, NEEDS_NO_OPT_IN, NOT_OPTED_IN, opt_in
from preflight.check import Answer, Context, check
from preflight.errors import AccessDenied, AwsError, RegionDisabled, Unreachable
from preflight.finding import Status

#: The shortest session there is; nothing is done with it.
SECONDS = 900
#: What a session of the role is good for: nothing.
POWERLESS = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
)
SETTINGS = "https://console.aws.amazon.com/iam/home#/account_settings"
GLOBAL = "https://sts.amazonaws.com"


class State(StrEnum):
    """What is known of STS in a Region; the last two say nothing of whether it is active."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    NOT_OPTED_IN = "not-opted-in"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


STATUSES = {
    State.ACTIVE: Status.PASS,
    State.DEACTIVATED: Status.FAIL,
    State.NOT_OPTED_IN: Status.FAIL,
    State.UNREACHABLE: Status.UNKNOWN,
    State.UNKNOWN: Status.UNKNOWN,
}


@check(
    "sts-regional-endpoint",
    "STS is active in the Region",
    why=(
        "With it off the kubelet cannot authenticate against the Kubernetes API server: the "
        "cluster comes up, no node joins, and no message says why."
    ),
    fix=f"Activate the Region under Security Token Service (STS) at {SETTINGS}.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html",
    actions=(
        "ec2:DescribeRegions",
        "iam:GetAccountSummary",
        "sts:AssumeRole",
        "sts:GetSessionToken",
        "sts:GetCallerIdentity",
    ),
)
def sts(context: Context) -> Iterator[Answer]:
    """Ask STS for credentials where the nodes would, and throw them away.

    GetCallerIdentity proves nothing: it answers in Regions where STS is off.
    """
    # A status that could not be looked up is no obstacle: the probe itself is the better proof.
    status, doubt = _status(context)
    yield _probed(context, status, doubt)
    needs_opt_in = None if status is None else status != NEEDS_NO_OPT_IN
    yield from sts_tokens.tokens(context, needs_opt_in)


def _probed(context: Context, status: str | None, doubt: AwsError | None) -> Answer:
    region = context.plan.owner.region
    if region == HOMES["aws"]:
        message = f"STS is active in {region}: it cannot be switched off there"
        return _answer(context, State.ACTIVE, message, "definition")
    if status == NOT_OPTED_IN:
        message = f"{region} is not enabled for this account, and with it STS is off there"
        hint = f"aws account enable-region --region-name {region}"
        return _answer(context, State.NOT_OPTED_IN, message, "opt-in", hint)
    if context.spec.role_arn:
        return _tried(context, "AssumeRole")
    builder = Principal.of(context.caller.identity.arn)
    if builder.kind in {PrincipalKind.USER, PrincipalKind.ROOT}:
        return _tried(context, "GetSessionToken")
    if status is not None and status != NEEDS_NO_OPT_IN:
        message = f"STS is active in {region}: it is so in every opt-in Region once that is enabled"
        return _answer(context, State.ACTIVE, message, "definition")
    message = (
        f"{builder.kind.words} {builder.name} has no call that would tell whether STS is active in"
        f" {region}" + (f"; nor is the Region's status known: {doubt}" if doubt else "")
    )
    hint = (
        "give --role-arn: assuming the role answers it; or run this check once as an IAM user; or"
        f" look at {SETTINGS} and waive with --waive sts-regional-endpoint=REASON"
    )
    return _answer(context, State.UNKNOWN, message, "none", hint)


def _status(context: Context) -> tuple[str | None, AwsError | None]:
    if context.plan.owner.region == HOMES["aws"]:
        return NEEDS_NO_OPT_IN, None
    try:
        return opt_in(context).get(context.plan.owner.region), None
    except AwsError as error:
        return None, error


def _tried(context: Context, operation: str) -> Answer:
    region, account = context.plan.owner.region, context.facts.account
    if context.caller.endpoint("sts") == GLOBAL:
        # The global endpoint would answer, and it cannot be switched off.
        message = f"requests to STS go to {GLOBAL}, which says nothing of {region}"
        hint = "unset AWS_STS_REGIONAL_ENDPOINTS and check again"
        return _answer(context, State.UNKNOWN, message, operation, hint)
    try:
        seconds = _granted_in(context, operation)
    except RegionDisabled as error:
        return _answer(
            context,
            State.DEACTIVATED,
            f"STS is deactivated in {region} for account {account}: the kubelet could not"
            " authenticate against the Kubernetes API server, and no node would join",
            operation,
            f"activate {region} under Security Token Service (STS) at {SETTINGS}",
            code=error.code,
        )
    except Unreachable as error:
        message = f"the endpoint of STS in {region} is unreachable: {error.message}"
        hint = f"check the network, proxies and the VPC endpoint for sts.{region}"
        return _answer(context, State.UNREACHABLE, message, operation, hint)
    except AccessDenied as error:
        return _denied(context, operation, error)
    except AwsError as error:
        message = f"not known whether STS is active in {region}: {error}"
        return _answer(context, State.UNKNOWN, message, operation, error.hint)
    return _answer(
        context,
        State.ACTIVE,
        f"STS makes credentials in {region}, in {seconds * 1000:,.0f} ms",
        operation,
        seconds=round(seconds, 3),
    )


def _granted_in(context: Context, operation: str) -> float:
    """Say in how many seconds STS granted credentials; raises what it said instead.

    A role that was to build has been tried already, at this endpoint: no second session is made.
    """
    if operation == "AssumeRole" and context.role_error is not None:
        raise context.role_error
    if operation == "AssumeRole" and context.aws.granted_in is not None:
        return context.aws.granted_in
    began = context.caller.clock.monotonic()
    _mint(context, operation)
    return context.caller.clock.monotonic() - began


def _mint(context: Context, operation: str, region: str | None = None) -> None:
    """Ask for credentials and drop them: what comes back has no name here, and none is logged."""
    if operation == "GetSessionToken":
        context.caller.call("sts", operation, region=region, DurationSeconds=SECONDS)
        return
    secret = {"ExternalId": context.spec.external_id} if context.spec.external_id else {}
    context.caller.call(
        "sts",
        operation,
        region=region,
        RoleArn=context.spec.role_arn,
        RoleSessionName="preflight-check",
        DurationSeconds=SECONDS,
        Policy=POWERLESS,
        **secret,
    )


def _denied(context: Context, operation: str, error: AccessDenied) -> Answer:
    """Say what a refusal is worth: nothing, of STS. Elsewhere it may tell where the reason lies.

    Whether STS looks first at who asks or at where is written nowhere.
    """
    if operation == "AssumeRole" and _caller_can_tell(context):
        return _tried(context, "GetSessionToken")
    region, home = context.plan.owner.region, HOMES.get(context.facts.partition, "")
    message = f"not known whether STS is active in {region}: {error}"
    hint = "sign in with the long-term keys of an IAM user, or give --role-arn"
    if operation == "AssumeRole":
        hint = "compare the role's trust policy and external id: `preflight role show`"
        if home and home != region and _is_granted(context, operation, home):
            message += (
                f"; in {home} the role can be assumed: trust policy and external id are right"
            )
            hint = f"look for what denies it in {region} alone: a service control policy, or STS"
    return _answer(context, State.UNKNOWN, message, operation, hint, missing_action=error.action)


def _caller_can_tell(context: Context) -> bool:
    """Say whether the caller's own session is of the account that the role is in.

    STS has to be active for the account in which credentials are made.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    """
    caller = Principal.of(context.caller.identity.arn)
    is_long_term = caller.kind in {PrincipalKind.USER, PrincipalKind.ROOT}
    return is_long_term and f":{caller.account}:" in (context.spec.role_arn or "")


def _is_granted(context: Context, operation: str, region: str) -> bool:
    try:
        _mint(context, operation, region)
    except AwsError:
        return False
    return True


def _answer(
    context: Context,
    state: State,
    message: str,
    probe: str,
    hint: str | None = None,
    **more: Any,
) -> Answer:
    region = context.plan.owner.region
    return Answer(
        status=STATUSES[state],
        subject=region,
        message=message,
        hint=hint,
        data={"region": region, "state": str(state), "probe": probe, **more},
    )

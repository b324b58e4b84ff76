"""Does STS make credentials for this account in the Region? Without that no node ever joins."""

from __future__ import annotations

import os
from collections.abc import Iterator

from checks.principal import Principal, PrincipalKind
from checks.region import HOMES, NEEDS_NO_OPT_IN, NOT_OPTED_IN, opt_in
from preflight.check import Answer, Context, check
from preflight.errors import AccessDenied, AwsError, RegionDisabled, Unreachable
from preflight.finding import Status

#: The shortest session there is; nothing is done with it.
SECONDS = 900
SETTINGS = "https://console.aws.amazon.com/iam/home#/account_settings"


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
        "sts:AssumeRole",
        "sts:GetSessionToken",
        "sts:GetCallerIdentity",
    ),
)
def sts(context: Context) -> Iterator[Answer]:
    """Ask STS for credentials where the nodes would, and throw them away.

    GetCallerIdentity proves nothing: it answers in Regions where STS is off.
    """
    region = context.plan.owner.region
    if region == HOMES["aws"]:
        message = f"STS is active in {region}: it cannot be switched off there"
        yield _answer(Status.PASS, region, message, "definition")
        return
    # A status that could not be looked up is no obstacle: the probe itself is the better proof.
    status, doubt = _status(context, region)
    if status == NOT_OPTED_IN:
        message = f"{region} is not enabled for this account, and with it STS is off there"
        hint = f"aws account enable-region --region-name {region}"
        yield _answer(Status.FAIL, region, message, "opt-in", hint)
        return
    builder = Principal.of(context.caller.identity.arn)
    if context.spec.role_arn:
        yield _probed(context, region, "AssumeRole")
    elif builder.kind in {PrincipalKind.USER, PrincipalKind.ROOT}:
        yield _probed(context, region, "GetSessionToken")
    elif status is not None and status != NEEDS_NO_OPT_IN:
        message = f"STS is active in {region}: it is so in every opt-in Region once that is enabled"
        yield _answer(Status.PASS, region, message, "definition")
    else:
        yield _nothing_to_ask(region, builder, doubt)


def _status(context: Context, region: str) -> tuple[str | None, AwsError | None]:
    try:
        return opt_in(context).get(region), None
    except AwsError as error:
        return None, error


def _probed(context: Context, region: str, operation: str) -> Answer:
    if os.environ.get("AWS_STS_REGIONAL_ENDPOINTS", "").lower() == "legacy":
        # The global endpoint would answer, and it cannot be switched off.
        message = "AWS_STS_REGIONAL_ENDPOINTS=legacy keeps requests from the regional endpoint"
        hint = "unset AWS_STS_REGIONAL_ENDPOINTS and check again"
        return _answer(Status.UNKNOWN, region, message, operation, hint)
    try:
        _mint(context, operation)
    except RegionDisabled as error:
        return _answer(
            Status.FAIL,
            region,
            f"STS is deactivated in {region} for account {context.facts.account}: the kubelet could"
            " not authenticate against the Kubernetes API server, and no node would join",
            operation,
            f"activate {region} under Security Token Service (STS) at {SETTINGS}",
            code=error.code,
        )
    except Unreachable as error:
        message = f"the endpoint of STS in {region} is unreachable: {error.message}"
        hint = f"check the network, proxies and the VPC endpoint for sts.{region}"
        return _answer(Status.UNKNOWN, region, message, operation, hint)
    except AccessDenied as error:
        return _answer(
            Status.UNKNOWN,
            region,
            f"not known whether STS is active in {region}: {error}",
            operation,
            _hint(operation),
            missing_action=error.action,
        )
    return _answer(Status.PASS, region, f"STS makes credentials in {region}", operation)


def _mint(context: Context, operation: str) -> None:
    """Ask for credentials and drop them: what comes back has no name here, and none is logged."""
    if operation == "GetSessionToken":
        context.caller.call("sts", operation, DurationSeconds=SECONDS)
        return
    secret = {"ExternalId": context.spec.external_id} if context.spec.external_id else {}
    context.caller.call(
        "sts",
        operation,
        RoleArn=context.spec.role_arn,
        RoleSessionName="preflight-check",
        DurationSeconds=SECONDS,
        **secret,
    )


def _hint(operation: str) -> str:
    if operation == "AssumeRole":
        return "compare the role's trust policy and external id: `preflight role show`"
    return "sign in with the long-term keys of an IAM user, or give --role-arn"


def _nothing_to_ask(region: str, builder: Principal, doubt: AwsError | None) -> Answer:
    return _answer(
        Status.UNKNOWN,
        region,
        f"{builder.kind.words} {builder.name} has no call that would tell whether STS is active in"
        f" {region}" + (f"; nor is the Region's status known: {doubt}" if doubt else ""),
        "none",
        "give --role-arn: assuming the role answers it; or run this check once as an IAM user;"
        f" or look at {SETTINGS} and waive with --waive sts-regional-endpoint=REASON",
    )


def _answer(
    status: Status, region: str, message: str, probe: str, hint: str | None = None, **more: str
) -> Answer:
    return Answer(
        status=status,
        subject=region,
        message=message,
        hint=hint,
        data={"region": region, "probe": probe, **more},
    )

"""Which tokens does the global endpoint of STS make, and are they good in the Region?"""

from __future__ import annotations

from collections.abc import Iterator

from checks.account_lists import rows
from preflight.check import Answer, Context
from preflight.errors import AccessDenied, AwsError
from preflight.finding import Status
from preflight.quotas.looks import ACCOUNT_SUMMARY

URL = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html"
SUBJECT = "global endpoint"


def tokens(context: Context, needs_opt_in: bool | None) -> Iterator[Answer]:
    """Tell the version of its tokens: those of version 1 are refused in opt-in Regions.

    `needs_opt_in` says whether the Region is one, and is None where nobody could tell.

    Preflight asks the regional endpoint; other tools, and pods, may still ask the global one. It
    says nothing of whether the regional endpoint is active.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetSecurityTokenServicePreferences.html
    """
    region = context.plan.owner.region
    try:
        told = int(rows(context, ACCOUNT_SUMMARY)[0]["GlobalEndpointTokenVersion"])
    except AwsError as error:
        missing = error.action if isinstance(error, AccessDenied) else None
        yield Answer(
            status=Status.UNKNOWN,
            subject=SUBJECT,
            message=f"not known which tokens the global endpoint of STS makes: {error}",
            hint=error.hint,
            url=URL,
            data={"missing_action": missing} if missing else {},
        )
        return
    facts = {"global_token_version": told}
    if told == 1 and needs_opt_in is None:
        yield Answer(
            status=Status.UNKNOWN,
            subject=SUBJECT,
            message=f"the global endpoint of STS makes tokens of version 1; whether {region} takes"
            " them is not known",
            hint="allow ec2:DescribeRegions",
            url=URL,
            data={**facts, "missing_action": "ec2:DescribeRegions"},
        )
        return
    if told == 1 and needs_opt_in:
        yield Answer(
            status=Status.WARN,
            subject=SUBJECT,
            message=f"the global endpoint of STS makes tokens that {region} refuses (version 1)",
            hint="aws iam set-security-token-service-preferences"
            " --global-endpoint-token-version v2Token",
            url=URL,
            data=facts,
        )
        return
    message = f"the global endpoint of STS makes tokens of version {told}, which {region} takes"
    yield Answer(status=Status.PASS, subject=SUBJECT, message=message, url=URL, data=facts)

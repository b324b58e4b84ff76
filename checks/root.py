"""What is known of the root user's permissions, whom nobody can simulate."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.check import Answer, Context
from preflight.errors import AccessDenied, AwsError
from preflight.finding import Status

#: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
NOT_IN_USE = "AWSOrganizationsNotInUseException"
SUBJECT = "service control policies"
URL = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html"


def root(context: Context) -> Iterator[Answer]:
    """Say what binds the root user: no policy of its account, and in a member account every SCP.

    SCPs bind the root user of a member account, and nobody in the management account.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    yield Answer(
        status=Status.PASS,
        subject="identity policies",
        message="the root user is bound by no policy of its account",
        data={"decision": "allowed", "layer": "identity"},
    )
    yield _of_organization(context)


def _of_organization(context: Context) -> Answer:
    account = context.aws.identity.account
    try:
        told = context.aws.call("organizations", "DescribeOrganization")["Organization"]
    except AwsError as error:
        if error.code == NOT_IN_USE:
            return _unbound(f"account {account} is in no organization: no SCP binds its root user")
        missing = error.action if isinstance(error, AccessDenied) else None
        what = f"not known whether SCPs bind the root user of account {account}: {error}"
        return _unknown(what, {"missing_action": missing} if missing else {})
    if told["MasterAccountId"] == account:
        return _unbound(f"account {account} manages its organization: no SCP binds its root user")
    return _unknown(
        f"account {account} is a member of the organization {told['Id']}: its SCPs bind the root"
        " user, too, and the root user cannot be simulated",
        {"organization": told["Id"]},
    )


def _unbound(message: str) -> Answer:
    return Answer(
        status=Status.PASS,
        subject=SUBJECT,
        message=message,
        url=URL,
        data={"decision": "allowed", "layer": "scp"},
    )


def _unknown(message: str, more: dict[str, str]) -> Answer:
    return Answer(
        status=Status.UNKNOWN,
        subject=SUBJECT,
        message=message,
        hint="use a role: give --role-arn, then every action can be checked",
        url=URL,
        data={"decision": "unknown", "layer": "scp", **more},
    )

"""Who is calling, in which account, and who will build."""

from __future__ import annotations

from collections.abc import Iterator

from checks.principal import Principal, PrincipalKind
from preflight.aws import partition_of
from preflight.check import Answer, Context, check
from preflight.finding import Status

#: What belongs to one cannot be used in another.
PARTITIONS = (
    "https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html"
)
USE_A_ROLE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html"


@check(
    "identity",
    "The right principal calls in the right account",
    why=(
        "Credentials of another account are the most expensive mistake there is: everything is "
        "built, or swept, in the wrong place."
    ),
    fix="Sign in to the account of the spec, or correct `account:` (or --account).",
    url="https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html",
    actions=("sts:GetCallerIdentity",),
)
def identity(context: Context) -> Iterator[Answer]:
    """Name the caller and the builder, and hold both to the account asked for."""
    caller = Principal.of(context.caller.identity.arn)
    builder = Principal.of(context.aws.identity.arn)
    yield _who("caller", caller, "calls")
    if builder.arn != caller.arn or context.spec.role_arn:
        yield _who("builder", builder, "builds")
    yield from _account(context, builder)
    if context.spec.role_arn:
        yield _role(context.spec.role_arn, builder)
    yield from _partition(context, caller)


def _who(subject: str, principal: Principal, does: str) -> Answer:
    facts = {"account": principal.account, "arn": principal.arn, "kind": str(principal.kind)}
    named = "" if principal.kind is PrincipalKind.ROOT else f" {principal.name}"
    message = f"{principal.kind.words}{named} {does}, in account {principal.account or 'unknown'}"
    if principal.kind is PrincipalKind.ROOT:
        return Answer(
            status=Status.WARN,
            subject=subject,
            message=message,
            hint="use a role: nothing limits the root user, and its keys cannot be narrowed",
            url=USE_A_ROLE,
            data=facts,
        )
    return Answer(status=Status.PASS, subject=subject, message=message, data=facts)


def _account(context: Context, builder: Principal) -> Iterator[Answer]:
    account = context.aws.identity.account
    facts = {"account": account, "arn": builder.arn, "kind": str(builder.kind)}
    asked = (context.spec.account, context.plan.owner.account)
    other = next((each for each in asked if each and each != account), None)
    if other is not None:
        yield Answer(
            status=Status.FAIL,
            subject="account",
            message=f"the account is {account}, and {other} was asked for",
            hint=f"sign in to {other}: --profile NAME, `aws sso login` or --role-arn ARN",
            data={**facts, "expected": other},
        )
    elif context.spec.account is None:
        yield Answer(
            status=Status.PASS,
            subject="account",
            message=f"the cluster will be in account {account}; the spec names none",
            hint=f'write `account: "{account}"` into the spec to hold every run to it',
            data=facts,
        )
    else:
        message = f"the account is {account}, as the spec says"
        yield Answer(status=Status.PASS, subject="account", message=message, data=facts)


def _partition(context: Context, caller: Principal) -> Iterator[Answer]:
    """Hold credentials and role to the Region's partition: nothing reaches from one to another."""
    region, place = context.spec.region, partition_of(context.spec.region)
    role = context.spec.role_arn
    held = {"the caller": caller.partition, "the role": role.split(":")[1] if role else ""}
    for subject, partition in held.items():
        if partition and partition != place:
            yield Answer(
                status=Status.FAIL,
                subject=f"partition of {subject}",
                message=f"{subject} is of the partition {partition}, and {region} is of {place}",
                hint=f"choose a Region of {partition}, or credentials of {place}",
                url=PARTITIONS,
                data={"partition": partition, "region": region, "expected": place},
            )


def _role(role_arn: str, builder: Principal) -> Answer:
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    facts = {"account": builder.account, "arn": builder.arn, "kind": str(builder.kind)}
    if builder.is_session and (builder.account, builder.name) == (account, name):
        message = f"the role {name} of account {account} was assumed and will build"
        return Answer(status=Status.PASS, subject="role", message=message, data=facts)
    return Answer(
        status=Status.FAIL,
        subject="role",
        message=f"{role_arn} was asked for, and {builder.arn} would build",
        hint=f"aws sts assume-role --role-arn {role_arn} --role-session-name test",
        data={**facts, "role_arn": role_arn},
    )

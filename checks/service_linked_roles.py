"""Are the roles that AWS's services work as in the account, or may they be made?"""

from __future__ import annotations

from collections.abc import Iterator

from checks.account_lists import ROLES, rows
from checks.permissions import denied_of, questions, simulated
from checks.principal import Principal, entity
from preflight.actions import Action
from preflight.check import Answer, Context, check
from preflight.errors import AccessDenied
from preflight.finding import Status

CREATE = "iam:CreateServiceLinkedRole"


@check(
    "service-linked-roles",
    "Every service-linked role of the plan is there, or may be made",
    why=(
        "EKS, its node groups and EC2 Spot work as roles of their own, which the first cluster of"
        " an account makes in the name of whoever builds: without the right to, nodes never come."
    ),
    fix=(
        "Allow iam:CreateServiceLinkedRole for the services named, or let an administrator make"
        " each role once: `aws iam create-service-linked-role --aws-service-name SERVICE`."
    ),
    url="https://docs.aws.amazon.com/eks/latest/userguide/using-service-linked-roles.html",
    actions=(
        "iam:ListRoles",
        "iam:GetRole",
        "iam:SimulatePrincipalPolicy",
        "sts:GetCallerIdentity",
    ),
)
def service_linked_roles(context: Context) -> Iterator[Answer]:
    """Look the roles up; of those that are not there, ask whether the builder may make them."""
    wanted = {arn: one for one in context.plan.actions if one.name == CREATE for arn in one.on}
    if not wanted:
        message = "the plan uses no service-linked role"
        yield Answer(status=Status.SKIP, subject="roles", message=message)
        return
    there = {row["Arn"] for row in rows(context, ROLES)}
    for arn, action in sorted(wanted.items()):
        yield _present(arn, action) if arn in there else _absent(context, arn, action)


def _present(arn: str, action: Action) -> Answer:
    name, service = _name(arn), _service(action)
    return Answer(
        status=Status.PASS,
        subject=name,
        message=f"{name} is there, for {service}",
        data={"role": arn, "service": service, "present": True},
    )


def _absent(context: Context, arn: str, action: Action) -> Answer:
    """Say whether a role that is not there may be made, by the ruling on the very request."""
    name, service = _name(arn), _service(action)
    facts = {"role": arn, "service": service, "present": False}
    make = f"aws iam create-service-linked-role --aws-service-name {service}"
    builder = Principal.of(context.aws.identity.arn)
    behind = entity(builder, context.aws, context.spec.role_arn)
    if behind is None:
        return Answer(
            status=Status.UNKNOWN,
            subject=name,
            message=f"{name} is not there yet, and {builder.kind.words} cannot be simulated",
            hint=f"make it once: `{make}`",
            data=facts,
        )
    question = next(one for one in questions(context, action) if one.resource == arn)
    ruling = simulated(context, behind)[question]
    if ruling.allowed:
        message = f"{name} is not there yet, and may be made for {service}"
        return Answer(status=Status.PASS, subject=name, message=message, data=facts)
    if ruling.error is not None:
        missing = ruling.error.action if isinstance(ruling.error, AccessDenied) else None
        return Answer(
            status=Status.UNKNOWN,
            subject=name,
            message=f"{name} is not there yet; whether it may be made is unknown: {ruling.error}",
            hint=f"make it once: `{make}`" + (f"; or allow {missing}" if missing else ""),
            data={**facts, **({"missing_action": missing} if missing else {})},
        )
    denial = next(one for one in denied_of(context, behind) if one.ruling.question == question)
    return Answer(
        status=denial.status,
        subject=name,
        message=f"{name} is not there, and {behind.arn} may not make it for {service}",
        hint=f"let an administrator make it once: `{make}`",
        data={**facts, "action": CREATE, "decision": ruling.decision, "layer": str(denial.layer)},
    )


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _service(action: Action) -> str:
    return str(action.context["iam:AWSServiceName"])

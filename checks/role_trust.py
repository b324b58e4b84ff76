"""Who may assume a role: by its trust policy, and by trying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checks.role_found import RoleFound
from preflight.check import Answer
from preflight.errors import AccessDenied, AwsError
from preflight.finding import Status
from preflight.policy import Context, Policy, Principal, Request, evaluate
from preflight.profile import RequiredRole

TRUST = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html"
#: No role waits for this one; it stands for any external id but the right one.
WRONG_ID = "not-the-external-id"
#: What must not be enough: no external id at all, and a wrong one.
_BAD = (None, WRONG_ID)
_ANYTHING = Policy.parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """How assuming the role went: the error, or None where it was let in."""

    right: AwsError | None
    wrong: AwsError | None


def may_assume(found: RoleFound, principal: str, external_id: str | None) -> bool:
    """Say whether the trust policy lets a user or role in, whatever its own policies say."""
    keys = {"sts:ExternalId": external_id} if external_id else {}
    decision = evaluate(
        Request(
            action="sts:AssumeRole",
            principal=Principal(arn=principal),
            resource=found.arn,
            context=Context.of(keys),
        ),
        identity=[_ANYTHING],
        resource=Policy.parse(found.trust, id="trust policy"),
        resource_account=found.arn.split(":")[4],
        resource_must_allow=True,
    )
    return decision.allowed


def _vendor(role: RequiredRole, found: RoleFound) -> str:
    return f"arn:{found.arn.split(':')[1]}:iam::{role.trusted_account}:root"


def trusts(role: RequiredRole, found: RoleFound, external_id: str | None) -> Answer:
    """See whether the vendor may assume it, with the external id that is kept or asked for."""
    account = role.trusted_account
    candidates = [external_id] if external_id else _ids_of(found)
    facts = {"trusted_account": account}
    if any(may_assume(found, _vendor(role, found), one) for one in candidates):
        beside = "the external id kept here" if external_id else "the external id it asks for"
        message = f"the vendor's account {account} may assume it with {beside}"
        return Answer(status=Status.PASS, subject="trust", message=message, url=TRUST, data=facts)
    return Answer(
        status=Status.FAIL,
        subject="trust",
        message=f"the vendor's account {account} may not assume it",
        hint=f"`preflight role create {found.name}` writes the trust policy again",
        url=TRUST,
        data=facts,
    )


def _ids_of(found: RoleFound) -> list[str | None]:
    """Read the external ids out of a trust policy; they are used to judge it and told to nobody."""
    ids: list[str | None] = [None]
    statements = found.trust.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        for keys in statement.get("Condition", {}).values():
            for key, values in keys.items():
                if key.lower() == "sts:externalid":
                    ids += values if isinstance(values, list) else [values]
    return ids


def asks_for_id(role: RequiredRole, found: RoleFound) -> Answer:
    """See whether the role is open to anybody whom the vendor can be talked into acting for."""
    open_to = [id for id in _BAD if may_assume(found, _vendor(role, found), id)]
    if not open_to:
        message = "without its external id, or with a wrong one, it is closed"
        return Answer(status=Status.PASS, subject="external id", message=message, url=TRUST)
    return Answer(
        status=Status.FAIL,
        subject="external id",
        message="the vendor may assume it for anybody: the trust policy asks for no external id",
        hint="add the condition StringEquals sts:ExternalId",
        url=TRUST,
    )


def others(role: RequiredRole, found: RoleFound) -> Answer:
    """Name whom it trusts beside the vendor: somebody may have been added since."""
    named = sorted(set(_trusted(found)) - {_vendor(role, found), role.trusted_account})
    open_to = [name for name in named if _is_let_in(name, found)]
    facts = {"others": named, "without_external_id": open_to}
    if open_to:
        return Answer(
            status=Status.WARN,
            subject="others",
            message=f"may assume it without the external id: {', '.join(open_to)}",
            hint="take them out of its trust policy, unless they were meant to be in it",
            url=TRUST,
            data=facts,
        )
    message = f"beside the vendor it trusts {', '.join(named) or 'nobody'}"
    return Answer(status=Status.PASS, subject="others", message=message, url=TRUST, data=facts)


def _trusted(found: RoleFound) -> Iterator[str]:
    """Give the principals of all statements that allow; services and providers by their names."""
    statements = found.trust.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal", "*")  # NotPrincipal lets nearly everybody in
        for names in principal.values() if isinstance(principal, dict) else [principal]:
            yield from names if isinstance(names, list) else [names]


def _is_let_in(name: str, found: RoleFound) -> bool:
    """Say whether a principal needs no external id; services and providers never have one."""
    if name == "*" or name.isdigit():
        account = "000000000000" if name == "*" else name  # `*` stands for anybody's
        name = f"arn:{found.arn.split(':')[1]}:iam::{account}:root"
    if ":" not in name or "-provider/" in name:
        return True
    return any(may_assume(found, name, external_id) for external_id in _BAD)


def lived(tried: Tried) -> Iterator[Answer]:
    """Judge what assuming the role with the right and with a wrong external id did."""
    subject = "assumed"
    if tried.wrong is None:
        yield Answer(
            status=Status.FAIL,
            subject=subject,
            message="it was assumed with a wrong external id",
            hint="add the condition StringEquals sts:ExternalId to every statement of its trust",
            url=TRUST,
        )
    elif isinstance(tried.right, AccessDenied):
        yield Answer(
            status=Status.SKIP,
            subject=subject,
            message="this caller may not assume it, with the right external id or without: only"
            " the vendor can try",
            url=TRUST,
        )
    elif tried.right is not None:
        yield Answer(
            status=Status.UNKNOWN,
            subject=subject,
            message=f"not known whether it can be assumed: {tried.right}",
            hint=tried.right.hint,
            url=TRUST,
        )
    elif isinstance(tried.wrong, AccessDenied):
        message = "it was assumed with its external id, and refused with a wrong one"
        yield Answer(status=Status.PASS, subject=subject, message=message, url=TRUST)
    else:
        yield Answer(
            status=Status.UNKNOWN,
            subject=subject,
            message=f"not known whether a wrong external id is refused: {tried.wrong}",
            hint=tried.wrong.hint,
            url=TRUST,
        )

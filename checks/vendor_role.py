"""Is a role what its vendor needs: trust, external id, session length, policies, drift?

Pure judgement over what was read of the role; `preflight role show` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from preflight.check import Answer
from preflight.errors import AccessDenied, AwsError
from preflight.finding import Status
from preflight.policy import Context, Policy, Principal, Request, evaluate
from preflight.profile import RequiredRole

TRUST = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html"
SESSION = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use.html"
POLICIES = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html"
)
#: No role waits for this one; it stands for any external id but the right one.
WRONG_ID = "not-the-external-id"
_ANYTHING = Policy.parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


@dataclass(frozen=True, kw_only=True)
class RoleFound:
    """What AWS says of a role. `versions` are the default versions of customer policies by ARN."""

    arn: str
    name: str
    trust: Mapping[str, Any]
    seconds: int
    attached: tuple[str, ...] = ()
    inline: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    boundary: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """How assuming the role went: the error, or None where it was let in."""

    right: AwsError | None
    wrong: AwsError | None


def judge(
    role: RequiredRole, found: RoleFound, external_id: str | None, wanted: Mapping[str, Any]
) -> Iterator[Answer]:
    """Compare a role with what the vendor needs; `wanted` is its inline policy when it has one."""
    yield _trusts(role, found, external_id)
    yield _asks_for_id(role, found)
    yield _lasts(role, found)
    yield from _holds(role, found, wanted)


def _may_assume(found: RoleFound, principal: str, external_id: str | None) -> bool:
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


def _trusts(role: RequiredRole, found: RoleFound, external_id: str | None) -> Answer:
    account = role.trusted_account
    candidates = [external_id] if external_id else _ids_of(found)
    facts = {"trusted_account": account}
    if any(_may_assume(found, _vendor(role, found), one) for one in candidates):
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


def _asks_for_id(role: RequiredRole, found: RoleFound) -> Answer:
    """See whether the role is open to anybody whom the vendor can be talked into acting for."""
    open_to = [id for id in (None, WRONG_ID) if _may_assume(found, _vendor(role, found), id)]
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


def _lasts(role: RequiredRole, found: RoleFound) -> Answer:
    wanted, facts = role.maximum_session_seconds, {"seconds": found.seconds}
    enough = found.seconds >= wanted
    return Answer(
        status=Status.PASS if enough else Status.WARN,
        subject="session",
        message=f"a session lasts up to {found.seconds:,} s; the vendor asks for {wanted:,} s",
        hint=None
        if enough
        else f"aws iam update-role --role-name {found.name} --max-session-duration {wanted}",
        url=SESSION,
        data=facts,
    )


def _holds(role: RequiredRole, found: RoleFound, wanted: Mapping[str, Any]) -> Iterator[Answer]:
    """Judge the policies: by the vendor's list, or a role of the least ones by their versions."""
    own = [arn for arn in found.attached if ":policy/preflight/" in arn]
    if own:
        yield _unchanged(found, own)
        return
    names = {arn.rpartition("/")[2] for arn in found.attached}
    missing = sorted(set(role.managed_policies) - names)
    extra = sorted(names - set(role.managed_policies))
    yield _attached(found, missing, extra)
    yield _beyond(found, wanted)


def _attached(found: RoleFound, missing: list[str], extra: list[str]) -> Answer:
    facts = {"missing": missing, "extra": extra, "attached": sorted(found.attached)}
    if missing:
        partition = found.arn.split(":")[1]
        attach = f"aws iam attach-role-policy --role-name {found.name} --policy-arn"
        return Answer(
            status=Status.FAIL,
            subject="policies",
            message=f"not attached any more: {', '.join(missing)}",
            hint=f"{attach} arn:{partition}:iam::aws:policy/{missing[0]}",
            url=POLICIES,
            data=facts,
        )
    if extra:
        message = f"attached beyond what the vendor asks for: {', '.join(extra)}"
        return Answer(
            status=Status.WARN, subject="policies", message=message, url=POLICIES, data=facts
        )
    message = f"all {len(found.attached)} policies of the vendor's list are attached"
    return Answer(status=Status.PASS, subject="policies", message=message, url=POLICIES, data=facts)


def _beyond(found: RoleFound, wanted: Mapping[str, Any]) -> Answer:
    allowed = [Policy.parse(document, id=name) for name, document in found.inline.items()]
    needed = sorted({a for one in wanted.get("Statement", ()) for a in one["Action"]})
    missing = [name for name in needed if not any(_allows(one, name) for one in allowed)]
    facts = {"missing": missing}
    if not missing:
        message = "its inline policies hold what the vendor's managed ones lack"
        return Answer(
            status=Status.PASS, subject="beyond", message=message, url=POLICIES, data=facts
        )
    shown = ", ".join(missing[:6]) + (f" and {len(missing) - 6} more" if len(missing) > 6 else "")
    return Answer(
        status=Status.WARN,
        subject="beyond",
        message=f"its inline policies do not allow {shown}, which no policy of the vendor does",
        hint=f"`preflight role create {found.name}` puts the inline policy again",
        url=POLICIES,
        data=facts,
    )


def _allows(policy: Policy, pattern: str) -> bool:
    """Say whether a policy allows everything that a pattern of actions stands for, anywhere."""
    request = Request(
        action=pattern.replace("*", "Anything"), principal=Principal(arn=""), resource=None
    )
    return any(
        one.allows and not one.conditions and one.covers(request) is True
        for one in policy.statements
    )


def _unchanged(found: RoleFound, own: list[str]) -> Answer:
    changed = sorted(arn for arn in own if found.versions.get(arn) not in {None, "v1"})
    unseen = sorted(arn for arn in own if arn not in found.versions)
    extra = sorted(set(found.attached) - set(own))
    facts = {"changed": changed, "unseen": unseen, "extra": extra, "boundary": found.boundary}
    if changed or extra or found.boundary is None:
        told = [f"changed since: {', '.join(changed)}"] if changed else []
        told += [f"attached since: {', '.join(extra)}"] if extra else []
        told += ["its permissions boundary is gone"] if found.boundary is None else []
        return Answer(
            status=Status.WARN,
            subject="policies",
            message="; ".join(told),
            hint="compare with `preflight permissions`",
            url=POLICIES,
            data=facts,
        )
    if unseen:
        return Answer(
            status=Status.UNKNOWN,
            subject="policies",
            message=f"not known whether they changed: {', '.join(unseen)}",
            hint="allow iam:GetPolicy",
            url=POLICIES,
            data=facts,
        )
    message = f"{len(own)} least policies and their boundary are as they were made"
    return Answer(status=Status.PASS, subject="policies", message=message, url=POLICIES, data=facts)


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

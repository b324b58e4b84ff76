"""What a role may do: the vendor's list, or the least policies, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.role_found import RoleFound
from preflight.check import Answer
from preflight.finding import Status
from preflight.policy import Policy, Principal, Request
from preflight.profile import RequiredRole

POLICIES = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html"
)
#: The inline policy that `preflight role create` puts.
OWN = "preflight"


def holds(role: RequiredRole, found: RoleFound, wanted: Mapping[str, Any]) -> Iterator[Answer]:
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
            message=f"not attached any more: {', '.join(missing)}"
            + (f"; beyond what the vendor asks for: {', '.join(extra)}" if extra else ""),
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
    added = sorted(
        name for name, document in found.inline.items() if name != OWN or document != wanted
    )
    facts = {"missing": missing, "added": added}
    if added and not missing:
        return Answer(
            status=Status.WARN,
            subject="beyond",
            message=f"not as Preflight puts them: the inline policies {', '.join(added)}",
            hint=f"`preflight role create {found.name}` puts its own again; delete the others",
            url=POLICIES,
            data=facts,
        )
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
    extra = sorted({*found.attached, *found.inline} - set(own))
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

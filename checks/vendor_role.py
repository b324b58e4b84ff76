"""Is a role what its vendor needs: trust, external id, session length, policies, drift?

Pure judgement over what was read of the role; `preflight role show` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.role_found import RoleFound
from checks.role_policies import holds
from checks.role_trust import asks_for_id, others, trusts
from preflight.check import Answer
from preflight.finding import Status
from preflight.profile import RequiredRole

SESSION = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use.html"


def judge(
    role: RequiredRole, found: RoleFound, external_id: str | None, wanted: Mapping[str, Any]
) -> Iterator[Answer]:
    """Compare a role with what the vendor needs; `wanted` is its inline policy when it has one."""
    yield trusts(role, found, external_id)
    yield asks_for_id(role, found)
    yield others(role, found)
    yield _lasts(role, found)
    yield from holds(role, found, wanted)


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

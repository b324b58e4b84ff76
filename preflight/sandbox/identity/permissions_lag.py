"""Permissions change late: with `consistency.iam_propagation`, AWS goes by what they were before.

Both a grant and a removal take so many virtual seconds, of users, groups and roles, of attached,
inline and managed policies, and of boundaries. What the scenario's set-up made is old. The
simulator reads what IAM has now, which AWS does not promise.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.faults.consistency import lag, longest
from preflight.sandbox.identity import iam
from preflight.sandbox.request import Request
from preflight.sandbox.world import World


class FormerPermissions:
    """What users and roles had before each change, and until when AWS goes by it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._former: dict[str, deque[tuple[float, iam.Granted]]] = {}

    def keep(self, arn: str) -> None:
        """Remember what somebody has, right before it changes."""
        until = agenda(self._world).seconds() + lag(self._world, "iam_propagation")
        now = (until, iam.granted(self._world, arn))
        self._former.setdefault(arn, deque()).append(now)

    def of(self, arn: str) -> iam.Granted | None:
        """Give what AWS still goes by, None where that is what IAM has."""
        former = self._former.get(arn)
        while former and former[0][0] <= agenda(self._world).seconds():
            former.popleft()
        return former[0][1] if former else None


def before_change(request: Request) -> None:
    """Keep what everybody had whom a change of policies is about."""
    if request.is_privileged or not longest(request.world, "iam_propagation"):
        return
    former = request.world.part(FormerPermissions)
    for arn in dict.fromkeys(_affected(request)):
        former.keep(arn)


def _affected(request: Request) -> Iterator[str]:
    given = request.parameters
    backend = request.world.backend("iam", "aws")
    if given.get("RoleName"):
        yield from (one.arn for one in backend.roles.values() if one.name == given["RoleName"])
    elif given.get("UserName"):
        yield from (one.arn for one in backend.users.values() if one.name == given["UserName"])
    elif given.get("GroupName"):
        group = backend.groups.get(given["GroupName"])
        yield from (user.arn for user in (group.users if group else ()))
    else:
        yield from _holders(request.world, backend, str(given.get("PolicyArn")))


def _holders(world: World, backend: Any, policy: str) -> Iterator[str]:
    """Name the users and roles for whom a managed policy counts, one way or another."""
    for kind, holders in (("user", backend.users), ("role", backend.roles)):
        for one in holders.values():
            if policy in one.managed_policies or iam.boundary_arn(world, kind, one) == policy:
                yield one.arn
    for group in backend.groups.values():
        if policy in group.managed_policies:
            yield from (user.arn for user in group.users)


_CHANGES = (
    "AddUserToGroup AttachGroupPolicy AttachRolePolicy AttachUserPolicy CreatePolicyVersion "
    "DeleteGroupPolicy DeleteRolePermissionsBoundary DeleteRolePolicy "
    "DeleteUserPermissionsBoundary DeleteUserPolicy DetachGroupPolicy DetachRolePolicy "
    "DetachUserPolicy PutGroupPolicy PutRolePermissionsBoundary PutRolePolicy "
    "PutUserPermissionsBoundary PutUserPolicy RemoveUserFromGroup SetDefaultPolicyVersion"
)
RULES = {("iam", name): before_change for name in _CHANGES.split()}

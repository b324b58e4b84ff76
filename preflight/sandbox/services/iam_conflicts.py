"""What IAM refuses to delete because it is in use, beside what moto refuses by itself.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html
have the code; the words are those that users quote:
https://github.com/rebuy-de/aws-nuke/issues/1 (versions),
https://github.com/gruntwork-io/cloud-nuke/issues/972 (attached, also as a boundary),
https://github.com/aws-controllers-k8s/community/issues/2229 (keys),
https://github.com/cloud-custodian/cloud-custodian/issues/1663 (password),
https://github.com/rebuy-de/aws-nuke/issues/281 (devices),
https://github.com/go-to-k/delstack/issues/40 (groups).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request

ENTITY = "Cannot delete entity, must {} first."


def _iam(request: Request) -> Any:
    return request.world.backend("iam", "aws")


def _conflict(message: str) -> AwsFault:
    return AwsFault("DeleteConflict", message, 409)


def _bearers(iam: Any, arn: str) -> Iterator[str]:
    """Name who has a managed policy, attached or as permissions boundary."""
    for one in (*iam.users.values(), *iam.groups.values(), *iam.roles.values()):
        if arn in one.managed_policies or getattr(one, "permissions_boundary_arn", None) == arn:
            yield str(one.name)


def refuse_policy(request: Request) -> None:
    """A policy stays while somebody has it, or while it has versions beside the default one."""
    iam, arn = _iam(request), request.parameters["PolicyArn"]
    policy = iam.managed_policies.get(arn)
    if policy is None:
        return
    if next(_bearers(iam, arn), None):
        raise _conflict("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise _conflict(
            "This policy has more than one version. Before you delete a policy, you must delete"
            " the policy's versions. The default version is deleted with the policy."
        )


def refuse_taken_policy(request: Request) -> None:
    """A policy's name is there once, whatever its path."""
    name = request.parameters["PolicyName"]
    for arn, policy in _iam(request).managed_policies.items():
        if policy.name == name and not arn.startswith("arn:aws:iam::aws:"):
            message = f"A policy called {name} already exists. Duplicate names are not allowed."
            raise AwsFault("EntityAlreadyExists", message, 409)


def refuse_user(request: Request) -> None:
    """A user stays while it has keys, a password or devices, or is in a group."""
    iam, name = _iam(request), request.parameters["UserName"]
    user = iam.users.get(name)
    if user is None:
        return
    if any(user in group.users for group in iam.groups.values()):
        raise _conflict(ENTITY.format("remove users from group"))
    if user.access_keys:
        raise _conflict(ENTITY.format("delete access keys"))
    if user.password:
        raise _conflict(ENTITY.format("delete login profile"))
    if user.mfa_devices:
        raise _conflict(ENTITY.format("delete MFA device"))


def refuse_group(request: Request) -> None:
    """A group stays while users are in it or policies are attached to it."""
    group = _iam(request).groups.get(request.parameters["GroupName"])
    if group is None:
        return
    if group.users:
        raise _conflict(ENTITY.format("remove users from group"))
    if group.managed_policies:
        raise _conflict(ENTITY.format("detach all policies"))
    if group.policies:
        raise _conflict(ENTITY.format("delete policies"))


RULES = {
    ("iam", "CreatePolicy"): refuse_taken_policy,
    ("iam", "DeleteGroup"): refuse_group,
    ("iam", "DeletePolicy"): refuse_policy,
    ("iam", "DeleteUser"): refuse_user,
}

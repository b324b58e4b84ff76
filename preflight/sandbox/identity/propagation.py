"""What was just done in IAM is not known everywhere yet: `consistency.iam_propagation`.

For so many virtual seconds a new role, or one whose trust policy was just changed, cannot be
assumed, and EKS and KMS do not know it; a policy just attached does not count for EKS. Each says so
in the words that users report. What the scenario's set-up made is old.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

from __future__ import annotations

from collections.abc import Callable

from preflight.sandbox.agenda import agenda
from preflight.sandbox.eks.roles import (
    ADDON_ROLE_UNKNOWN,
    CLUSTER_POLICY,
    CLUSTER_POLICY_MISSING,
    CLUSTER_ROLE_UNKNOWN,
    NODE_ROLE_UNKNOWN,
    POD_ROLE_UNKNOWN,
    PRINCIPAL_UNKNOWN,
)
from preflight.sandbox.eks.state import refuse
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.faults.consistency import lag, longest
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World


class Propagation:
    """When each change in IAM is known everywhere, in virtual seconds.

    Keys are the ARN of a role, or a role's name and the ARN of a policy attached to it, or
    `instance-profile` and a name.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._known_from: dict[str | tuple[str, str], float] = {}

    def begin(self, key: str | tuple[str, str]) -> None:
        """Let a change be known everywhere only after the lag."""
        self._known_from[key] = agenda(self._world).seconds() + lag(self._world, "iam_propagation")

    def is_under_way(self, key: str | tuple[str, str]) -> bool:
        """Whether a change is not known everywhere yet."""
        known_from = self._known_from.get(key)
        if known_from is None:
            return False
        if known_from > agenda(self._world).seconds():
            return True
        del self._known_from[key]
        return False


def is_on(request: Request) -> bool:
    """Whether a scenario wants changes in IAM to be known late by this request."""
    return not request.is_privileged and longest(request.world, "iam_propagation") > 0


def role_changed(request: Request, _: Response) -> None:
    """A role was made, or its trust policy changed."""
    if is_on(request):
        roles = request.world.backend("iam", "aws").roles.values()
        name = request.parameters["RoleName"]
        request.world.part(Propagation).begin(next(r.arn for r in roles if r.name == name))


def policy_attached(request: Request, _: Response) -> None:
    """A managed policy was attached to a role."""
    if is_on(request):
        given = request.parameters
        request.world.part(Propagation).begin((given["RoleName"], given["PolicyArn"]))


def _under_way(request: Request, key: str | tuple[str, str] | None) -> bool:
    return bool(key) and is_on(request) and _propagation(request).is_under_way(key or "")


def _propagation(request: Request) -> Propagation:
    return request.world.part(Propagation)


def refuse_assuming(request: Request) -> None:
    """STS does not know the role, or its new trust policy, yet."""
    role = request.parameters.get("RoleArn")
    if not _under_way(request, role):
        return
    if request.operation == "AssumeRoleWithWebIdentity":
        message = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    else:
        who = request.principal.arn if request.principal else "anonymous"
        message = f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {role}"
    raise AwsFault("AccessDenied", message, 403)


def refuse_cluster(request: Request) -> None:
    """EKS cannot assume the cluster's role yet, or does not see its policy."""
    role = str(request.parameters.get("roleArn"))
    if _under_way(request, role):
        raise refuse("InvalidParameterException", CLUSTER_ROLE_UNKNOWN.format(role=role))
    if _under_way(request, (role.rpartition("/")[2], CLUSTER_POLICY)):
        raise refuse("InvalidParameterException", CLUSTER_POLICY_MISSING)


def _refuse_role(parameter: str, message: str) -> Callable[[Request], None]:
    """Make the rule for a parameter that names a role by its ARN."""

    def rule(request: Request) -> None:
        role = request.parameters.get(parameter)
        if role and _under_way(request, role):
            words = message.format(role=role, name=role.rpartition("/")[2])
            raise refuse("InvalidParameterException", words)

    return rule


EFFECTS = {
    ("iam", "CreateRole"): role_changed,
    ("iam", "UpdateAssumeRolePolicy"): role_changed,
    ("iam", "AttachRolePolicy"): policy_attached,
}
RULES: dict[tuple[str, str], Callable[[Request], None]] = {
    ("sts", "AssumeRole"): refuse_assuming,
    ("sts", "AssumeRoleWithWebIdentity"): refuse_assuming,
    ("eks", "CreateCluster"): refuse_cluster,
    ("eks", "CreateNodegroup"): _refuse_role("nodeRole", NODE_ROLE_UNKNOWN),
    ("eks", "CreateAccessEntry"): _refuse_role("principalArn", PRINCIPAL_UNKNOWN),
    ("eks", "CreateAddon"): _refuse_role("serviceAccountRoleArn", ADDON_ROLE_UNKNOWN),
    ("eks", "UpdateAddon"): _refuse_role("serviceAccountRoleArn", ADDON_ROLE_UNKNOWN),
    ("eks", "CreatePodIdentityAssociation"): _refuse_role("roleArn", POD_ROLE_UNKNOWN),
}

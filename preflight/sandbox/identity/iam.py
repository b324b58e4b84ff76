"""IAM as the sandbox adds it to moto: who has which policies, boundaries, SCPs, AWS's own roles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from preflight.errors import SpecError
from preflight.policy import Policy
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

FULL_ACCESS = Policy.parse(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
    id="p-FullAWSAccess",
)

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
SERVICE_LINKED_ROLES = {
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "ec2scheduled.amazonaws.com": "AWSServiceRoleForEC2ScheduledInstances",
    "eks-fargate.amazonaws.com": "AWSServiceRoleForAmazonEKSForFargate",
    "eks-nodegroup.amazonaws.com": "AWSServiceRoleForAmazonEKSNodegroup",
    "eks.amazonaws.com": "AWSServiceRoleForAmazonEKS",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "guardduty.amazonaws.com": "AWSServiceRoleForAmazonGuardDuty",
    "malware-protection.guardduty.amazonaws.com": (
        "AWSServiceRoleForAmazonGuardDutyMalwareProtection"
    ),
    "route53resolver.amazonaws.com": "AWSServiceRoleForRoute53Resolver",
    "spot.amazonaws.com": "AWSServiceRoleForEC2Spot",
    "spotfleet.amazonaws.com": "AWSServiceRoleForEC2SpotFleet",
    "transitgateway.amazonaws.com": "AWSServiceRoleForVPCTransitGateway",
}
#: The services that take a CustomSuffix.
SUFFIXED = frozenset({"autoscaling.amazonaws.com"})


@dataclass(frozen=True, kw_only=True)
class Source:
    """A policy that a user, group or role has, and how it has it.

    `kind` is `inline`, `aws-managed` or `user-managed`; `holder` the user, role or group, and
    `holder_type` which of these it is.
    """

    policy: Policy
    kind: str
    name: str
    arn: str
    holder: str
    holder_type: str


class UserBoundaries:
    """Permissions boundaries of users, which moto does not keep: user ARN -> policy ARN."""

    def __init__(self, _: World) -> None:
        self.by_user: dict[str, str] = {}

    def snapshot(self) -> dict[str, str]:
        """Give the state for `GET /_sandbox/state`."""
        return dict(sorted(self.by_user.items()))


def no_such_entity(kind: str, name: str) -> AwsFault:
    """Say that IAM knows no such thing."""
    return AwsFault("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)


def entity(world: World, arn: str) -> tuple[str, Any]:
    """Find `user`, `role` or `group` by its whole ARN, path included; raises NoSuchEntity."""
    backend = world.backend("iam", "aws")
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    tables = {"user": backend.users, "role": backend.roles, "group": backend.groups}
    for one in list(tables.get(kind, {}).values()):
        if one.arn == arn:
            return kind, one
    raise no_such_entity(kind, rest.rpartition("/")[2])


def read_policy(text: str, policy_id: str) -> Policy:
    """Read a policy as moto keeps it: JSON, sometimes percent-encoded."""
    return Policy.parse(text if text.lstrip().startswith("{") else unquote(text), id=policy_id)


def policy_document(world: World, arn: str) -> Policy:
    """Read the default version of a managed policy; raises NoSuchEntity."""
    managed = world.backend("iam", "aws").managed_policies.get(arn)
    if managed is None:
        raise AwsFault("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    return _default_version(managed)


def _default_version(managed: Any) -> Policy:
    version = next(one for one in managed.versions if one.version_id == managed.default_version_id)
    return read_policy(version.document, managed.arn)


def sources(world: World, kind: str, holder: Any) -> list[Source]:
    """List what a user (with groups), role or group is granted by."""
    holders = [(kind, holder)]
    if kind == "user":
        groups = world.backend("iam", "aws").groups.values()
        holders += [("group", group) for group in list(groups) if holder in group.users]
    return [source for type_, one in holders for source in _own_sources(type_, one)]


def _own_sources(kind: str, holder: Any) -> Iterable[Source]:
    for name, document in list(holder.policies.items()):
        yield Source(
            policy=read_policy(document, f"{kind}_{holder.name}_{name}"),
            kind="inline",
            name=name,
            arn="",
            holder=holder.name,
            holder_type=kind,
        )
    for arn, managed in list(holder.managed_policies.items()):
        yield Source(
            policy=_default_version(managed),
            kind="aws-managed" if ":iam::aws:" in arn else "user-managed",
            name=managed.name,
            arn=arn,
            holder=holder.name,
            holder_type=kind,
        )


def boundary(world: World, kind: str, holder: Any) -> Policy | None:
    """Read the permissions boundary of a user or role."""
    if kind == "role":
        arn = holder.permissions_boundary_arn
    else:
        arn = world.part(UserBoundaries).by_user.get(holder.arn)
    return policy_document(world, arn) if arn else None


def scp_levels(world: World) -> list[list[Policy]]:
    """Give the levels of SCPs that bind this account: the scenario's, as one level.

    FullAWSAccess stands beside policies that only deny, as it does where AWS's default was kept;
    a policy that allows anything takes its place.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
    """
    level = [
        Policy.parse(document, id=f"p-scp{number}")
        for number, document in enumerate(world.scenario.get("scps") or (), start=1)
    ]
    if level and not any(one.allows for policy in level for one in policy.statements):
        level.insert(0, FULL_ACCESS)
    return [level] if level else []


def service_linked_role_name(service: str, suffix: str) -> str | None:
    """Name the role AWS makes for one of its services, or None for a service not in the table."""
    name = SERVICE_LINKED_ROLES.get(service)
    return f"{name}_{suffix}" if name and suffix else name


def create_service_linked_role(request: Request) -> Mapping[str, Any] | Response:
    """Make the role under AWS's own name; services not in the table go to moto."""
    service = str(request.parameters["AWSServiceName"])
    suffix = str(request.parameters.get("CustomSuffix") or "")
    name = service_linked_role_name(service, suffix)
    if name is None:
        return request.forward()
    if suffix and service not in SUFFIXED:
        raise AwsFault("InvalidInput", f"Custom suffix is not allowed for {service}", 400)
    backend = request.world.backend("iam", "aws")
    if any(role.name == name for role in backend.roles.values()):
        message = (
            f"Service role name {name} has been taken in this account, "
            "please try a different suffix."
        )
        raise AwsFault("InvalidInput", message, 400)
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    role = backend.create_role(
        name,
        json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        f"/aws-service-role/{service}/",
        permissions_boundary=None,
        description=request.parameters.get("Description") or "",
        tags=[],
        max_session_duration="3600",
        linked_service=service,
    )
    return {
        "Role": {
            "Path": role.path,
            "RoleName": role.name,
            "RoleId": role.id,
            "Arn": role.arn,
            "CreateDate": role.create_date,
            "AssumeRolePolicyDocument": role.assume_role_policy_document,
        }
    }


def put_user_boundary(request: Request) -> Mapping[str, Any]:
    """Set the permissions boundary of a user."""
    user = _user(request)
    arn = str(request.parameters["PermissionsBoundary"])
    policy_document(request.world, arn)
    request.world.part(UserBoundaries).by_user[user.arn] = arn
    return {}


def delete_user_boundary(request: Request) -> Mapping[str, Any]:
    """Take the permissions boundary of a user away."""
    request.world.part(UserBoundaries).by_user.pop(_user(request).arn, None)
    return {}


def _user(request: Request) -> Any:
    name = str(request.parameters["UserName"])
    user = request.world.backend("iam", "aws").users.get(name)
    if user is None:
        raise no_such_entity("user", name)
    return user


def keep_new_boundary(request: Request, response: Response) -> Mapping[str, Any] | None:
    """Remember the boundary a user was created with, and say so."""
    arn = request.parameters.get("PermissionsBoundary")
    if not arn:
        return None
    request.world.part(UserBoundaries).by_user[response.result["User"]["Arn"]] = str(arn)
    return show_boundary(request, response)


def show_boundary(request: Request, response: Response) -> Mapping[str, Any] | None:
    """Put a user's boundary into what AWS says of him."""
    user = response.result["User"]
    arn = request.world.part(UserBoundaries).by_user.get(user["Arn"])
    if arn is None:
        return None
    shown = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
    return {"User": {**user, "PermissionsBoundary": shown}}


def forget_boundary(request: Request, _: Response) -> None:
    """Drop what was kept for a user who is gone."""
    kept = request.world.part(UserBoundaries).by_user
    users = {user.arn for user in request.world.backend("iam", "aws").users.values()}
    for arn in set(kept) - users:
        del kept[arn]


def refuse_malformed(request: Request) -> None:
    """Refuse a policy that IAM could not read, before anybody has it."""
    for member in ("PolicyDocument", "AssumeRolePolicyDocument", "Policy"):
        text = request.parameters.get(member)
        if text:
            try:
                read_policy(str(text), member)
            except SpecError as error:
                raise AwsFault("MalformedPolicyDocument", error.message, 400) from error


OPERATIONS = {
    ("iam", "CreateServiceLinkedRole"): create_service_linked_role,
    ("iam", "DeleteUserPermissionsBoundary"): delete_user_boundary,
    ("iam", "PutUserPermissionsBoundary"): put_user_boundary,
}

EFFECTS = {
    ("iam", "CreateUser"): keep_new_boundary,
    ("iam", "DeleteUser"): forget_boundary,
    ("iam", "GetUser"): show_boundary,
}

_TAKE_POLICIES = (
    ("iam", "CreatePolicy"),
    ("iam", "CreatePolicyVersion"),
    ("iam", "CreateRole"),
    ("iam", "PutGroupPolicy"),
    ("iam", "PutRolePolicy"),
    ("iam", "PutUserPolicy"),
    ("iam", "UpdateAssumeRolePolicy"),
    ("sts", "AssumeRole"),
    ("sts", "AssumeRoleWithWebIdentity"),
    ("sts", "GetFederationToken"),
)
RULES = dict.fromkeys(_TAKE_POLICIES, refuse_malformed)

"""The cross-account role of a vendor as a plan of its own: what its Terraform module makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from preflight.errors import UsageError
from preflight.found import Owner
from preflight.least import VERSION, Least
from preflight.plan import Plan
from preflight.profile import Profile, RequiredRole
from provision.resources import iam
from provision.resources.policies import Policy
from provision.resources.roles import Role

#: What the boundary of a role is called within its plan.
BOUNDARY = "boundary"
#: What a build and a sweep need beyond the vendor's managed policies. They already fill the ten
#: that a role may have by default, so this goes into the inline policy.
BEYOND = (
    "kms:CreateKey",
    "kms:CreateAlias",
    "kms:CreateGrant",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:EnableKeyRotation",
    "kms:ListAliases",
    "kms:ListKeys",
    "kms:ListResourceTags",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "route53:AssociateVPCWithHostedZone",
    "servicequotas:Get*",
    "servicequotas:List*",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "tag:GetResources",
    "account:GetRegionOptStatus",
)


#: No cluster's name has a slash, so that nothing of a cluster ever matches a role's things.
_ROLE = "role/"


def role_owner(name: str, account: str, region: str, partition: str) -> Owner:
    """Say whose things the role called `name` is: its own, never a cluster's of the same name."""
    return Owner(cluster=_ROLE + name, account=account, region=region, partition=partition)


def role_name(owner: Owner) -> str:
    """Give the name of the role of an owner that `role_owner` made."""
    return owner.cluster.removeprefix(_ROLE)


def draw_role(
    profile: Profile,
    owner: Owner,
    external_id: str,
    trusted: tuple[str, ...] = (),
    *,
    least: Least | None = None,
    seconds: int | None = None,
    without_id: tuple[str, ...] = (),
) -> Plan:
    """Draw the role that a vendor assumes; `owner` comes from `role_owner`.

    `trusted` are principals that may assume it with the external id, too, and `without_id` those
    that may without one. With `least` it gets these policies and their boundary instead of the
    vendor's managed ones. `seconds` is the longest session, by default the vendor's. Raises
    `UsageError` for a vendor that asks for no role.
    """
    if profile.role is None:
        raise UsageError(f"{profile.title} asks for no role")
    managed = () if least else profile.role.managed_policy_arns(owner.partition)
    policies = _policies(owner, least.policies) if least else ()
    boundary = _policies(owner, {BOUNDARY: least.boundary}) if least else ()
    role = Role(
        name=role_name(owner),
        path_prefix=iam.path(owner),
        role_name=role_name(owner),
        trust=trust(profile.role, owner, external_id, trusted, without_id),
        managed=managed,
        policies=policies,
        inline={} if least else {"preflight": inline(profile.role)},
        boundary=arn_of(boundary[0], owner) if boundary else "",
        max_session=seconds or profile.role.maximum_session_seconds,
        after=boundary,
    )
    return Plan(owner=owner, resources=(*policies, *boundary, role))


def _policies(owner: Owner, documents: Mapping[str, Mapping[str, Any]]) -> tuple[Policy, ...]:
    return tuple(
        Policy(
            name=name,
            path_prefix=iam.path(owner),
            policy_name=iam.policy_name(owner, name),
            document=document,
        )
        for name, document in documents.items()
    )


def arn_of(policy: Policy, owner: Owner) -> str:
    """Give the ARN a policy will have: a boundary is named by it before anything is made."""
    place = f"arn:{owner.partition}:iam::{owner.account}:policy"
    return f"{place}{policy.path}{policy.policy_name}"


def trust(
    role: RequiredRole,
    owner: Owner,
    external_id: str,
    trusted: tuple[str, ...] = (),
    without_id: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Write who may assume the role: the vendor and `trusted` with the external id."""
    vendor = f"arn:{owner.partition}:iam::{role.trusted_account}:root"
    with_id = {
        "Effect": "Allow",
        "Principal": {"AWS": [vendor, *trusted]},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    alone = {"Effect": "Allow", "Principal": {"AWS": [*without_id]}, "Action": "sts:AssumeRole"}
    return {"Version": VERSION, "Statement": [with_id, *([alone] if without_id else [])]}


def inline(role: RequiredRole) -> dict[str, Any]:
    """Write what the vendor's managed policies lack: its own actions, and what Preflight needs."""
    return {
        "Version": VERSION,
        "Statement": [
            {"Sid": "Vendor", "Effect": "Allow", "Action": list(role.actions), "Resource": "*"},
            {"Sid": "Preflight", "Effect": "Allow", "Action": list(BEYOND), "Resource": "*"},
        ],
    }

"""The cross-account role of a vendor as a plan of its own: what its Terraform module makes."""

from __future__ import annotations

from typing import Any

from preflight.errors import UsageError
from preflight.plan import Plan
from preflight.profile import Profile, RequiredRole
from preflight.resource import Owner
from provision.resources import iam
from provision.resources.iam import Role

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


def draw_role(
    profile: Profile, owner: Owner, external_id: str, trusted: tuple[str, ...] = ()
) -> Plan:
    """Draw the role that a vendor assumes; `owner.cluster` is the role's name.

    `trusted` are principals that may assume it with the external id, too. Raises `UsageError` for
    a vendor that asks for no role.
    """
    if profile.role is None:
        raise UsageError(f"{profile.title} asks for no role")
    role = Role(
        name=owner.cluster,
        path_prefix=iam.path(owner),
        role_name=owner.cluster,
        trust=_trust(profile.role, owner, external_id, trusted),
        managed=profile.role.managed_policy_arns(owner.partition),
        inline={"preflight": inline(profile.role)},
        max_session=profile.role.maximum_session_seconds,
    )
    return Plan(owner=owner, resources=(role,))


def _trust(
    role: RequiredRole, owner: Owner, external_id: str, trusted: tuple[str, ...]
) -> dict[str, Any]:
    vendor = f"arn:{owner.partition}:iam::{role.trusted_account}:root"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [vendor, *trusted]},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ],
    }


def inline(role: RequiredRole) -> dict[str, Any]:
    """Write what the vendor's managed policies lack: its own actions, and what Preflight needs."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Vendor", "Effect": "Allow", "Action": list(role.actions), "Resource": "*"},
            {"Sid": "Preflight", "Effect": "Allow", "Action": list(BEYOND), "Resource": "*"},
        ],
    }

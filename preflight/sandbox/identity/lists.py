"""IAM's lists that moto neither pages nor filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request


def list_instance_profiles(request: Request) -> dict[str, Any]:
    """ListInstanceProfiles with PathPrefix and pages."""
    backend = request.world.backend("iam", "aws")
    prefix = request.parameters.get("PathPrefix", "/")
    profiles = [p for p in backend.instance_profiles.values() if p.path.startswith(prefix)]
    page, rest = _page(request, sorted(profiles, key=lambda profile: str(profile.name)))
    return {"InstanceProfiles": [_profile(profile) for profile in page], **rest}


def list_users(request: Request) -> dict[str, Any]:
    """ListUsers with PathPrefix and pages."""
    backend = request.world.backend("iam", "aws")
    prefix = request.parameters.get("PathPrefix", "/")
    users = [user for user in backend.users.values() if user.path.startswith(prefix)]
    page, rest = _page(request, sorted(users, key=lambda user: str(user.name)))
    rows = [
        {
            "Path": user.path,
            "UserName": user.name,
            "UserId": user.id,
            "Arn": user.arn,
            "CreateDate": user.create_date,
        }
        for user in page
    ]
    return {"Users": rows, **rest}


def _profile(profile: Any) -> dict[str, Any]:
    return {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn,
        "CreateDate": profile.create_date,
        "Roles": [
            {
                "Path": role.path,
                "RoleName": role.name,
                "RoleId": role.id,
                "Arn": role.arn,
                "CreateDate": role.create_date,
            }
            for role in profile.roles
        ],
    }


def _page(request: Request, rows: Sequence[Any]) -> tuple[Sequence[Any], dict[str, Any]]:
    """Cut one page out; IAM's pages hold 100 unless asked otherwise."""
    size = int(request.parameters.get("MaxItems") or 100)
    marker = str(request.parameters.get("Marker") or 0)
    if not marker.isdigit():
        raise AwsFault("InvalidInput", f"Invalid Marker: {marker}")
    start = int(marker)
    if start + size < len(rows):
        return rows[start : start + size], {"IsTruncated": True, "Marker": str(start + size)}
    return rows[start:], {"IsTruncated": False}


OPERATIONS = {
    ("iam", "ListInstanceProfiles"): list_instance_profiles,
    ("iam", "ListUsers"): list_users,
}

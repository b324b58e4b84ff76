"""Permissions boundaries of users, which moto does not keep.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from preflight.sandbox.identity import iam
from preflight.sandbox.request import Request, Response


def put_user_boundary(request: Request) -> Mapping[str, Any]:
    """Set the permissions boundary of a user."""
    user = _user(request)
    arn = str(request.parameters["PermissionsBoundary"])
    iam.policy_document(request.world, arn)
    request.world.part(iam.UserBoundaries).by_user[user.arn] = arn
    return {}


def delete_user_boundary(request: Request) -> Mapping[str, Any]:
    """Take the permissions boundary of a user away."""
    request.world.part(iam.UserBoundaries).by_user.pop(_user(request).arn, None)
    return {}


def _user(request: Request) -> Any:
    return iam.by_name(request.world, "user", str(request.parameters["UserName"]))


def keep_new_boundary(request: Request, response: Response) -> Mapping[str, Any] | None:
    """Remember the boundary a user was created with, and say so."""
    arn = request.parameters.get("PermissionsBoundary")
    if not arn:
        return None
    request.world.part(iam.UserBoundaries).by_user[response.result["User"]["Arn"]] = str(arn)
    return show_boundary(request, response)


def show_boundary(request: Request, response: Response) -> Mapping[str, Any] | None:
    """Put a user's boundary into what AWS says of him."""
    user = response.result["User"]
    arn = request.world.part(iam.UserBoundaries).by_user.get(user["Arn"])
    if arn is None:
        return None
    shown = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
    return {"User": {**user, "PermissionsBoundary": shown}}


def forget_boundary(request: Request, _: Response) -> None:
    """Drop what was kept for a user who is gone."""
    kept = request.world.part(iam.UserBoundaries).by_user
    users = {user.arn for user in request.world.backend("iam", "aws").users.values()}
    for arn in set(kept) - users:
        del kept[arn]


OPERATIONS = {
    ("iam", "DeleteUserPermissionsBoundary"): delete_user_boundary,
    ("iam", "PutUserPermissionsBoundary"): put_user_boundary,
}
EFFECTS = {
    ("iam", "CreateUser"): keep_new_boundary,
    ("iam", "DeleteUser"): forget_boundary,
    ("iam", "GetUser"): show_boundary,
}

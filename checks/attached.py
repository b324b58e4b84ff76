"""The policies of a user or role, read one by one: for where the simulator may not be asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from preflight.aws import Aws
from preflight.errors import AwsError, SpecError
from preflight.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Attached:
    """All identity policies of a principal, those of its groups included, and its boundary."""

    identity: tuple[Policy, ...]
    boundary: Policy | None


def read(aws: Aws, arn: str) -> Attached:
    """Read what is attached to a user or role; raises the first `AwsError`, never gives half."""
    path = arn.split(":", 5)[5]
    kind, name = path.partition("/")[0].capitalize(), path.rpartition("/")[2]
    entity = aws.call("iam", f"Get{kind}", **{f"{kind}Name": name})[kind]
    found = [*_of(aws, kind, name)]
    if kind == "User":
        for group in aws.each("iam", "ListGroupsForUser", "Groups[].GroupName", UserName=name):
            found += _of(aws, "Group", group)
    edge = (entity.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    return Attached(
        identity=tuple(found), boundary=_managed(aws, edge) if edge is not None else None
    )


def boundary_keys(aws: Aws, arn: str) -> frozenset[str] | None:
    """Name the condition keys (lower case) that the boundary of a user or role asks for.

    None where it cannot be read.
    """
    path = arn.split(":", 5)[5]
    kind, name = path.partition("/")[0].capitalize(), path.rpartition("/")[2]
    try:
        entity = aws.call("iam", f"Get{kind}", **{f"{kind}Name": name})[kind]
        edge = (entity.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
        policy = _managed(aws, edge) if edge is not None else None
    except (AwsError, SpecError):
        return None
    return frozenset(key.lower() for key in policy.keys) if policy is not None else None


def _of(aws: Aws, kind: str, name: str) -> Iterator[Policy]:
    who: dict[str, Any] = {f"{kind}Name": name}
    for title in aws.each("iam", f"List{kind}Policies", "PolicyNames", **who):
        inline = aws.call("iam", f"Get{kind}Policy", PolicyName=title, **who)
        yield Policy.parse(inline["PolicyDocument"], id=title)
    for one in aws.each("iam", f"ListAttached{kind}Policies", "AttachedPolicies", **who):
        yield _managed(aws, one["PolicyArn"])


def _managed(aws: Aws, arn: str) -> Policy:
    version = aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = aws.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
    return Policy.parse(found["PolicyVersion"]["Document"], id=arn)

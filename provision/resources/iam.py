"""Where an owner's identities are: their path, their names, their tags.

IAM is global and lists no tags, so an owner's things live under a path of their own that holds the
cluster, the Region and the name within the plan: one listing by path finds exactly them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from preflight.found import Evidence, Found, Owner, Strength
from preflight.names import POLICY, ROLE, derive
from preflight.resource import Ids, Resource


def path(owner: Owner) -> str:
    """Give the path all of an owner's roles and policies are under: `/preflight/dev--us-west-2/`.

    The Region is part of it because a cluster of another Region may have the same name.
    """
    return f"/preflight/{derive(ROLE, owner.cluster, owner.region)}/"


def role_name(owner: Owner, name: str) -> str:
    """Name the role that the plan calls `name`; role names are unique in an account."""
    return derive(ROLE, owner.cluster, f"{owner.region}-{name}")


def policy_name(owner: Owner, name: str) -> str:
    """Name the policy that the plan calls `name`; policy names are unique in an account."""
    return derive(POLICY, owner.cluster, f"{owner.region}-{name}")


def tag_list(ids: Ids, resource: Resource) -> list[dict[str, str]]:
    """Write an owner's tags as IAM takes them."""
    tags = ids.owner.tags(resource.address)
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def under_path(cls: type[Resource], owner: Owner, listed: Mapping[str, Any], name: str) -> Found:
    """Say that something listed under the path is the owner's, and which of the plan it is."""
    own = path(owner)
    return Found(
        kind=cls.kind,
        id=str(listed["Arn"]),
        region=owner.region,
        arn=str(listed["Arn"]),
        name=name,
        address=f"{cls.kind}/{str(listed['Path']).removeprefix(own).rstrip('/')}",
        cluster=owner.cluster,
        evidence=(Evidence(strength=Strength.A, text=f"path {own}"),),
        created=listed.get("CreateDate"),
    )

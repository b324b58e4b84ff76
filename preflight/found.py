"""What exists in an account, whose it is, and how that is known.

Build, tear-down and sweep speak of existing things in these words alone; what a wanted thing is
stands in `preflight.resource`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from preflight.names import EKS_CLUSTER, derive, problems
from preflight.price import Charge

CLUSTER_TAG = "preflight:cluster"
INCARNATION_TAG = "preflight:incarnation"
RESOURCE_TAG = "preflight:resource"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose things these are: one cluster of one account and Region.

    `incarnation` tells this cluster from an earlier one of the same name; empty means any.
    """

    cluster: str
    account: str
    region: str
    partition: str = "aws"
    incarnation: str = ""
    extra_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def eks_name(self) -> str:
        """The cluster's name in EKS, which allows no dots; controllers tag with this one."""
        if not problems(EKS_CLUSTER, self.cluster):
            return self.cluster  # also of clusters that others made
        return derive(EKS_CLUSTER, self.cluster)

    def tags(self, address: str) -> dict[str, str]:
        """Give the tags that every resource of this owner carries from its first moment."""
        return {
            **self.extra_tags,
            "Name": f"{self.cluster}/{address.rsplit('/', 1)[-1]}",
            CLUSTER_TAG: self.cluster,
            INCARNATION_TAG: self.incarnation,
            RESOURCE_TAG: address,
            f"kubernetes.io/cluster/{self.eks_name}": "owned",
        }


class Strength(StrEnum):
    """How well a piece of evidence ties a thing to a cluster."""

    #: The exact cluster name or identity.
    A = "A"
    #: An anchored name pattern together with a second proof.
    B = "B"
    #: Some cluster, nobody knows which.
    C = "C"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Why a thing is thought to belong to a cluster: `text` is `tag preflight:cluster=prod`."""

    strength: Strength
    text: str


class State(StrEnum):
    """How a thing that was found is doing."""

    PRESENT = "present"
    #: Somebody asked for its deletion, or AWS will remove it by itself: wait.
    GOING = "going"
    #: It asks not to be touched: shared, kept by a backup, protected.
    KEPT = "kept"


@dataclass(frozen=True, kw_only=True)
class Found:
    """Something that exists. `address` is its place in the plan, where its tags tell."""

    kind: str
    id: str
    region: str
    arn: str = ""
    name: str = ""
    address: str = ""
    cluster: str = ""
    incarnation: str = ""
    state: State = State.PRESENT
    #: Why it is GOING or KEPT, or whatever a reader should know.
    note: str = ""
    evidence: tuple[Evidence, ...] = ()
    created: datetime | None = None
    charges: tuple[Charge, ...] = ()
    #: Ids of things that cannot be deleted while this exists (a VPC, a security group).
    blocks: tuple[str, ...] = ()
    #: What `delete` needs beside the id (a bus name, a cluster name).
    detail: Mapping[str, str] = field(default_factory=dict)

    @property
    def strength(self) -> Strength:
        """The best evidence there is; none at all is as weak as C."""
        return min((piece.strength for piece in self.evidence), default=Strength.C)

    def owned(self, tags: Mapping[str, str], owner: Owner) -> Found | None:
        """Give it with all that Preflight's own tags say; None when they do not name this owner."""
        if (evidence := tagged(tags, owner)) is None:
            return None
        return replace(
            self,
            address=tags.get(RESOURCE_TAG, ""),
            cluster=owner.cluster,
            incarnation=tags.get(INCARNATION_TAG, ""),
            evidence=(evidence,),
        )


def tagged(tags: Mapping[str, str], owner: Owner) -> Evidence | None:
    """Read Preflight's own tags: evidence A when the cluster's name is exactly the owner's."""
    if tags.get(CLUSTER_TAG) != owner.cluster:
        return None
    if owner.incarnation and tags.get(INCARNATION_TAG) not in {None, "", owner.incarnation}:
        return None
    return Evidence(strength=Strength.A, text=f"tag {CLUSTER_TAG}={owner.cluster}")


def tag_map(tags: Any) -> dict[str, str]:
    """Turn AWS's tag lists (Key/Value, key/value, TagKey/TagValue) or maps into a dictionary."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    found: dict[str, str] = {}
    for tag in tags or ():
        key = tag.get("Key", tag.get("key", tag.get("TagKey", "")))
        found[key] = tag.get("Value", tag.get("value", tag.get("TagValue", "")))
    return found

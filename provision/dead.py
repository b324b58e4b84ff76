"""Which clusters are gone and may have left something: named by whatever still carries a name.

A name is a candidate only: each thing it leads to is judged by its own rule again. A name that no
cluster can have leads nowhere, because anybody may write any tag. And what many kinds of Kubernetes
write does not make an EKS cluster: one that runs its own control plane is alive without EKS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from preflight.aws import Aws
from preflight.found import CLUSTER_TAG, Owner, tag_map
from preflight.names import CLUSTER, EKS_CLUSTER, problems
from provision.resources import iam
from provision.strays import balancers
from provision.strays.evidence import NAME_KEYS, OWNERSHIP

#: Of the keys that hold a name, those that EKS and its tools alone write.
EKS_KEYS = (
    "aws:eks:cluster-name",
    "eks:cluster-name",
    "eks:eks-cluster-name",
    "alpha.eksctl.io/cluster-name",
)
#: What the paths of all of Preflight's roles begin with.
ROOT = "/preflight/"
LOG_PREFIXES = ("/aws/eks/", "/aws/containerinsights/")


@dataclass
class _Named:
    """The names met so far, by how much they prove."""

    #: In Preflight's own words, which may hold dots.
    own: set[str] = field(default_factory=set)
    eks: set[str] = field(default_factory=set)
    #: Some Kubernetes cluster, perhaps one that EKS never knew.
    any: set[str] = field(default_factory=set)
    #: Those of whom there are machines: a control plane may run on them.
    on_machines: set[str] = field(default_factory=set)

    def read(self, tags: Mapping[str, str]) -> frozenset[str]:
        """Take the names out of tags."""
        eks = {tags[key] for key in EKS_KEYS if key in tags}
        general = {tags[key] for key in NAME_KEYS if key in tags} - eks
        general |= {
            key.removeprefix(OWNERSHIP)
            for key, value in tags.items()
            if key.startswith(OWNERSHIP) and value == "owned"
        }
        own = {tags[CLUSTER_TAG]} if CLUSTER_TAG in tags else set()
        self.own |= own
        self.eks |= eks
        self.any |= general
        return frozenset(own | eks | general)

    def of_eks(self) -> Iterator[str]:
        """Give the names that clusters can have, Preflight's spelling of each first."""
        yield from sorted(name for name in self.own if not problems(CLUSTER, name))
        others = self.eks | (self.any - self.on_machines)
        yield from sorted(name for name in others | self.own if not problems(EKS_CLUSTER, name))


def owners(aws: Aws, anyone: Owner) -> tuple[Owner, ...]:
    """Name every cluster that something in this Region refers to and EKS does not know.

    The calls grow with pages, not with clusters. Raises `AwsError` where it may not look: a
    cluster that nobody could see is not one that left nothing.
    """
    alive = set(aws.each("eks", "ListClusters", "clusters"))
    met = _Named()
    _tagged(aws, met)
    _balancing(aws, met)
    met.own |= set(_indexed(aws))
    met.own |= set(_with_roles(aws, anyone))
    met.eks |= set(_logged(aws))
    dead: dict[str, Owner] = {}
    for name in met.of_eks():
        owner = replace(anyone, cluster=name, incarnation="")
        if owner.eks_name not in alive and name not in alive:
            dead.setdefault(owner.eks_name, owner)
    return tuple(sorted(dead.values(), key=lambda owner: owner.cluster))


def _tagged(aws: Aws, met: _Named) -> None:
    filters = [{"Name": "key", "Values": [CLUSTER_TAG, *NAME_KEYS, f"{OWNERSHIP}*"]}]
    for tag in aws.each("ec2", "DescribeTags", "Tags", Filters=filters, MaxResults=1000):
        names = met.read({tag["Key"]: tag["Value"]})
        if tag["ResourceType"] == "instance":
            met.on_machines |= names


def _balancing(aws: Aws, met: _Named) -> None:
    for tags in balancers.all_tags(aws):
        met.read(tags)


def _indexed(aws: Aws) -> Iterator[str]:
    """Ask the tagging index, which covers queues, keys, buckets and more; its ghosts do no harm."""
    for tags in aws.each(
        "resourcegroupstaggingapi",
        "GetResources",
        "ResourceTagMappingList[].Tags",
        TagFilters=[{"Key": CLUSTER_TAG}],
    ):
        yield tag_map(tags)[CLUSTER_TAG]


def _with_roles(aws: Aws, anyone: Owner) -> Iterator[str]:
    """Read the names out of the paths of roles; the Region in them is this one, or no name is.

    The role of a vendor has such a path too, and no cluster: it is not named as a cluster's are.
    """
    seen: set[str] = set()
    for role in aws.each("iam", "ListRoles", "Roles", PathPrefix=ROOT):
        head, _, name = role["Path"].removeprefix(ROOT).strip("/").partition("/")
        cluster, _, region = head.rpartition("--")
        if region != anyone.region or head in seen:
            continue
        if not _is_named(cluster, head, name, role, anyone):  # shortened: the tags have it whole
            tags = aws.each("iam", "ListRoleTags", "Tags", RoleName=role["RoleName"])
            cluster = tag_map(list(tags)).get(CLUSTER_TAG, "")
        if _is_named(cluster, head, name, role, anyone):
            seen.add(head)
            yield cluster


def _is_named(cluster: str, head: str, name: str, role: Mapping[str, Any], anyone: Owner) -> bool:
    owner = replace(anyone, cluster=cluster)
    named = iam.role_name(owner, name) == role["RoleName"]
    return bool(cluster) and named and iam.path(owner) == f"{ROOT}{head}/"


def _logged(aws: Aws) -> Iterator[str]:
    for prefix in LOG_PREFIXES:
        for name in aws.each(
            "logs", "DescribeLogGroups", "logGroups[].logGroupName", logGroupNamePrefix=prefix
        ):
            cluster, _, rest = name.removeprefix(prefix).partition("/")
            # Fluent Bit's default group is shared: `/aws/eks/fluentbit-cloudwatch/logs`.
            if rest == "cluster" or (rest and prefix != LOG_PREFIXES[0]):
                yield cluster

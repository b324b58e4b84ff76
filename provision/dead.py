"""Which clusters are gone and may have left something: named by whatever still carries a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from preflight.aws import Aws
from preflight.resource import CLUSTER_TAG, Owner
from provision.strays.evidence import NAME_KEYS

OWNED = "kubernetes.io/cluster/"


def owners(aws: Aws, anyone: Owner) -> tuple[Owner, ...]:
    """Name every cluster that something in this Region refers to and EKS does not know.

    One paged DescribeTags covers all of EC2, the log groups add clusters of which only logs are
    left. A cluster of which neither remains is not found this way; ask for it by name.
    """
    alive = set(aws.each("eks", "ListClusters", "clusters"))
    named: dict[str, Owner] = {}
    for name in sorted({*_tagged(aws), *_logged(aws)}):
        owner = replace(anyone, cluster=name)
        if owner.eks_name not in alive and name not in alive:
            named.setdefault(owner.eks_name, owner)
    return tuple(named.values())


def _tagged(aws: Aws) -> Iterator[str]:
    keys = [CLUSTER_TAG, *NAME_KEYS, f"{OWNED}*"]
    filters = [{"Name": "key", "Values": keys}]
    for tag in aws.each("ec2", "DescribeTags", "Tags", Filters=filters):
        if not tag["Key"].startswith(OWNED):
            yield tag["Value"]
        elif tag["Value"] == "owned":
            yield tag["Key"].removeprefix(OWNED)


def _logged(aws: Aws) -> Iterator[str]:
    groups = aws.each("logs", "DescribeLogGroups", "logGroups", logGroupNamePrefix="/aws/eks/")
    for group in groups:
        parts = group["logGroupName"].split("/")
        if len(parts) == 5 and parts[4] == "cluster":
            yield parts[3]

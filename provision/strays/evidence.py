"""What ties a thing to a cluster that Preflight did not tag: the tags of AWS and of controllers.

Every comparison is with the exact name, so that `prod` never sees what belongs to `prod-2`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from preflight.resource import CLUSTER_TAG, Evidence, Owner, State, Strength

#: Keys whose value is the cluster's name.
#: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/
#: https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
NAME_KEYS = (
    "elbv2.k8s.aws/cluster",
    "ingress.k8s.aws/cluster",
    "aws:eks:cluster-name",
    "eks:cluster-name",
    "eks:eks-cluster-name",
    "cluster.k8s.amazonaws.com/name",
    "ebs.csi.aws.com/cluster-name",
    "alpha.eksctl.io/cluster-name",
    "karpenter.k8s.aws/cluster",
    "KubernetesCluster",
)
#: Keys that prove some Kubernetes cluster and do not say which one.
ANY_CLUSTER_KEYS = ("ebs.csi.aws.com/cluster", "efs.csi.aws.com/cluster", "CSIVolumeName")


def ownership_key(cluster: str) -> str:
    """Give the key whose value is `owned` or `shared`."""
    return f"kubernetes.io/cluster/{cluster}"


def keys(owner: Owner) -> list[str]:
    """Name every tag key that can tie a thing to this cluster."""
    return [ownership_key(owner.eks_name), *NAME_KEYS, *ANY_CLUSTER_KEYS]


def tag_key_filter(owner: Owner) -> list[dict[str, Any]]:
    """Write the EC2 filter for anything that carries one of the keys."""
    return [{"Name": "tag-key", "Values": keys(owner)}]


def is_planned(tags: Mapping[str, str]) -> bool:
    """Say whether Preflight made it: then its own kind finds it, not a stray kind."""
    return CLUSTER_TAG in tags


def of_tags(tags: Mapping[str, str], owner: Owner) -> tuple[Evidence, ...]:
    """Weigh the tags: A for the exact name, C for "some cluster", nothing for another cluster."""
    found = [
        Evidence(strength=Strength.A, text=f"tag {key}={tags[key]}")
        for key in NAME_KEYS
        if tags.get(key) == owner.eks_name
    ]
    key = ownership_key(owner.eks_name)
    if key in tags:
        found.append(Evidence(strength=Strength.A, text=f"tag {key}={tags[key]}"))
    if found or names_another(tags, owner):
        return tuple(found)
    return tuple(
        Evidence(strength=Strength.C, text=f"tag {key}={tags[key]}: some cluster, not which one")
        for key in ANY_CLUSTER_KEYS
        if key in tags
    )


def names_another(tags: Mapping[str, str], owner: Owner) -> bool:
    """Say whether the tags name another cluster."""
    if any(tags.get(key, owner.eks_name) != owner.eks_name for key in NAME_KEYS):
        return True
    mine = ownership_key(owner.eks_name)
    return any(key.startswith("kubernetes.io/cluster/") and key != mine for key in tags)


def state_of_tags(tags: Mapping[str, str], owner: Owner) -> State:
    """`shared` means that others use it: it is never a leftover."""
    if tags.get(ownership_key(owner.eks_name)) == "shared":
        return State.KEPT
    return State.PRESENT


def backend_group_name(cluster: str) -> str:
    """Compute the name of the group that the load balancer controller shares between backends.

    Taken from its networking/backend_sg_provider.go: letters and digits of the name, then ten hex
    digits of its SHA-256.
    """
    plain = re.sub(r"[^a-zA-Z0-9]", "", cluster)
    return f"k8s-traffic-{plain}-{hashlib.sha256(cluster.encode()).hexdigest()[:10]}"

"""What ties a thing to a cluster that Preflight did not tag: the tags of AWS and of controllers.

Every comparison is with the exact name, so that `prod` never sees what belongs to `prod-2`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from preflight.found import CLUSTER_TAG, Evidence, Owner, State, Strength, tagged

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
ANY_CLUSTER_KEYS = (
    "ebs.csi.aws.com/cluster",
    "ebs.csi.eks.amazonaws.com/cluster",
    "efs.csi.aws.com/cluster",
    "CSIVolumeName",
)
#: Puts a thing under the hand of a stack, which is to be deleted instead.
STACK_KEY = "aws:cloudformation:stack-name"
#: AWS Backup refuses to let others delete what it keeps.
BACKUP_KEY = "aws:backup:source-resource"
OWNERSHIP = "kubernetes.io/cluster/"
CLAIMS = ("owned", "shared")


def ownership_key(cluster: str) -> str:
    """Give the key whose value is `owned` or `shared`."""
    return f"{OWNERSHIP}{cluster}"


def keys(owner: Owner) -> list[str]:
    """Name every tag key that can tie a thing to this cluster."""
    return [CLUSTER_TAG, ownership_key(owner.eks_name), *NAME_KEYS, *ANY_CLUSTER_KEYS]


def tag_key_filter(owner: Owner) -> list[dict[str, Any]]:
    """Write the EC2 filter for anything that carries one of the keys."""
    return [{"Name": "tag-key", "Values": keys(owner)}]


def is_planned(tags: Mapping[str, str]) -> bool:
    """Say whether Preflight tagged it: kinds that plans have are then found by their own rule."""
    return CLUSTER_TAG in tags


def of_tags(tags: Mapping[str, str], owner: Owner) -> tuple[Evidence, ...]:
    """Weigh the tags: A for the exact name, C for "some cluster", nothing for another cluster."""
    own = tagged(tags, owner)
    mine = [key for key in NAME_KEYS if tags.get(key) == owner.eks_name]
    # Any other value claims nothing; `standing` still heeds it where something else is proof.
    mine += [key for key in (ownership_key(owner.eks_name),) if tags.get(key) in CLAIMS]
    found = tuple(Evidence(strength=Strength.A, text=f"tag {key}={tags[key]}") for key in mine)
    if own is not None or found or names_another(tags, owner):
        return found if own is None else (own, *found)
    return tuple(
        Evidence(strength=Strength.C, text=f"tag {key}={tags[key]}: some cluster, not which one")
        for key in ANY_CLUSTER_KEYS
        if key in tags
    )


def names_another(tags: Mapping[str, str], owner: Owner) -> bool:
    """Say whether the tags name another cluster, be it beside this one."""
    if tags.get(CLUSTER_TAG, owner.cluster) != owner.cluster:
        return True
    if any(tags.get(key, owner.eks_name) != owner.eks_name for key in NAME_KEYS):
        return True
    mine = ownership_key(owner.eks_name)
    return any(key.startswith(OWNERSHIP) and key != mine for key in tags)


def standing(tags: Mapping[str, str], owner: Owner) -> tuple[State, str]:
    """Say whether the tags leave a thing to this cluster alone, and what a reader should know.

    What others use or keep is never a leftover: `shared`, anything but `owned`, a second cluster.
    https://github.com/kubernetes/cloud-provider-aws/blob/master/pkg/providers/v1/tags.go
    """
    claim = tags.get(ownership_key(owner.eks_name), "owned")
    if claim != "owned":
        note = "shared with others" if claim == "shared" else "its tag does not say `owned`"
        return State.KEPT, note
    if names_another(tags, owner):
        return State.KEPT, "its tags name another cluster too"
    if BACKUP_KEY in tags:
        return State.KEPT, "AWS Backup keeps it"
    if STACK_KEY in tags:
        return State.PRESENT, f"made by the CloudFormation stack {tags[STACK_KEY]}: delete that"
    return State.PRESENT, ""


def backend_group_name(cluster: str) -> str:
    """Compute the name of the group that the load balancer controller shares between backends.

    Taken from its networking/backend_sg_provider.go: letters and digits of the name, then ten hex
    digits of its SHA-256.
    """
    plain = re.sub(r"[^a-zA-Z0-9]", "", cluster)
    return f"k8s-traffic-{plain}-{hashlib.sha256(cluster.encode()).hexdigest()[:10]}"

"""The quotas of EKS: clusters of a Region, node groups of a cluster, nodes of a group.

https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
"""

from __future__ import annotations

from preflight.sandbox.eks.state import eks
from preflight.sandbox.quotas.ceilings import Ceiling
from preflight.sandbox.request import Request

EXCEEDED = "ResourceLimitExceededException"


def _clusters(request: Request) -> int:
    return len(eks(request).in_region(request.region))


def _nodegroups(request: Request) -> int:
    name = request.parameters.get("clusterName", "")
    cluster = eks(request).clusters.get((request.region, name))
    return len(cluster.nodegroups) if cluster else 0


def _nodes(request: Request) -> int:
    return int((request.parameters.get("scalingConfig") or {}).get("maxSize") or 0)


CLUSTERS = Ceiling(
    quota=("eks", "L-1194D53C"),
    used=_clusters,
    code=EXCEEDED,
    message="You have reached the limit of {limit} clusters in this Region.",
)
NODEGROUPS = Ceiling(
    quota=("eks", "L-6D54EA21"),
    used=_nodegroups,
    code=EXCEEDED,
    message="You have reached the limit of {limit} node groups per cluster.",
)
NODES = Ceiling(
    quota=("eks", "L-BD136A63"),
    used=lambda _: 0,
    added=_nodes,
    code=EXCEEDED,
    message="The limit of {limit} nodes per node group would be exceeded.",
)


def refuse_nodegroup(request: Request) -> None:
    """A node group within the quotas of its cluster and its own."""
    NODEGROUPS(request)
    NODES(request)


RULES = {
    ("eks", "CreateCluster"): CLUSTERS,
    ("eks", "CreateNodegroup"): refuse_nodegroup,
    ("eks", "UpdateNodegroupConfig"): NODES,
}

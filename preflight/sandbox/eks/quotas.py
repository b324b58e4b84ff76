"""The quotas of EKS: clusters of a Region, node groups of a cluster, nodes of a group.

https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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


def _of_network(name: str) -> Callable[[Request], int]:
    return lambda r: len((r.parameters.get("resourcesVpcConfig") or {}).get(name) or ())


# EKS does not document the error of these two; it is the one of its other limits here.
CONTROL_PLANE_GROUPS = Ceiling(
    quota=("eks", "L-11427A54"),
    used=lambda _: 0,
    added=_of_network("securityGroupIds"),
    code=EXCEEDED,
    message="You can specify up to {limit} security groups for the control plane.",
)
PUBLIC_RANGES = Ceiling(
    quota=("eks", "L-93A74D60"),
    used=lambda _: 0,
    added=_of_network("publicAccessCidrs"),
    code=EXCEEDED,
    message="You can specify up to {limit} ranges for public access.",
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


# What changes a cluster or a group does not know that error.
_CHANGED = tuple(
    replace(ceiling, code="InvalidParameterException")
    for ceiling in (NODES, CONTROL_PLANE_GROUPS, PUBLIC_RANGES)
)


def refuse_nodegroup(request: Request) -> None:
    """A node group within the quotas of its cluster and its own."""
    NODEGROUPS(request)
    NODES(request)


def refuse_cluster(request: Request) -> None:
    """A cluster within the quotas of the Region and its own."""
    for ceiling in (CLUSTERS, CONTROL_PLANE_GROUPS, PUBLIC_RANGES):
        ceiling(request)


def refuse_change(request: Request) -> None:
    """Not more nodes, groups or ranges than there may be."""
    for ceiling in _CHANGED:
        ceiling(request)


RULES = {
    ("eks", "CreateCluster"): refuse_cluster,
    ("eks", "CreateNodegroup"): refuse_nodegroup,
    ("eks", "UpdateClusterConfig"): refuse_change,
    ("eks", "UpdateNodegroupConfig"): refuse_change,
}

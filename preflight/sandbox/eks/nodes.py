"""Managed node groups: their life, their changes, and what keeps them from being healthy."""

from __future__ import annotations

import uuid
import zlib
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.eks import node_health
from preflight.sandbox.eks.entries import access_entry
from preflight.sandbox.eks.fleet import drop_fleet, drop_remote_access, make_fleet, pinned
from preflight.sandbox.eks.node_rules import check
from preflight.sandbox.eks.state import (
    Cluster,
    Nodegroup,
    Shape,
    arn,
    cluster_of,
    must_be_active,
    now,
    once,
    page,
    refuse,
)
from preflight.sandbox.request import Request
from preflight.sandbox.world import World

FLEET_SECONDS, EMPTY_SECONDS = 20.0, 58.0
DELETING_SECONDS, DELETING_EMPTY_SECONDS = 380.0, 80.0
#: EKS tries for long before it says CREATE_FAILED.
GIVE_UP_SECONDS = 1200.0
AS_GIVEN = (
    "instanceTypes",
    "diskSize",
    "remoteAccess",
    "labels",
    "taints",
    "nodeRepairConfig",
    "warmPoolConfig",
)


def creating_seconds(group: Nodegroup) -> float:
    """Tell how long a group takes to become ACTIVE: by its size and kind, and always the same."""
    if group.shape["scalingConfig"]["desiredSize"] == 0:
        return EMPTY_SECONDS
    spread = zlib.crc32(group.shape["nodegroupName"].encode())
    if any(marker in group.shape["amiType"] for marker in ("NVIDIA", "GPU")):
        return 180.0 + spread % 61
    return 110.0 + spread % 91


def group_of(request: Request) -> tuple[Cluster, Nodegroup]:
    """Find the cluster and the node group a request speaks of."""
    cluster, name = cluster_of(request), request.parameters["nodegroupName"]
    if name not in cluster.nodegroups:
        message = f"No node group found for name: {name}."
        raise refuse(
            "ResourceNotFoundException", message, clusterName=cluster.name, nodegroupName=name
        )
    return cluster, cluster.nodegroups[name]


def create_nodegroup(request: Request) -> Shape:
    """CreateNodegroup."""

    def create() -> Any:
        cluster, name = cluster_of(request), request.parameters["nodegroupName"]
        must_be_active(cluster)
        contents = check(request, cluster)
        unique = str(uuid.uuid4())
        group = Nodegroup(
            _shape(request, cluster, contents, unique), f"eks-{name}-{unique}", f"eks-{unique}"
        )
        group.is_unlimited = request.is_privileged
        cluster.nodegroups[name] = group
        _admit_nodes(request, cluster, group)
        plan = agenda(request.world)
        plan.after(FLEET_SECONDS, partial(_fleet_ready, request.world, cluster, group))
        plan.after(creating_seconds(group), partial(_ready, request.world, group))
        return lambda: (
            {"nodegroup": described(request.world, cluster, group)}
            if cluster.nodegroups.get(name) is group
            else None
        )

    return once(request, create)


def _shape(request: Request, cluster: Cluster, contents: Shape, unique: str) -> Shape:
    given, template = request.parameters, None
    name, version = given["nodegroupName"], given.get("version") or cluster.shape["version"]
    if given.get("launchTemplate"):
        ec2 = request.world.backend("ec2", request.region)
        template = pinned(ec2, given["launchTemplate"])
    ami = "CUSTOM" if "ImageId" in contents else given.get("amiType") or "AL2023_x86_64_STANDARD"
    shape = {
        "nodegroupName": name,
        "nodegroupArn": arn(request, f"nodegroup/{cluster.name}/{name}/{unique}"),
        "clusterName": cluster.name,
        "version": version,
        "releaseVersion": given.get("releaseVersion") or f"{version}.0-20260415",
        "createdAt": now(request),
        "modifiedAt": now(request),
        "status": "CREATING",
        "capacityType": given.get("capacityType") or "ON_DEMAND",
        "scalingConfig": {
            "minSize": 1,
            "maxSize": 2,
            "desiredSize": 2,
            **(given.get("scalingConfig") or {}),
        },
        "subnets": list(given["subnets"]),
        "amiType": ami,
        "nodeRole": given["nodeRole"],
        "updateConfig": given.get("updateConfig") or {"maxUnavailable": 1},
        "tags": dict(given.get("tags") or {}),
        **({"launchTemplate": template} if template else {}),
        **{key: given[key] for key in AS_GIVEN if given.get(key)},
    }
    if "InstanceType" not in contents:
        shape.setdefault("instanceTypes", ["t3.medium"])
    if not template:
        shape.setdefault("diskSize", 20)
    return shape


def _admit_nodes(request: Request, cluster: Cluster, group: Nodegroup) -> None:
    """Give the node role an access entry, where entries are in use."""
    role = group.shape["nodeRole"]
    mode = cluster.shape["accessConfig"]["authenticationMode"]
    if mode != "CONFIG_MAP" and role not in cluster.access_entries:
        username = "system:node:{{EC2PrivateDNSName}}"
        access_entry(request, cluster, role, {"type": "EC2_LINUX", "username": username})


def _fleet_ready(world: World, cluster: Cluster, group: Nodegroup) -> None:
    if group.shape["status"] == "CREATING":
        make_fleet(world, cluster, group)


def _ready(world: World, group: Nodegroup) -> None:
    if group.shape["status"] != "CREATING":
        return
    if group.shortage:
        agenda(world).after(GIVE_UP_SECONDS, partial(_failed, group))
        return
    group.shape["status"] = "ACTIVE"
    group.active_since = agenda(world).seconds()


def _failed(group: Nodegroup) -> None:
    if group.shape["status"] == "CREATING":
        group.shape["status"] = "CREATE_FAILED"


def described(world: World, cluster: Cluster, group: Nodegroup) -> Shape:
    """Describe a node group as it is now: DEGRADED when something it needs is gone."""
    status, issues = group.shape["status"], [group.shortage] if group.shortage else []
    if status == "ACTIVE":
        issues += node_health.issues(world, cluster, group)
        status = "DEGRADED" if issues else status
    if status == "DELETE_FAILED" and group.failure:
        issues = [group.failure]
    return {**group.shape, "status": status, "health": {"issues": issues}}


def describe_nodegroup(request: Request) -> Shape:
    """DescribeNodegroup."""
    return {"nodegroup": described(request.world, *group_of(request))}


def list_nodegroups(request: Request) -> Shape:
    """ListNodegroups."""
    return page(request, "nodegroups", sorted(cluster_of(request).nodegroups))


def delete_nodegroup(request: Request) -> Shape:
    """DeleteNodegroup: drains, terminates, and is gone some minutes later; may be asked again."""
    cluster, group = group_of(request)
    if group.shape["status"] == "UPDATING":
        message = f"Nodegroup {group.shape['nodegroupName']} currently has an update in progress"
        raise refuse("ResourceInUseException", message, clusterName=cluster.name)
    if group.shape["status"] != "DELETING":
        group.shape["status"], group.failure = "DELETING", None
        is_empty = group.shape["scalingConfig"]["desiredSize"] == 0
        seconds = DELETING_EMPTY_SECONDS if is_empty else DELETING_SECONDS
        plan = agenda(request.world)
        plan.after(seconds - FLEET_SECONDS, partial(_end_fleet, request.world, cluster, group))
        plan.after(seconds, partial(_end, request.world, cluster, group))
    return {"nodegroup": described(request.world, cluster, group)}


def _end_fleet(world: World, cluster: Cluster, group: Nodegroup) -> None:
    node_health.leak_interfaces(world, cluster, group)
    drop_fleet(world, cluster, group)


def _end(world: World, cluster: Cluster, group: Nodegroup) -> None:
    group.failure = node_health.deletion_issue(world, cluster, group)
    if group.failure is not None:
        group.shape["status"] = "DELETE_FAILED"
        return
    drop_remote_access(world, cluster, group)
    cluster.nodegroups.pop(group.shape["nodegroupName"], None)


OPERATIONS = {
    ("eks", "CreateNodegroup"): create_nodegroup,
    ("eks", "DescribeNodegroup"): describe_nodegroup,
    ("eks", "ListNodegroups"): list_nodegroups,
    ("eks", "DeleteNodegroup"): delete_nodegroup,
}

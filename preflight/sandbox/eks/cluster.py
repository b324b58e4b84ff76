"""The life of a control plane: made in ten minutes, gone in three, checked as EKS checks it."""

from __future__ import annotations

import base64
import re
import secrets
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.eks import health, versions
from preflight.sandbox.eks.entries import admit_creator
from preflight.sandbox.eks.network import (
    check_network,
    deliver_logs,
    drop_network,
    make_network,
)
from preflight.sandbox.eks.roles import check_role
from preflight.sandbox.eks.state import (
    Cluster,
    Eks,
    Shape,
    arn,
    cluster_of,
    eks,
    now,
    once,
    page,
    refuse,
)
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.request import Request
from preflight.sandbox.services import guardduty
from preflight.sandbox.world import World

NETWORK_SECONDS, CREATING_SECONDS, DELETING_SECONDS = 30.0, 590.0, 150.0
LATE_LOGS_SECONDS = 240.0
#: A fault with this action (and `delay_ms`, virtual here) brings the log group back once, late.
REVIVE_LOG_GROUP = "sandbox:ReviveLogGroup"
NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
# Settings that are answered as they were given.
AS_GIVEN = (
    "zonalShiftConfig",
    "remoteNetworkConfig",
    "computeConfig",
    "storageConfig",
    "controlPlaneScalingConfig",
    "encryptionConfig",
)


def create_cluster(request: Request) -> Shape:
    """CreateCluster."""

    def create() -> Any:
        name = request.parameters["name"]
        _check(request, name)
        vpc_id = check_network(request, request.parameters["resourcesVpcConfig"])
        version = versions.choose(request, request.parameters.get("version"))
        incarnation = secrets.token_hex(16).upper()
        cluster = Cluster(
            region=request.region,
            shape=_shape(request, version, vpc_id),
            incarnation=incarnation,
            later=_later(request.region, incarnation),
        )
        eks(request).clusters[request.region, name] = cluster
        admit_creator(request, cluster)
        plan = agenda(request.world)
        plan.after(NETWORK_SECONDS, partial(_network_ready, request.world, cluster))
        plan.after(CREATING_SECONDS, partial(_ready, request.world, cluster))
        return lambda: (
            {"cluster": _described(request.world, cluster)}
            if _lives(request.world, cluster)
            else None
        )

    return once(request, create)


def _check(request: Request, name: str) -> None:
    if not NAME.fullmatch(name):
        message = (
            f"Value '{name}' at 'name' failed to satisfy constraint: Member must satisfy regular"
            r" expression pattern: ^[0-9A-Za-z][A-Za-z0-9\-_]*$ and have at most 100 characters"
        )
        raise refuse("InvalidParameterException", message)
    if (request.region, name) in eks(request).clusters:
        message = f"Cluster already exists with name: {name}"
        raise refuse("ResourceInUseException", message, clusterName=name)
    check_role(request, request.parameters["roleArn"], "eks.amazonaws.com")
    for config in request.parameters.get("encryptionConfig") or []:
        _check_key(request, config.get("provider", {}).get("keyArn", ""))


def _check_key(request: Request, key_arn: str) -> None:
    keys = request.world.backend("kms", request.region).keys.values()
    if not any(key.arn == key_arn and key.key_state == "Enabled" for key in keys):
        message = f"The keyArn in encryptionConfig provider is invalid or not enabled: {key_arn}"
        raise refuse("InvalidParameterException", message)


def _shape(request: Request, version: Shape, vpc_id: str) -> Shape:
    given = request.parameters
    name, network = given["name"], given["resourcesVpcConfig"]
    access = given.get("accessConfig") or {}
    shape = {
        "name": name,
        "arn": arn(request, f"cluster/{name}"),
        "createdAt": now(request),
        "version": version["clusterVersion"],
        "platformVersion": version["defaultPlatformVersion"],
        "roleArn": given["roleArn"],
        "resourcesVpcConfig": {
            "subnetIds": list(network["subnetIds"]),
            "securityGroupIds": list(network.get("securityGroupIds") or []),
            "vpcId": vpc_id,
            "endpointPublicAccess": network.get("endpointPublicAccess", True),
            "endpointPrivateAccess": network.get("endpointPrivateAccess", False),
            "publicAccessCidrs": list(network.get("publicAccessCidrs") or ["0.0.0.0/0"]),
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": "172.20.0.0/16",
            "ipFamily": "ipv4",
            "elasticLoadBalancing": {"enabled": False},
            **(given.get("kubernetesNetworkConfig") or {}),
        },
        "logging": _logging(given.get("logging")),
        "status": "CREATING",
        "tags": dict(given.get("tags") or {}),
        "health": {"issues": []},
        "accessConfig": {
            "authenticationMode": access.get("authenticationMode", "CONFIG_MAP"),
            "bootstrapClusterCreatorAdminPermissions": access.get(
                "bootstrapClusterCreatorAdminPermissions", True
            ),
        },
        "upgradePolicy": given.get("upgradePolicy") or {"supportType": "EXTENDED"},
        "deletionProtection": bool(given.get("deletionProtection")),
    }
    return shape | {key: given[key] for key in AS_GIVEN if given.get(key)}


def _logging(given: Shape | None) -> Shape:
    """Name every log type once, as enabled or not."""
    enabled = {
        kind
        for one in (given or {}).get("clusterLogging") or []
        if one.get("enabled")
        for kind in one.get("types") or []
    }
    sides = (
        (True, [t for t in LOG_TYPES if t in enabled]),
        (False, [t for t in LOG_TYPES if t not in enabled]),
    )
    return {"clusterLogging": [{"types": t, "enabled": on} for on, t in sides if t]}


def _later(region: str, incarnation: str) -> Shape:
    certificate = base64.b64encode(f"certificate of {incarnation}".encode()).decode()
    return {
        "endpoint": f"https://{incarnation}.gr7.{region}.eks.amazonaws.com",
        "certificateAuthority": {"data": certificate},
        "identity": {
            "oidc": {"issuer": f"https://oidc.eks.{region}.amazonaws.com/id/{incarnation}"}
        },
    }


def _lives(world: World, cluster: Cluster) -> bool:
    return world.part(Eks).clusters.get((cluster.region, cluster.name)) is cluster


def _network_ready(world: World, cluster: Cluster) -> None:
    if _lives(world, cluster) and cluster.status == "CREATING":
        make_network(world, cluster)


def _ready(world: World, cluster: Cluster) -> None:
    if not _lives(world, cluster) or cluster.status != "CREATING":
        return
    failure = health.told(world, health.CLUSTER_FAILURE, cluster.region, cluster.name)
    if failure is not None:
        cluster.shape.update(status="FAILED", health={"issues": [failure]})
        return
    cluster.shape["status"] = "ACTIVE"
    guardduty.look(world, cluster.region)
    if cluster.logs:
        deliver_logs(world, cluster.region, cluster.name)


def _described(world: World, cluster: Cluster) -> Shape:
    is_up = cluster.status in ("ACTIVE", "UPDATING")
    issues = {"issues": health.of_cluster(world, cluster)}
    return {**cluster.shape, "health": issues, **(cluster.later if is_up else {})}


def describe_cluster(request: Request) -> Shape:
    """DescribeCluster."""
    return {"cluster": _described(request.world, cluster_of(request))}


def list_clusters(request: Request) -> Shape:
    """ListClusters."""
    return page(request, "clusters", [one.name for one in eks(request).in_region(request.region)])


def delete_cluster(request: Request) -> Shape:
    """DeleteCluster; protection holds for an ACTIVE cluster only.

    https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html
    """
    cluster = cluster_of(request)
    if cluster.nodegroups:
        message = "Cluster has nodegroups attached"
        raise refuse("ResourceInUseException", message, clusterName=cluster.name)
    if cluster.status == "UPDATING":
        message = (
            f"Cannot delete because cluster {cluster.name} currently has an update in progress"
        )
        raise refuse("ResourceInUseException", message, clusterName=cluster.name)
    if cluster.status == "ACTIVE" and cluster.shape["deletionProtection"]:
        message = f"Cluster {cluster.name} has deletion protection enabled and cannot be deleted"
        raise refuse("InvalidRequestException", message, clusterName=cluster.name)
    if cluster.status != "DELETING":
        cluster.shape["status"] = "DELETING"
        agenda(request.world).after(DELETING_SECONDS, partial(_gone, request.world, cluster))
    return {"cluster": _described(request.world, cluster)}


def _gone(world: World, cluster: Cluster) -> None:
    drop_network(world, cluster)
    del world.part(Eks).clusters[cluster.region, cluster.name]
    delay = _late_logs(world, cluster)
    if delay is not None:
        deliver = partial(deliver_logs, world, cluster.region, cluster.name)
        agenda(world).after(delay, deliver)


def _late_logs(world: World, cluster: Cluster) -> float | None:
    """Tell how late the last logs come, when somebody asked for such logs."""
    for rule in world.part(Faults)._rules:  # noqa: SLF001 - there is no other list of them
        if rule.action == REVIVE_LOG_GROUP and rule.region in (None, cluster.region):
            return rule.delay_ms / 1000 or LATE_LOGS_SECONDS
    return None


OPERATIONS = {
    ("eks", "CreateCluster"): create_cluster,
    ("eks", "DescribeCluster"): describe_cluster,
    ("eks", "ListClusters"): list_clusters,
    ("eks", "DeleteCluster"): delete_cluster,
}

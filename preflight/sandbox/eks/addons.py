"""EKS add-ons: those that need nodes are DEGRADED until there are some."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.eks import health
from preflight.sandbox.eks.addon_versions import CATALOGUE, version_for
from preflight.sandbox.eks.pod_identity import associate
from preflight.sandbox.eks.roles import ADDON_ROLE_UNKNOWN
from preflight.sandbox.eks.state import (
    Addon,
    Cluster,
    Shape,
    cluster_of,
    find_role,
    must_be_active,
    once,
    page,
    refuse,
)
from preflight.sandbox.eks.updates import new_update
from preflight.sandbox.request import Request
from preflight.sandbox.world import World

UPDATING_SECONDS, DELETING_SECONDS = 30.0, 20.0
#: Having nodes is not enough: their pods have to start.
AFTER_NODES_SECONDS = 15.0
UNDER_WAY = frozenset({"CREATING", "UPDATING", "DELETING"})


def _known(cluster: Cluster, name: str, version: str | None) -> str:
    if name not in CATALOGUE:
        message = f"Addon {name} specified is not supported in {cluster.shape['version']} version"
        raise refuse("InvalidParameterException", message, clusterName=cluster.name)
    offered = version_for(name, cluster.shape["version"])
    if version not in (None, offered):
        message = f"Addon version specified is not supported: {version}"
        raise refuse("InvalidParameterException", message, clusterName=cluster.name)
    return offered


def _addon(request: Request) -> tuple[Cluster, Addon]:
    cluster, name = cluster_of(request), request.parameters["addonName"]
    if name not in cluster.addons:
        message = f"No addon: {name} found in cluster: {cluster.name}"
        raise refuse("ResourceNotFoundException", message, clusterName=cluster.name, addonName=name)
    return cluster, cluster.addons[name]


def _first_nodes(cluster: Cluster) -> float | None:
    """Tell since when the cluster has nodes, in virtual seconds."""
    since = [
        group.active_since
        for group in cluster.nodegroups.values()
        if group.active_since is not None and group.shape["scalingConfig"]["desiredSize"] > 0
    ]
    return min(since, default=None)


def described(world: World, cluster: Cluster, addon: Addon) -> Shape:
    """Describe an add-on as it is now: CREATING, then DEGRADED or ACTIVE as there are nodes."""
    _, _, seconds, needs_nodes = CATALOGUE[addon.shape["addonName"]]
    status, age = addon.busy, agenda(world).seconds() - addon.since
    issues: list[Shape] = [addon.failure] if addon.failure and "FAILED" in status else []
    if status == "CREATING" and age >= seconds:
        status, issues = ("CREATE_FAILED", [addon.failure]) if addon.failure else ("ACTIVE", [])
    if status == "ACTIVE":
        issues = health.standing(world, health.ADDON_HEALTH, cluster.region)
        nodes = _first_nodes(cluster)
        if needs_nodes and (nodes is None or agenda(world).seconds() < nodes + AFTER_NODES_SECONDS):
            message = (
                "The add-on is unhealthy because it doesn't have the desired number of replicas."
            )
            issues.append(health.issue("InsufficientNumberOfReplicas", message))
        status = "DEGRADED" if issues else status
    return {**addon.shape, "status": status, "health": {"issues": issues}}


def create_addon(request: Request) -> Shape:
    """CreateAddon."""

    def create() -> Any:
        cluster, given = cluster_of(request), request.parameters
        must_be_active(cluster, also=("UPDATING",))
        name = given["addonName"]
        version = _known(cluster, name, given.get("addonVersion"))
        if name in cluster.addons:
            message = f"Addon already exists: {name}"
            raise refuse("ResourceInUseException", message, clusterName=cluster.name)
        addon = Addon(_shape(request, cluster, version), agenda(request.world).seconds())
        addon.failure = health.told(request.world, health.ADDON_FAILURE, request.region)
        _give_roles(request, cluster, addon)
        cluster.addons[name] = addon
        return lambda: (
            {"addon": described(request.world, cluster, addon)}
            if cluster.addons.get(name) is addon
            else None
        )

    return once(request, create)


def _shape(request: Request, cluster: Cluster, version: str) -> Shape:
    given = request.parameters
    name, role = given["addonName"], given.get("serviceAccountRoleArn")
    if role and find_role(request, role) is None:
        message = ADDON_ROLE_UNKNOWN.format(role=role)
        raise refuse("InvalidParameterException", message, clusterName=cluster.name)
    values = given.get("configurationValues")
    return {
        **_plain(request.world, cluster, name, version),
        "tags": dict(given.get("tags") or {}),
        **({"serviceAccountRoleArn": role} if role else {}),
        **({"configurationValues": values} if values else {}),
    }


def _plain(world: World, cluster: Cluster, name: str, version: str) -> Shape:
    path = f"addon/{cluster.name}/{name}/{uuid.uuid4()}"
    return {
        "addonName": name,
        "clusterName": cluster.name,
        "addonVersion": version,
        "addonArn": f"arn:aws:eks:{cluster.region}:{world.account}:{path}",
        "createdAt": agenda(world).now(),
        "modifiedAt": agenda(world).now(),
        "tags": {},
        "publisher": "eks",
        "owner": "aws",
    }


def install(world: World, cluster: Cluster, name: str) -> None:
    """Put an add-on into a cluster as a service of AWS's does, unless it is there."""
    if name not in cluster.addons:
        version = version_for(name, cluster.shape["version"])
        shape = _plain(world, cluster, name, version)
        cluster.addons[name] = Addon(shape, agenda(world).seconds())


def _give_roles(request: Request, cluster: Cluster, addon: Addon) -> None:
    """Make the pod identity associations an add-on brings with it."""
    wanted = request.parameters.get("podIdentityAssociations") or []
    owner = addon.shape["addonArn"]
    made = [
        associate(request, cluster, {"namespace": "kube-system", **one}, owner) for one in wanted
    ]
    if made:
        addon.shape["podIdentityAssociations"] = [one["associationArn"] for one in made]


def describe_addon(request: Request) -> Shape:
    """DescribeAddon."""
    return {"addon": described(request.world, *_addon(request))}


def list_addons(request: Request) -> Shape:
    """ListAddons."""
    return page(request, "addons", sorted(cluster_of(request).addons))


def update_addon(request: Request) -> Shape:
    """UpdateAddon."""

    def create() -> Any:
        cluster, addon = _addon(request)
        if described(request.world, cluster, addon)["status"] in UNDER_WAY:
            message = f"Addon {addon.shape['addonName']} currently has an update in progress"
            raise refuse("ResourceInUseException", message, clusterName=cluster.name)
        given, keys = request.parameters, ("serviceAccountRoleArn", "configurationValues")
        change = {key: given[key] for key in keys if given.get(key) is not None}
        version = given.get("addonVersion")
        change["addonVersion"] = _known(cluster, addon.shape["addonName"], version)
        update = new_update(request, "AddonUpdate", change)
        addon.updates[update["id"]] = update
        addon.busy, addon.failure = "UPDATING", None

        def done() -> None:
            name = addon.shape["addonName"]
            update["errors"] = health.update_error(
                request.world, health.ADDON_UPDATE, request.region, name
            )
            update["status"] = "Failed" if update["errors"] else "Successful"
            if addon.busy != "UPDATING":
                return
            addon.busy = "UPDATE_FAILED" if update["errors"] else "ACTIVE"
            if not update["errors"]:
                addon.shape.update(change)

        agenda(request.world).after(UPDATING_SECONDS, done)
        return lambda: {"update": update}

    return once(request, create)


def delete_addon(request: Request) -> Shape:
    """DeleteAddon; its pod identity associations go with it."""
    cluster, addon = _addon(request)
    if addon.busy != "DELETING":
        addon.busy = "DELETING"
        gone = partial(_gone, request.world, cluster, addon)
        agenda(request.world).after(DELETING_SECONDS, gone)
    return {"addon": described(request.world, cluster, addon)}


def _gone(world: World, cluster: Cluster, addon: Addon) -> None:
    addon.failure = health.told(world, health.ADDON_DELETION, cluster.region)
    if addon.failure is not None:
        addon.busy = "DELETE_FAILED"
        return
    cluster.addons.pop(addon.shape["addonName"], None)
    for id, one in list(cluster.associations.items()):
        if one.get("ownerArn") == addon.shape["addonArn"]:
            del cluster.associations[id]


OPERATIONS = {
    ("eks", "CreateAddon"): create_addon,
    ("eks", "DescribeAddon"): describe_addon,
    ("eks", "ListAddons"): list_addons,
    ("eks", "UpdateAddon"): update_addon,
    ("eks", "DeleteAddon"): delete_addon,
}

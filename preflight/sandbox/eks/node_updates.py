"""Changes of a living node group: sizes and labels in place, versions node by node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.eks.fleet import find_template, pinned, renew, scale
from preflight.sandbox.eks.health import NODEGROUP_UPDATE, update_error
from preflight.sandbox.eks.node_rules import check_size
from preflight.sandbox.eks.nodes import group_of
from preflight.sandbox.eks.state import Cluster, Nodegroup, Shape, once, refuse
from preflight.sandbox.eks.updates import new_update
from preflight.sandbox.request import Request

CONFIG_SECONDS, VERSION_SECONDS = 30.0, 300.0

SETTINGS = (
    "labels",
    "taints",
    "scalingConfig",
    "updateConfig",
    "nodeRepairConfig",
    "warmPoolConfig",
)


@dataclass(frozen=True, kw_only=True)
class _Change:
    """An update of a node group: what it changes at once, and what it does in the end."""

    update: Shape
    shape: Shape
    seconds: float
    act: Callable[[], None]


def _begin(request: Request, group: Nodegroup, change: _Change) -> Callable[[], Shape]:
    """Put a group into UPDATING; an update that fails puts back what it changed."""
    update = change.update
    before = {key: group.shape.get(key) for key in change.shape}
    group.shape.update(change.shape)
    group.updates[update["id"]] = update
    group.shape["status"] = "UPDATING"

    def done() -> None:
        about = group.scaling_group
        update["errors"] = update_error(request.world, NODEGROUP_UPDATE, request.region, about)
        update["status"] = "Failed" if update["errors"] else "Successful"
        if group.shape["status"] != "UPDATING":
            return
        group.shape.update(status="ACTIVE", modifiedAt=agenda(request.world).now())
        if update["errors"]:
            group.shape.update(before)
        else:
            change.act()

    agenda(request.world).after(change.seconds, done)
    return lambda: {"update": update}


def _must_be_free(cluster: Cluster, group: Nodegroup) -> None:
    name, status = group.shape["nodegroupName"], group.shape["status"]
    if status == "UPDATING":
        message = f"Nodegroup {name} currently has an update in progress"
        raise refuse("ResourceInUseException", message, clusterName=cluster.name)
    if status != "ACTIVE":
        message = f"Nodegroup {name} cannot be updated: it is not in ACTIVE status"
        raise refuse("InvalidRequestException", message, clusterName=cluster.name)


def update_nodegroup_config(request: Request) -> Shape:
    """UpdateNodegroupConfig: sizes, labels, taints and how to update."""

    def create() -> Any:
        cluster, group = group_of(request)
        _must_be_free(cluster, group)
        given = request.parameters
        change: Shape = {}
        if given.get("scalingConfig"):
            change["scalingConfig"] = {**group.shape["scalingConfig"], **given["scalingConfig"]}
            check_size(change["scalingConfig"])
        if given.get("labels"):
            kept = dict(group.shape.get("labels") or {})
            kept.update(given["labels"].get("addOrUpdateLabels") or {})
            for key in given["labels"].get("removeLabels") or []:
                kept.pop(key, None)
            change["labels"] = kept
        if given.get("taints"):
            change["taints"] = _taints(group.shape.get("taints") or [], given["taints"])
        for key in ("updateConfig", "nodeRepairConfig", "warmPoolConfig"):
            if given.get(key):
                change[key] = given[key]
        asked = {key: given[key] for key in SETTINGS if given.get(key)}
        update = new_update(request, "ConfigUpdate", asked)
        act = partial(scale, request.world, cluster, group)
        return _begin(
            request, group, _Change(update=update, shape=change, seconds=CONFIG_SECONDS, act=act)
        )

    return once(request, create)


def _taints(before: list[Shape], change: Shape) -> list[Shape]:
    kept = {(one["key"], one.get("effect")): one for one in before}
    for one in change.get("removeTaints") or []:
        kept.pop((one["key"], one.get("effect")), None)
    for one in change.get("addOrUpdateTaints") or []:
        kept[one["key"], one.get("effect")] = one
    return list(kept.values())


def update_nodegroup_version(request: Request) -> Shape:
    """UpdateNodegroupVersion: a new Kubernetes or launch template version, node by node."""

    def create() -> Any:
        cluster, group = group_of(request)
        _must_be_free(cluster, group)
        given, shape = request.parameters, group.shape
        change: Shape = {}
        if given.get("launchTemplate"):
            ec2 = request.world.backend("ec2", request.region)
            template = find_template(ec2, given["launchTemplate"])
            if template is None or template.id != shape.get("launchTemplate", {}).get("id"):
                message = "You cannot change the launch template of a node group, only its version"
                raise refuse("InvalidParameterException", message, clusterName=cluster.name)
            change["launchTemplate"] = pinned(ec2, given["launchTemplate"])
        version = given.get("version") or (shape["version"] if change else cluster.shape["version"])
        change |= {"version": version, "releaseVersion": f"{version}.0-20260415"}
        update = new_update(request, "VersionUpdate", change)
        act = partial(renew, request.world, cluster, group)
        return _begin(
            request, group, _Change(update=update, shape=change, seconds=VERSION_SECONDS, act=act)
        )

    return once(request, create)


OPERATIONS = {
    ("eks", "UpdateNodegroupConfig"): update_nodegroup_config,
    ("eks", "UpdateNodegroupVersion"): update_nodegroup_version,
}

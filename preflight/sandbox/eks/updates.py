"""Changes of a living cluster: one at a time, each one with an id to ask for."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.eks import versions
from preflight.sandbox.eks.health import CLUSTER_UPDATE, update_error
from preflight.sandbox.eks.network import deliver_logs
from preflight.sandbox.eks.state import Cluster, Shape, cluster_of, now, once, page, refuse
from preflight.sandbox.request import Request

# Parameter of UpdateClusterConfig -> type of update and virtual seconds it takes.
CONFIG_UPDATES = {
    "logging": ("LoggingUpdate", 60.0),
    "accessConfig": ("AccessConfigUpdate", 60.0),
    "upgradePolicy": ("UpgradePolicyUpdate", 30.0),
    "zonalShiftConfig": ("ZonalShiftConfigUpdate", 30.0),
    "deletionProtection": ("DeletionProtectionUpdate", 10.0),
}
ENDPOINT = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
ENDPOINT_SECONDS, VPC_SECONDS, VERSION_SECONDS, ENCRYPTION_SECONDS = 180.0, 120.0, 540.0, 600.0


# What a request calls a setting -> what an update calls it (botocore's UpdateParamType), where it
# is not the same with a capital; a mapping stands for the members of the setting.
TOLD_AS: dict[str, str | dict[str, str]] = {
    "enabled": "ZonalShiftConfig",
    "labels": {"addOrUpdateLabels": "LabelsToAdd", "removeLabels": "LabelsToRemove"},
    "launchTemplate": {"name": "LaunchTemplateName", "version": "LaunchTemplateVersion"},
    "scalingConfig": {"minSize": "MinSize", "maxSize": "MaxSize", "desiredSize": "DesiredSize"},
    "securityGroupIds": "SecurityGroups",
    "subnetIds": "Subnets",
    "supportType": "UpgradePolicy",
    "taints": {"addOrUpdateTaints": "TaintsToAdd", "removeTaints": "TaintsToRemove"},
    "updateConfig": {
        "maxUnavailable": "MaxUnavailable",
        "maxUnavailablePercentage": "MaxUnavailablePercentage",
        "updateStrategy": "UpdateStrategy",
    },
    "warmPoolConfig": {"enabled": "WarmPoolEnabled", "minSize": "WarmPoolMinSize"},
}


def _told(params: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in params.items():
        told = TOLD_AS.get(name, name[:1].upper() + name[1:])
        if isinstance(told, str):
            yield told, value
        else:
            yield from ((told[key], inner) for key, inner in value.items() if key in told)


def new_update(request: Request, kind: str, params: dict[str, Any]) -> Shape:
    """Describe an update that has begun."""
    return {
        "id": str(uuid.uuid4()),
        "status": "InProgress",
        "type": kind,
        "params": [{"type": name, "value": _text(value)} for name, value in _told(params)],
        "createdAt": now(request),
        "errors": [],
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _must_be_free(cluster: Cluster) -> None:
    if cluster.status == "ACTIVE":
        return
    if cluster.status in ("CREATING", "DELETING"):
        message = f"Cannot perform the update: cluster {cluster.name} is {cluster.status}"
        raise refuse("InvalidRequestException", message, clusterName=cluster.name)
    message = f"Cannot update because cluster {cluster.name} currently has an update in progress"
    raise refuse("ResourceInUseException", message, clusterName=cluster.name)


def _begin(
    request: Request, cluster: Cluster, update: Shape, seconds: float, change: Shape
) -> Shape:
    """Put the cluster into UPDATING, and the change into it when the time has passed."""
    cluster.updates[update["id"]] = update
    cluster.shape["status"] = "UPDATING"

    def done() -> None:
        if cluster.status == "UPDATING":
            cluster.shape["status"] = "ACTIVE"
        update["errors"] = update_error(request.world, CLUSTER_UPDATE, cluster.region, cluster.name)
        update["status"] = "Failed" if update["errors"] else "Successful"
        if update["errors"]:
            return
        cluster.shape.update(change)
        if "logging" in change and cluster.logs:
            deliver_logs(request.world, cluster.region, cluster.name)

    agenda(request.world).after(seconds, done)
    return update


def update_cluster_config(request: Request) -> Shape:
    """UpdateClusterConfig: exactly one kind of change in a call."""

    def create() -> Any:
        cluster = cluster_of(request)
        _must_be_free(cluster)
        wanted = {
            key: value
            for key, value in request.parameters.items()
            if key not in ("name", "clientRequestToken") and value is not None
        }
        if len(wanted) != 1:
            message = "Only one type of update can be allowed."
            raise refuse("InvalidParameterException", message, clusterName=cluster.name)
        ((key, value),) = wanted.items()
        update = _config_update(request, cluster, key, value)
        return lambda: {"update": update}

    return once(request, create)


def _config_update(request: Request, cluster: Cluster, key: str, value: Any) -> Shape:
    if key == "resourcesVpcConfig":
        is_endpoint = any(name in value for name in ENDPOINT)
        kind = "EndpointAccessUpdate" if is_endpoint else "VpcConfigUpdate"
        seconds = ENDPOINT_SECONDS if is_endpoint else VPC_SECONDS
        if is_endpoint and any(name not in ENDPOINT for name in value):
            message = "Only one type of update can be allowed."
            raise refuse("InvalidParameterException", message, clusterName=cluster.name)
    elif key in CONFIG_UPDATES:
        kind, seconds = CONFIG_UPDATES[key]
    else:
        raise NotImplementedError(key)
    before = cluster.shape.get(key)
    after = {**(before or {}), **value} if isinstance(value, dict) else value
    if before == after:
        message = f"Cluster is already at the desired configuration with {key}: {_text(value)}"
        raise refuse("InvalidParameterException", message, clusterName=cluster.name)
    params = value if isinstance(value, dict) else {key: value}
    return _begin(request, cluster, new_update(request, kind, params), seconds, {key: after})


def update_cluster_version(request: Request) -> Shape:
    """UpdateClusterVersion: one minor version up."""

    def create() -> Any:
        cluster = cluster_of(request)
        _must_be_free(cluster)
        wanted = versions.choose(request, request.parameters["version"])
        before, after = cluster.shape["version"], wanted["clusterVersion"]
        if int(after.split(".")[1]) - int(before.split(".")[1]) != 1:
            message = f"Unsupported Kubernetes minor version update from {before} to {after}"
            raise refuse("InvalidParameterException", message, clusterName=cluster.name)
        change = {"version": after, "platformVersion": wanted["defaultPlatformVersion"]}
        update = new_update(request, "VersionUpdate", change)
        _begin(request, cluster, update, VERSION_SECONDS, change)
        return lambda: {"update": update}

    return once(request, create)


def associate_encryption_config(request: Request) -> Shape:
    """AssociateEncryptionConfig: once, and never to be undone."""

    def create() -> Any:
        cluster = cluster_of(request)
        _must_be_free(cluster)
        if cluster.shape.get("encryptionConfig"):
            message = "Cluster already has encryption configuration"
            raise refuse("InvalidRequestException", message, clusterName=cluster.name)
        change = {"encryptionConfig": request.parameters["encryptionConfig"]}
        update = new_update(request, "AssociateEncryptionConfig", change)
        _begin(request, cluster, update, ENCRYPTION_SECONDS, change)
        return lambda: {"update": update}

    return once(request, create)


def _updates(request: Request) -> dict[str, Shape]:
    """Give the updates a request asks about: of the cluster, a node group or an add-on."""
    cluster, parameters = cluster_of(request), request.parameters
    for key, owners in (("nodegroupName", cluster.nodegroups), ("addonName", cluster.addons)):
        if parameters.get(key):
            owner: Any = owners.get(parameters[key])
            if owner is None:
                message = f"No update found for {key}: {parameters[key]}."
                raise refuse("ResourceNotFoundException", message, clusterName=cluster.name)
            return dict(owner.updates)
    return cluster.updates


def describe_update(request: Request) -> Shape:
    """DescribeUpdate."""
    id = request.parameters["updateId"]
    update = _updates(request).get(id)
    if update is None:
        raise refuse("ResourceNotFoundException", f"No update found for ID: {id}")
    return {"update": update}


def list_updates(request: Request) -> Shape:
    """ListUpdates."""
    return page(request, "updateIds", list(_updates(request)))


OPERATIONS = {
    ("eks", "UpdateClusterConfig"): update_cluster_config,
    ("eks", "UpdateClusterVersion"): update_cluster_version,
    ("eks", "AssociateEncryptionConfig"): associate_encryption_config,
    ("eks", "DescribeUpdate"): describe_update,
    ("eks", "ListUpdates"): list_updates,
}

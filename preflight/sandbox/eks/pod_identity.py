"""Which IAM role a Kubernetes service account has: pod identity associations.

https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
"""

from __future__ import annotations

import secrets
from typing import Any

from preflight.sandbox.eks.roles import POD_ROLE_UNKNOWN
from preflight.sandbox.eks.state import (
    Cluster,
    Shape,
    arn,
    cluster_of,
    find_role,
    must_be_active,
    now,
    once,
    page,
    refuse,
)
from preflight.sandbox.request import Request

SUMMARY = (
    "clusterName",
    "namespace",
    "serviceAccount",
    "associationArn",
    "associationId",
    "ownerArn",
)


def _check_role(request: Request, role_arn: str) -> None:
    if find_role(request, role_arn) is None:
        raise refuse("InvalidParameterException", POD_ROLE_UNKNOWN)


def _found(request: Request) -> tuple[Cluster, Shape]:
    cluster, id = cluster_of(request), request.parameters["associationId"]
    if id not in cluster.associations:
        message = f"Association with id {id} could not be found."
        raise refuse("ResourceNotFoundException", message)
    return cluster, cluster.associations[id]


def associate(request: Request, cluster: Cluster, given: Shape, owner: str | None = None) -> Shape:
    """Give a service account a role; one role for each account."""
    _check_role(request, given["roleArn"])
    for one in cluster.associations.values():
        if all(one[key] == given[key] for key in ("namespace", "serviceAccount")):
            message = f"Association already exists: {one['associationId']}"
            raise refuse("ResourceInUseException", message)
    id = "a-" + secrets.token_hex(9)[:17]
    cluster.associations[id] = {
        "clusterName": cluster.name,
        "namespace": given["namespace"],
        "serviceAccount": given["serviceAccount"],
        "roleArn": given["roleArn"],
        "associationArn": arn(request, f"podidentityassociation/{cluster.name}/{id}"),
        "associationId": id,
        "tags": dict(given.get("tags") or {}),
        "createdAt": now(request),
        "modifiedAt": now(request),
        "disableSessionTags": bool(given.get("disableSessionTags")),
        **({"targetRoleArn": given["targetRoleArn"]} if given.get("targetRoleArn") else {}),
        **({"ownerArn": owner} if owner else {}),
    }
    return cluster.associations[id]


def create_association(request: Request) -> Shape:
    """CreatePodIdentityAssociation."""

    def create() -> Any:
        cluster = cluster_of(request)
        must_be_active(cluster, also=("UPDATING",))
        made = associate(request, cluster, request.parameters)
        id = made["associationId"]
        return lambda: {"association": made} if id in cluster.associations else None

    return once(request, create)


def describe_association(request: Request) -> Shape:
    """DescribePodIdentityAssociation."""
    return {"association": _found(request)[1]}


def list_associations(request: Request) -> Shape:
    """ListPodIdentityAssociations."""
    found = list(cluster_of(request).associations.values())
    for key in ("namespace", "serviceAccount"):
        wanted = request.parameters.get(key)
        found = [one for one in found if not wanted or one[key] == wanted]
    short = [{key: one[key] for key in SUMMARY if key in one} for one in found]
    return page(request, "associations", short)


def update_association(request: Request) -> Shape:
    """UpdatePodIdentityAssociation."""
    _, found = _found(request)
    for key in ("roleArn", "targetRoleArn", "disableSessionTags"):
        if request.parameters.get(key) is not None:
            if key == "roleArn":
                _check_role(request, request.parameters[key])
            found[key] = request.parameters[key]
    found["modifiedAt"] = now(request)
    return {"association": found}


def delete_association(request: Request) -> Shape:
    """DeletePodIdentityAssociation."""
    cluster, found = _found(request)
    del cluster.associations[found["associationId"]]
    return {"association": found}


OPERATIONS = {
    ("eks", "CreatePodIdentityAssociation"): create_association,
    ("eks", "DescribePodIdentityAssociation"): describe_association,
    ("eks", "ListPodIdentityAssociations"): list_associations,
    ("eks", "UpdatePodIdentityAssociation"): update_association,
    ("eks", "DeletePodIdentityAssociation"): delete_association,
}

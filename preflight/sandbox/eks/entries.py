"""The access entries that EKS makes by itself: for who made the cluster, and for its nodes."""

from __future__ import annotations

import secrets

from preflight.sandbox.eks.state import AccessEntry, Cluster, Shape, arn, now
from preflight.sandbox.request import Request

ADMIN_POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def access_entry(
    request: Request, cluster: Cluster, principal_arn: str, given: Shape
) -> AccessEntry:
    """Make an access entry for an IAM principal in a cluster."""
    kind, _, name = principal_arn.rpartition(":")[2].partition("/")
    entry = AccessEntry(
        {
            "clusterName": cluster.name,
            "principalArn": principal_arn,
            "kubernetesGroups": list(given.get("kubernetesGroups") or []),
            "accessEntryArn": arn(
                request,
                f"access-entry/{cluster.name}/{kind}/{request.world.account}"
                f"/{name.rpartition('/')[2]}/{secrets.token_hex(16)}",
            ),
            "createdAt": now(request),
            "modifiedAt": now(request),
            "tags": dict(given.get("tags") or {}),
            "username": given.get("username") or principal_arn,
            "type": given.get("type") or "STANDARD",
        }
    )
    cluster.access_entries[principal_arn] = entry
    return entry


def admit_creator(request: Request, cluster: Cluster) -> None:
    """Give who made the cluster an access entry, as asked and where entries are in use."""
    access, who = cluster.shape["accessConfig"], request.principal
    if access["authenticationMode"] == "CONFIG_MAP" or who is None:
        return
    if not access["bootstrapClusterCreatorAdminPermissions"] or who.kind == "root":
        return
    entry = access_entry(request, cluster, who.role_arn or who.arn, {})
    policy = {
        "policyArn": ADMIN_POLICY,
        "accessScope": {"type": "cluster", "namespaces": []},
        "associatedAt": now(request),
        "modifiedAt": now(request),
    }
    entry.policies[ADMIN_POLICY] = policy

"""Who may use a cluster: access entries, and the access policies associated with them.

https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
"""

from __future__ import annotations

from typing import Any

from preflight.sandbox.eks.entries import access_entry
from preflight.sandbox.eks.roles import PRINCIPAL_UNKNOWN
from preflight.sandbox.eks.state import (
    AccessEntry,
    Cluster,
    Shape,
    cluster_of,
    must_be_active,
    now,
    once,
    page,
    refuse,
)
from preflight.sandbox.request import Request

POLICY = "arn:aws:eks::aws:cluster-access-policy/"
POLICIES = """
    AmazonAIOpsAssistantPolicy AmazonARCRegionSwitchScalingPolicy AmazonEKSAdminPolicy
    AmazonEKSAdminViewPolicy AmazonEKSAutoNodePolicy AmazonEKSBlockStorageClusterPolicy
    AmazonEKSBlockStoragePolicy AmazonEKSClusterAdminPolicy AmazonEKSClusterInsightsPolicy
    AmazonEKSComputeClusterPolicy AmazonEKSComputePolicy AmazonEKSEditPolicy
    AmazonEKSHybridPolicy AmazonEKSLoadBalancingClusterPolicy AmazonEKSLoadBalancingPolicy
    AmazonEKSNetworkingClusterPolicy AmazonEKSNetworkingPolicy AmazonEKSViewPolicy
""".split()
SYSTEM_TYPES = frozenset({"EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX"})
TYPES = SYSTEM_TYPES | {"STANDARD", "EC2", "HYPERPOD_LINUX"}


def _open_cluster(request: Request) -> Cluster:
    """Find a cluster that uses access entries."""
    cluster = cluster_of(request)
    if cluster.shape["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
        message = (
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to"
            " perform this operation."
        )
        raise refuse("InvalidRequestException", message)
    return cluster


def _entry(request: Request) -> AccessEntry:
    cluster, wanted = _open_cluster(request), request.parameters["principalArn"]
    entry = cluster.access_entries.get(wanted)
    if entry is None:
        message = (
            f"The specified principalArn could not be found: {wanted}. You can view your"
            " available access entries with 'list-access-entries'."
        )
        raise refuse("ResourceNotFoundException", message)
    return entry


def _exists(request: Request, principal_arn: str) -> bool:
    iam = request.world.backend("iam", "aws")
    known = [*iam.roles.values(), *iam.users.values()]
    return principal_arn.endswith(":root") or any(one.arn == principal_arn for one in known)


def create_access_entry(request: Request) -> Shape:
    """CreateAccessEntry; the principal has to exist, which a new role does not for some time."""

    def create() -> Any:
        cluster, given = _open_cluster(request), request.parameters
        must_be_active(cluster, also=("UPDATING",))
        principal, kind = given["principalArn"], given.get("type") or "STANDARD"
        if not _exists(request, principal):
            raise refuse("InvalidParameterException", PRINCIPAL_UNKNOWN)
        if kind not in TYPES:
            message = f"The specified access entry type is invalid: {kind}"
            raise refuse("InvalidParameterException", message)
        if kind in SYSTEM_TYPES and given.get("kubernetesGroups"):
            message = f"Kubernetes groups cannot be set on an access entry of type {kind}."
            raise refuse("InvalidParameterException", message)
        if principal in cluster.access_entries:
            message = "The specified access entry resource is already in use on this cluster."
            raise refuse("ResourceInUseException", message)
        entry = access_entry(request, cluster, principal, given)
        if kind in SYSTEM_TYPES and not given.get("username"):
            entry.shape["username"] = "system:node:{{EC2PrivateDNSName}}"
        entries = cluster.access_entries
        return lambda: {"accessEntry": entry.shape} if entries.get(principal) is entry else None

    return once(request, create)


def describe_access_entry(request: Request) -> Shape:
    """DescribeAccessEntry."""
    return {"accessEntry": _entry(request).shape}


def list_access_entries(request: Request) -> Shape:
    """ListAccessEntries."""
    cluster, policy = _open_cluster(request), request.parameters.get("associatedPolicyArn")
    entries = cluster.access_entries.items()
    found = [arn for arn, entry in entries if not policy or policy in entry.policies]
    return page(request, "accessEntries", sorted(found))


def update_access_entry(request: Request) -> Shape:
    """UpdateAccessEntry."""
    entry, given = _entry(request), request.parameters
    for key in ("kubernetesGroups", "username"):
        if given.get(key) is not None:
            entry.shape[key] = given[key]
    entry.shape["modifiedAt"] = now(request)
    return {"accessEntry": entry.shape}


def delete_access_entry(request: Request) -> Shape:
    """DeleteAccessEntry; its associations go with it."""
    _entry(request)
    del cluster_of(request).access_entries[request.parameters["principalArn"]]
    return {}


def associate_access_policy(request: Request) -> Shape:
    """AssociateAccessPolicy; again with another scope changes the scope."""
    entry, given = _entry(request), request.parameters
    policy, scope = given["policyArn"], given["accessScope"]
    if policy.removeprefix(POLICY) not in POLICIES:
        message = f"The policyArn parameter format is not valid or unknown: {policy}"
        raise refuse("InvalidParameterException", message)
    if entry.shape["type"] in SYSTEM_TYPES:
        message = f"Access policies cannot be associated with type {entry.shape['type']}."
        raise refuse("InvalidParameterException", message)
    if scope.get("type") == "namespace" and not scope.get("namespaces"):
        message = "The namespaces list cannot be empty with accessScope type namespace."
        raise refuse("InvalidParameterException", message)
    before = entry.policies.get(policy, {})
    entry.policies[policy] = {
        "policyArn": policy,
        "accessScope": {"namespaces": [], **scope},
        "associatedAt": before.get("associatedAt", now(request)),
        "modifiedAt": now(request),
    }
    return {
        "clusterName": entry.shape["clusterName"],
        "principalArn": entry.shape["principalArn"],
        "associatedAccessPolicy": entry.policies[policy],
    }


def list_associated_access_policies(request: Request) -> Shape:
    """ListAssociatedAccessPolicies."""
    entry = _entry(request)
    answer = page(request, "associatedAccessPolicies", list(entry.policies.values()))
    return answer | {key: entry.shape[key] for key in ("clusterName", "principalArn")}


def disassociate_access_policy(request: Request) -> Shape:
    """DisassociateAccessPolicy."""
    entry, policy = _entry(request), request.parameters["policyArn"]
    if entry.policies.pop(policy, None) is None:
        message = f"The specified policy is not associated with the principal: {policy}"
        raise refuse("ResourceNotFoundException", message)
    return {}


def list_access_policies(request: Request) -> Shape:
    """ListAccessPolicies."""
    return page(request, "accessPolicies", [{"name": n, "arn": POLICY + n} for n in POLICIES])


OPERATIONS = {
    ("eks", "CreateAccessEntry"): create_access_entry,
    ("eks", "DescribeAccessEntry"): describe_access_entry,
    ("eks", "ListAccessEntries"): list_access_entries,
    ("eks", "UpdateAccessEntry"): update_access_entry,
    ("eks", "DeleteAccessEntry"): delete_access_entry,
    ("eks", "AssociateAccessPolicy"): associate_access_policy,
    ("eks", "ListAssociatedAccessPolicies"): list_associated_access_policies,
    ("eks", "DisassociateAccessPolicy"): disassociate_access_policy,
    ("eks", "ListAccessPolicies"): list_access_policies,
}

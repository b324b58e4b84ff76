"""All of EKS in one table, its tags, and an honest no for what the sandbox does not have."""

from __future__ import annotations

from preflight.sandbox.eks import (
    access,
    addon_versions,
    addons,
    cluster,
    node_updates,
    nodes,
    pod_identity,
    updates,
    versions,
)
from preflight.sandbox.eks.state import Shape, cluster_of, eks, page, refuse
from preflight.sandbox.request import Request


def _tags(request: Request) -> Shape:
    """Find the shape of the tagged thing that an ARN names."""
    wanted = request.parameters["resourceArn"]
    for one in eks(request).in_region(request.region):
        for arn, shape in one.tagged():
            if arn == wanted:
                return shape
    raise refuse("NotFoundException", f"Resource {wanted} was not found")


def tag_resource(request: Request) -> Shape:
    """TagResource."""
    _tags(request).setdefault("tags", {}).update(request.parameters["tags"])
    return {}


def untag_resource(request: Request) -> Shape:
    """UntagResource."""
    tags = _tags(request).setdefault("tags", {})
    for key in request.parameters["tagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags(request: Request) -> Shape:
    """ListTagsForResource."""
    return {"tags": dict(_tags(request).get("tags", {}))}


def list_fargate_profiles(request: Request) -> Shape:
    """ListFargateProfiles: a cluster of the sandbox has none."""
    cluster_of(request)
    return page(request, "fargateProfileNames", [])


def list_identity_providers(request: Request) -> Shape:
    """ListIdentityProviderConfigs: a cluster of the sandbox has none."""
    cluster_of(request)
    return page(request, "identityProviderConfigs", [])


def not_here(request: Request) -> Shape:
    """Say that an operation is missing, rather than let moto answer for another EKS."""
    raise NotImplementedError(request.operation)


MISSING = """
    CreateFargateProfile DescribeFargateProfile DeleteFargateProfile RegisterCluster
    DeregisterCluster AssociateIdentityProviderConfig DescribeIdentityProviderConfig
    DisassociateIdentityProviderConfig
""".split()
OPERATIONS = {
    ("eks", "TagResource"): tag_resource,
    ("eks", "UntagResource"): untag_resource,
    ("eks", "ListTagsForResource"): list_tags,
    ("eks", "ListFargateProfiles"): list_fargate_profiles,
    ("eks", "ListIdentityProviderConfigs"): list_identity_providers,
    **{("eks", operation): not_here for operation in MISSING},
    **cluster.OPERATIONS,
    **updates.OPERATIONS,
    **versions.OPERATIONS,
    **nodes.OPERATIONS,
    **node_updates.OPERATIONS,
    **addons.OPERATIONS,
    **addon_versions.OPERATIONS,
    **access.OPERATIONS,
    **pod_identity.OPERATIONS,
}

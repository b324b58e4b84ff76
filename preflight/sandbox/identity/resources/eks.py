"""EKS: clusters, and what hangs on them under an id that EKS gives.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from preflight.sandbox.eks.state import Cluster, Eks
from preflight.sandbox.identity.resources.arn import ANY, Arns, arn
from preflight.sandbox.request import Request

#: Member of the input that names a part of a cluster -> its resource type.
PARTS = {
    "nodegroupName": "nodegroup",
    "addonName": "addon",
    "fargateProfileName": "fargateprofile",
    "principalArn": "access-entry",
    "associationId": "podidentityassociation",
}
#: Operations on the cluster that name a part of it all the same.
_ON_THE_CLUSTER = ("Create", "List")


def eks(request: Request) -> Arns:
    """Name the cluster, or the part of it that the request is about; both for an update of a part.

    CreateCluster has no resource: the cluster is not there yet.
    """
    given, operation = request.parameters, request.operation
    if given.get("resourceArn"):
        return [str(given["resourceArn"])]
    name = given.get("clusterName") or given.get("name")
    if not name or operation == "CreateCluster":
        return [None if "EksAnywhere" in operation else ANY]
    cluster = arn(request, "eks", f"cluster/{name}")
    if operation == "ListAssociatedAccessPolicies":
        return [part_arn(request, "principalArn")]
    if operation.startswith(_ON_THE_CLUSTER):
        return [cluster]
    parts = [part_arn(request, member) for member in PARTS if given.get(member)]
    if operation == "DescribeUpdate":
        return [cluster, *parts]
    return parts or [cluster]


def part_arn(request: Request, member: str) -> str:
    """Write the ARN of a part of a cluster; where it is not there, its unknown id is `*`."""
    given = request.parameters
    cluster, named = str(given.get("clusterName")), str(given[member])
    with request.world.lock:
        there = request.world.part(Eks).clusters.get((request.region, cluster))
        found = _found(there, member, named) if there else None
    if found:
        return found
    kind = PARTS[member]
    if member == "principalArn":
        who, _, path = named.rpartition(":")[2].partition("/")
        account = named.split(":")[4] if named.count(":") >= 5 else request.account
        return arn(request, "eks", f"{kind}/{cluster}/{who}/{account}/{path.split('/')[-1]}/*")
    tail = named if member == "associationId" else f"{named}/*"
    return arn(request, "eks", f"{kind}/{cluster}/{tail}")


def _found(cluster: Cluster, member: str, named: str) -> str | None:
    parts: Mapping[str, tuple[Mapping[str, Any], str]] = {
        "nodegroupName": (cluster.nodegroups, "nodegroupArn"),
        "addonName": (cluster.addons, "addonArn"),
        "principalArn": (cluster.access_entries, "accessEntryArn"),
    }
    if member not in parts:
        return None
    table, key = parts[member]
    one = table.get(named)
    return str(one.shape[key]) if one is not None else None

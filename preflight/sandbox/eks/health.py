"""What EKS says is wrong: issues of clusters, node groups and add-ons, by their codes.

https://docs.aws.amazon.com/eks/latest/APIReference/API_ClusterIssue.html
https://docs.aws.amazon.com/eks/latest/APIReference/API_Issue.html
https://docs.aws.amazon.com/eks/latest/APIReference/API_AddonIssue.html
https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html
What follows from the account by itself is found here and in node_health.py; anything else a fault
asks for. AWS documents the codes; the words of the messages are the sandbox's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from preflight.sandbox import models
from preflight.sandbox.eks.network import subnet
from preflight.sandbox.eks.state import Cluster, Shape
from preflight.sandbox.faults.rules import NODEGROUP_ISSUE, Faults
from preflight.sandbox.world import World

#: As long as such a fault is there, what is ACTIVE has the issue: node groups and add-ons are then
#: DEGRADED, clusters stay ACTIVE.
CLUSTER_HEALTH = "sandbox:ClusterHealth"
NODEGROUP_HEALTH = "sandbox:NodegroupHealth"
ADDON_HEALTH = "sandbox:AddonHealth"
#: What is being made fails in the end: FAILED for clusters, CREATE_FAILED for add-ons.
CLUSTER_FAILURE = "sandbox:ClusterFailure"
ADDON_FAILURE = "sandbox:AddonFailure"
#: What is being deleted is DELETE_FAILED in the end.
NODEGROUP_DELETION = "sandbox:NodegroupDeletion"
ADDON_DELETION = "sandbox:AddonDeletion"
#: An update is Failed in the end, and changes nothing.
CLUSTER_UPDATE = "sandbox:ClusterUpdate"
NODEGROUP_UPDATE = "sandbox:NodegroupUpdate"
ADDON_UPDATE = "sandbox:AddonUpdate"

# The shape of botocore's model that lists the codes of a fault's `error`.
CODES = {
    **dict.fromkeys((CLUSTER_FAILURE, CLUSTER_HEALTH), "ClusterIssueCode"),
    **dict.fromkeys((NODEGROUP_DELETION, NODEGROUP_HEALTH, NODEGROUP_ISSUE), "NodegroupIssueCode"),
    **dict.fromkeys((ADDON_DELETION, ADDON_FAILURE, ADDON_HEALTH), "AddonIssueCode"),
    **dict.fromkeys((CLUSTER_UPDATE, NODEGROUP_UPDATE, ADDON_UPDATE), "ErrorCode"),
}


def codes(action: str) -> list[str]:
    """List the codes a fault with one of these actions may ask for; [] for any other action."""
    if action not in CODES:
        return []
    return list(models.service_model("eks").shape_for(CODES[action]).enum)


def told(world: World, action: str, region: str, *about: str) -> Shape | None:
    """Give the issue that a fault asks for now, if one does."""
    code = world.part(Faults).of(action, region)
    return _asked_for(code, about) if code else None


def standing(world: World, action: str, region: str, *about: str) -> list[Shape]:
    """List the issues that faults ask for as long as they are there."""
    return [_asked_for(code, about) for code in world.part(Faults).standing(action, region)]


def _asked_for(code: str, about: tuple[str, ...]) -> Shape:
    return issue(code, f"The sandbox was told that there is {code}.", *about)


def issue(code: str, message: str, *about: str) -> Shape:
    """Describe an issue; `about` are the ids of what it is about."""
    return {"code": code, "message": message, "resourceIds": [one for one in about if one]}


def update_error(world: World, action: str, region: str, *about: str) -> list[Shape]:
    """Give the errors of an update that fails now; [] for one that does not."""
    found = told(world, action, region, *about)
    if found is None:
        return []
    return [
        {
            "errorCode": found["code"],
            "errorMessage": found["message"],
            "resourceIds": found["resourceIds"],
        }
    ]


def of_cluster(world: World, cluster: Cluster) -> list[Shape]:
    """List the issues of a cluster that is up."""
    if cluster.status not in ("ACTIVE", "UPDATING"):
        return list(cluster.shape["health"]["issues"])
    return [
        *_of_keys(world, cluster),
        *_of_identity_and_network(world, cluster),
        *standing(world, CLUSTER_HEALTH, cluster.region, cluster.name),
    ]


def _of_keys(world: World, cluster: Cluster) -> Iterator[Shape]:
    keys = world.backend("kms", cluster.region).keys.values()
    for config in cluster.shape.get("encryptionConfig") or ():
        arn = config.get("provider", {}).get("keyArn", "")
        key = next((one for one in keys if one.arn == arn), None)
        if key is None:
            yield issue("KmsKeyNotFound", "The key of the cluster is not there.", arn)
        elif key.key_state == "PendingDeletion":
            yield issue("KmsKeyMarkedForDeletion", "The key of the cluster will be deleted.", arn)
        elif key.key_state == "Disabled":
            yield issue("KmsKeyDisabled", "The key of the cluster is disabled.", arn)


def _of_identity_and_network(world: World, cluster: Cluster) -> Iterator[Shape]:
    role, ec2 = cluster.shape["roleArn"], world.backend("ec2", cluster.region)
    if all(one.arn != role for one in world.backend("iam", "aws").roles.values()):
        yield issue("IamRoleNotFound", "The role of the cluster was deleted.", role)
    gone = [id for id in cluster.shape["resourcesVpcConfig"]["subnetIds"] if not subnet(ec2, id)]
    if gone:
        yield issue("Ec2SubnetNotFound", "Subnets of the cluster were deleted.", *gone)

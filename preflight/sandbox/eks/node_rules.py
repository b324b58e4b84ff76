"""What EKS checks before it makes a node group.

https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
"""

from __future__ import annotations

from typing import Any

from preflight.sandbox.eks.cluster import NAME
from preflight.sandbox.eks.fleet import find_template, template_contents
from preflight.sandbox.eks.network import subnet
from preflight.sandbox.eks.roles import check_node_role
from preflight.sandbox.eks.state import Cluster, Shape, refuse
from preflight.sandbox.request import Request

# What belongs into the launch template once there is one, and EKS's words for it.
NOT_BESIDE_TEMPLATE = {
    "diskSize": "Disk size must be specified within the launch template.",
    "remoteAccess": "Remote access configuration cannot be specified with a launch template.",
}
NOT_IN_TEMPLATE = {
    "IamInstanceProfile": "an instance profile. The noderole in your request will be used to"
    " construct an instance profile.",
    "HibernationOptions": "hibernation options.",
    "InstanceMarketOptions": "instance market options.",
}


def check(request: Request, cluster: Cluster) -> Shape:
    """Check a new node group and give the contents of its launch template ({} for none)."""
    given, ec2 = request.parameters, request.world.backend("ec2", request.region)
    name = given["nodegroupName"]
    if name in cluster.nodegroups:
        message = f"NodeGroup already exists with name {name} and cluster name {cluster.name}"
        raise refuse(
            "ResourceInUseException", message, clusterName=cluster.name, nodegroupName=name
        )
    if not NAME.fullmatch(name) or len(name) > 63:
        raise _wrong(f"The nodegroup name '{name}' is invalid")
    check_node_role(request, given["nodeRole"])
    _check_subnets(ec2, cluster, given["subnets"])
    check_size({"minSize": 1, "maxSize": 2, "desiredSize": 2, **(given.get("scalingConfig") or {})})
    contents = _check_template(ec2, given)
    _check_types(given, contents)
    return contents


def _wrong(message: str) -> Exception:
    return refuse("InvalidParameterException", message)


def check_size(size: Shape) -> None:
    """Refuse sizes that contradict each other."""
    low, wanted, high = size["minSize"], size["desiredSize"], size["maxSize"]
    if low < 0 or high < 1:
        raise _wrong("Minimum capacity must be at least 0 and maximum capacity at least 1")
    if low > wanted:
        raise _wrong(f"Minimum capacity {low} can't be greater than desired size {wanted}")
    if wanted > high:
        raise _wrong(f"Desired capacity {wanted} can't be greater than max size {high}")


def _check_subnets(ec2: Any, cluster: Cluster, subnets: list[str]) -> None:
    vpc_id = cluster.shape["resourcesVpcConfig"]["vpcId"]
    if not subnets:
        raise _wrong("Subnets cannot be empty")
    for id in subnets:
        found = subnet(ec2, id)
        if found is None:
            raise _wrong(f"The subnet ID '{id}' does not exist")
        if found.vpc_id != vpc_id:
            raise _wrong(f"Subnet {id} is not in the VPC of the cluster, {vpc_id}")


def _check_template(ec2: Any, given: Shape) -> Shape:
    wanted = given.get("launchTemplate")
    if not wanted:
        return {}
    if bool(wanted.get("id")) == bool(wanted.get("name")):
        raise _wrong("You must specify either the launch template ID or the launch template name")
    template = find_template(ec2, wanted)
    if template is None:
        raise _wrong(f"Launch template {wanted.get('id') or wanted.get('name')} not found")
    version = str(wanted.get("version") or "$Default")
    if version.isdecimal() and not 1 <= int(version) <= template.latest_version_number:
        raise _wrong(f"Launch template {template.name} has no version {version}")
    contents = template_contents(ec2, wanted)
    for key, words in NOT_BESIDE_TEMPLATE.items():
        if given.get(key):
            raise _wrong(words)
    for key, words in NOT_IN_TEMPLATE.items():
        if contents.get(key):
            raise _wrong(f"Launch template {template.name} should not specify {words}")
    if any("SubnetId" in one for one in contents.get("NetworkInterfaces") or []):
        raise _wrong(f"Launch template {template.name} should not specify subnets.")
    return contents


def _check_types(given: Shape, contents: Shape) -> None:
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    types = given.get("instanceTypes") or []
    if types and contents.get("InstanceType"):
        raise _wrong(
            "Instance types must be specified either in the launch template or in the node group,"
            " not in both"
        )
    if given.get("capacityType") == "CAPACITY_BLOCK" and not contents.get("InstanceType"):
        raise _wrong("CAPACITY_BLOCK needs the instance type in the launch template")
    if contents.get("ImageId") and given.get("amiType") not in (None, "CUSTOM"):
        raise _wrong(
            "You cannot specify an AMI Type other than CUSTOM, when specifying an image id in your"
            " launch template."
        )
    named = [*types, *([contents["InstanceType"]] if contents.get("InstanceType") else [])]
    unknown = [one for one in named if one not in INSTANCE_TYPES]
    if unknown:
        raise _wrong(f"The following supplied instance types do not exist: {unknown}")

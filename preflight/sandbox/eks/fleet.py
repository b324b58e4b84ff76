"""The machines of a node group: EKS's copy of the launch template, Auto Scaling group, instances.

They live in moto's EC2 and Auto Scaling, so that every other call sees them.
"""

from __future__ import annotations

import copy
import hashlib
from typing import Any

from preflight.sandbox.ec2 import instances, interfaces
from preflight.sandbox.ec2.capacity import refuse_beyond_vcpus
from preflight.sandbox.eks.state import Cluster, Nodegroup, Shape
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.faults.rules import NODEGROUP_ISSUE, Faults
from preflight.sandbox.services import guardduty
from preflight.sandbox.world import World


def find_template(ec2: Any, wanted: Shape) -> Any:
    """Find a launch template by id or name, or None."""
    id = wanted.get("id") or ec2.launch_template_name_to_ids.get(wanted.get("name") or "")
    return ec2.launch_templates.get(id)


def template_contents(ec2: Any, wanted: Shape | None) -> Shape:
    """Give the contents of the wanted version of a launch template; {} without one."""
    template = find_template(ec2, wanted) if wanted else None
    if template is None or wanted is None:
        return {}
    return dict(template.get_version(wanted.get("version") or "$Default").data)


def pinned(ec2: Any, wanted: Shape) -> Shape:
    """Name a launch template with the number of the wanted version."""
    template = find_template(ec2, wanted)
    number = template.get_version(wanted.get("version") or "$Default").number
    return {"id": template.id, "name": template.name, "version": str(number)}


def _tags(cluster: Cluster, group: Nodegroup) -> dict[str, str]:
    return {
        "eks:cluster-name": cluster.name,
        "eks:nodegroup-name": group.shape["nodegroupName"],
    }


def _image(group: Nodegroup) -> str:
    text = group.shape["amiType"] + str(group.shape.get("releaseVersion"))
    return "ami-" + hashlib.sha256(text.encode()).hexdigest()[:17]


def _contents(ec2: Any, cluster: Cluster, group: Nodegroup) -> Shape:
    """Complete the user's launch template as EKS does."""
    contents = copy.deepcopy(template_contents(ec2, group.shape.get("launchTemplate")))
    contents.setdefault("InstanceType", (group.shape.get("instanceTypes") or ["t3.medium"])[0])
    contents.setdefault("ImageId", _image(group))
    contents.setdefault("SecurityGroupIds", [cluster.group_id])
    if group.remote_access_group:
        contents["SecurityGroupIds"].append(group.remote_access_group)
    contents["IamInstanceProfile"] = {"Name": group.template}
    return contents


def _make_profile(world: World, group: Nodegroup) -> None:
    """Make the instance profile of the nodes, under the name of EKS's launch template.

    https://github.com/hashicorp/terraform-provider-aws/issues/44853
    """
    iam = world.backend("iam", "aws")
    roles = [one.name for one in iam.roles.values() if one.arn == group.shape["nodeRole"]]
    if roles and group.template not in iam.instance_profiles:
        iam.create_instance_profile(name=group.template, path="/", role_names=roles, tags=[])


def _make_remote_access(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Make the security group that lets SSH in, where that was asked for.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_RemoteAccessConfig.html
    """
    asked = group.shape.get("remoteAccess")
    if not asked:
        return
    ec2, unique = world.backend("ec2", cluster.region), group.template.removeprefix("eks-")
    made = ec2.create_security_group(
        f"eks-remoteAccess-{unique}",
        "Security group for all nodes in the nodeGroup to allow SSH access",
        vpc_id=cluster.shape["resourcesVpcConfig"]["vpcId"],
        tags={"eks": group.shape["nodegroupName"], **_tags(cluster, group)},
    )
    sources = [{"GroupId": id} for id in asked.get("sourceSecurityGroups") or ()]
    ranges = [] if sources else [{"CidrIp": "0.0.0.0/0"}]
    ec2.authorize_security_group_ingress(
        made.id, "tcp", "22", "22", ranges, source_groups=sources or None
    )
    group.remote_access_group = made.id


def drop_remote_access(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Remove that security group, unless somebody else did."""
    ec2, id = world.backend("ec2", cluster.region), group.remote_access_group
    if id and ec2.get_security_group_from_id(id):
        ec2.delete_security_group(group_id=id)


def make_fleet(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Make the template, the scaling group and its instances."""
    ec2 = world.backend("ec2", cluster.region)
    scaling, tags = world.backend("autoscaling", cluster.region), _tags(cluster, group)
    _make_profile(world, group)
    _make_remote_access(world, cluster, group)
    template = ec2.create_launch_template(
        group.template, "", _contents(ec2, cluster, group), {"launch-template": tags}
    )
    kubernetes = {f"kubernetes.io/cluster/{cluster.name}": "owned"}
    enabled = {
        f"k8s.io/cluster-autoscaler/{cluster.name}": "owned",
        "k8s.io/cluster-autoscaler/enabled": "true",
    }
    size = group.shape["scalingConfig"]
    scaling.create_auto_scaling_group(
        name=group.scaling_group,
        availability_zones=[],
        desired_capacity=0,
        max_size=size["maxSize"],
        min_size=0,
        launch_config_name="",
        launch_template={"LaunchTemplateId": template.id, "Version": "1"},
        vpc_zone_identifier=",".join(group.shape["subnets"]),
        default_cooldown=300,
        health_check_period=15,
        health_check_type="EC2",
        load_balancers=[],
        target_group_arns=[],
        placement_group=None,
        termination_policies=["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
        tags=[
            {
                "Key": key,
                "Value": value,
                "PropagateAtLaunch": key not in enabled,
                "ResourceId": group.scaling_group,
                "ResourceType": "auto-scaling-group",
            }
            for key, value in {**tags, **kubernetes, **enabled}.items()
        ],
        capacity_rebalance=group.shape["capacityType"] == "SPOT",
    )
    group.shape["resources"] = {"autoScalingGroups": [{"name": group.scaling_group}]}
    if group.remote_access_group:
        group.shape["resources"]["remoteAccessSecurityGroup"] = group.remote_access_group
    scale(world, cluster, group)


def scaling_group(world: World, cluster: Cluster, group: Nodegroup) -> Any:
    """Find the Auto Scaling group of a node group, or None."""
    groups = world.backend("autoscaling", cluster.region).autoscaling_groups
    return groups.get(group.scaling_group)


def scale(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Bring the number of instances to the desired size, spread over the subnets."""
    found, size = scaling_group(world, cluster, group), group.shape["scalingConfig"]
    if found is None:
        return
    found.max_size, found.min_size = size["maxSize"], size["minSize"]
    subnets, have = list(group.shape["subnets"]), len(found.instance_states)
    everywhere, group.shortage = found.vpc_zone_identifier, None
    for number in range(have, size["desiredSize"]):
        group.shortage = _shortage(world, cluster, group, found.instance_type)
        if group.shortage:
            break
        found.vpc_zone_identifier = subnets[number % len(subnets)]
        found.set_desired_capacity(number + 1)
    found.vpc_zone_identifier = everywhere
    if group.shortage:
        found.desired_capacity = size["desiredSize"]
    else:
        found.set_desired_capacity(size["desiredSize"])
    for state in found.instance_states:
        state.instance.lifecycle = "spot" if group.shape["capacityType"] == "SPOT" else None
    interfaces.drop_orphans(world.backend("ec2", cluster.region))
    instances.forget_terminated(world, cluster.region)
    guardduty.look(world, cluster.region)


def _shortage(world: World, cluster: Cluster, group: Nodegroup, instance_type: str) -> Shape | None:
    """Describe what keeps one more instance from starting, as an issue of the group's health."""
    is_spot = group.shape["capacityType"] == "SPOT"
    told = world.part(Faults).of(NODEGROUP_ISSUE, cluster.region)
    if told is not None:
        message = f"The sandbox was told to let the nodes fail with {told}"
        return {"code": told, "message": message, "resourceIds": [group.scaling_group]}
    try:
        if not group.is_unlimited:
            refuse_beyond_vcpus(world, cluster.region, instance_type, 1, is_spot=is_spot)
    except AwsFault as fault:
        kind = "Spot" if is_spot else "On-Demand"
        return {
            "code": "AsgInstanceLaunchFailures",
            "message": f"Could not launch {kind} Instances. {fault.code} - {fault.message}"
            " Launching EC2 instance failed.",
            "resourceIds": [group.scaling_group],
        }
    return None


def renew(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Replace the instances, from what the launch template says now."""
    found, ec2 = scaling_group(world, cluster, group), world.backend("ec2", cluster.region)
    if found is None:
        return
    template = find_template(ec2, {"name": group.template})
    template.create_version(_contents(ec2, cluster, group), "")
    template.default_version_number = template.latest_version_number
    found.launch_template_version = str(template.latest_version_number)
    found.set_desired_capacity(0)
    scale(world, cluster, group)


def drop_fleet(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Remove instances, scaling group, and EKS's launch template and instance profile."""
    ec2 = world.backend("ec2", cluster.region)
    if scaling_group(world, cluster, group) is not None:
        scaling = world.backend("autoscaling", cluster.region)
        scaling.delete_auto_scaling_group(group.scaling_group)
    interfaces.drop_orphans(ec2)
    instances.forget_terminated(world, cluster.region)
    if group.template in ec2.launch_template_name_to_ids:
        ec2.delete_launch_template(group.template, None)
    world.backend("iam", "aws").instance_profiles.pop(group.template, None)

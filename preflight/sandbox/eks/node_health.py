"""What is wrong with a node group: what it needs and is gone, and what keeps it from going.

https://docs.aws.amazon.com/eks/latest/APIReference/API_Issue.html
https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html
"""

from __future__ import annotations

from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.ec2.dependencies import group_blockers
from preflight.sandbox.eks.fleet import find_template, scaling_group
from preflight.sandbox.eks.health import (
    NODEGROUP_DELETION,
    NODEGROUP_HEALTH,
    issue,
    standing,
    told,
)
from preflight.sandbox.eks.network import subnet
from preflight.sandbox.eks.state import Cluster, Nodegroup, Shape
from preflight.sandbox.world import World


def issues(world: World, cluster: Cluster, group: Nodegroup) -> list[Shape]:
    """List what a node group that is up suffers from."""
    ec2, shape, iam = (
        world.backend("ec2", cluster.region),
        group.shape,
        world.backend("iam", "aws"),
    )
    source, scaling = shape.get("launchTemplate"), scaling_group(world, cluster, group)
    lost = [id for id in shape["subnets"] if subnet(ec2, id) is None]
    checks = (
        (
            source is not None and find_template(ec2, source) is None,
            "SourceEc2LaunchTemplateNotFound",
            "The launch template of the node group was deleted.",
            ((source or {}).get("id", ""),),
        ),
        (
            find_template(ec2, {"name": group.template}) is None,
            "Ec2LaunchTemplateNotFound",
            "The launch template that EKS made was deleted.",
            (group.template,),
        ),
        (
            scaling is None,
            "AutoScalingGroupNotFound",
            "The Auto Scaling group of the node group was deleted.",
            (group.scaling_group,),
        ),
        (
            role_of(world, group) is None,
            "IamNodeRoleNotFound",
            "The role of the nodes was deleted.",
            (shape["nodeRole"],),
        ),
        (
            group.template not in iam.instance_profiles,
            "IamInstanceProfileNotFound",
            "The instance profile that EKS made was deleted.",
            (group.template,),
        ),
        (bool(lost), "Ec2SubnetNotFound", "Subnets of the node group were deleted.", tuple(lost)),
    )
    found = [issue(code, message, *about) for is_so, code, message, about in checks if is_so]
    return [*found, *standing(world, NODEGROUP_HEALTH, cluster.region, group.scaling_group)]


def role_of(world: World, group: Nodegroup) -> Any:
    """Find the role of the nodes, or None."""
    roles = world.backend("iam", "aws").roles.values()
    return next((role for role in roles if role.arn == group.shape["nodeRole"]), None)


def deletion_issue(world: World, cluster: Cluster, group: Nodegroup) -> Shape | None:
    """Tell what keeps a node group from going whose machines have gone."""
    asked = told(world, NODEGROUP_DELETION, cluster.region, group.scaling_group)
    if asked is not None:
        return asked
    ec2, id = world.backend("ec2", cluster.region), group.remote_access_group
    if id and ec2.get_security_group_from_id(id) and next(group_blockers(ec2, id), None):
        message = "The security group for remote access could not be deleted: it is in use."
        return issue("Ec2SecurityGroupDeletionFailure", message, id)
    return None


def leak_interfaces(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Leave the interfaces for pods behind of nodes that may not call EC2 any more.

    Without its role a node cannot detach and delete them before it ends:
    https://github.com/aws/amazon-vpc-cni-k8s/issues/608
    """
    scaling = scaling_group(world, cluster, group)
    if role_of(world, group) is not None or scaling is None:
        return
    ec2 = world.backend("ec2", cluster.region)
    for state in scaling.instance_states:
        cluster_group = ec2.get_security_group_from_id(cluster.group_id)
        interface(
            world,
            cluster.region,
            state.instance.subnet_id,
            cluster.name,
            state.instance.id,
            [cluster_group.id] if cluster_group else None,
        )


def interface(
    world: World, region: str, subnet_id: str, cluster: str, node: str, groups: list[str] | None
) -> Any:
    """Make an interface as the VPC CNI leaves it when its node is killed while detaching it."""
    ec2 = world.backend("ec2", region)
    return ec2.create_network_interface(
        ec2.get_subnet(subnet_id),
        [],
        group_ids=groups,
        description=f"aws-K8S-{node}",
        tags={
            "cluster.k8s.amazonaws.com/name": cluster,
            "eks:eni:owner": "amazon-vpc-cni",
            "node.k8s.amazonaws.com/instance_id": node,
            "node.k8s.amazonaws.com/createdAt": f"{agenda(world).now():%Y-%m-%dT%H:%M:%SZ}",
        },
    )

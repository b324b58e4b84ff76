"""What a cluster has in EC2 and CloudWatch: its security group, its interfaces, its log group."""

from __future__ import annotations

from typing import Any

from preflight.sandbox.ec2 import interfaces
from preflight.sandbox.ec2.dependencies import group_blockers
from preflight.sandbox.eks.state import Cluster, Shape, refuse
from preflight.sandbox.request import Request
from preflight.sandbox.world import World

# Zones EKS cannot use: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
CLOSED_ZONES = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
GROUP_DESCRIPTION = (
    "EKS created security group applied to ENI that is attached to EKS Control Plane master"
    " nodes, as well as any managed workloads."
)


def subnet(ec2: Any, id: str) -> Any:
    """Find a subnet in moto's state, or None."""
    return next((zone[id] for zone in ec2.subnets.values() if id in zone), None)


def check_network(request: Request, wanted: Shape) -> str:
    """Check subnets and security groups of a new cluster and give the id of their VPC."""
    ec2 = request.world.backend("ec2", request.region)
    subnets = [_existing(ec2, id) for id in wanted.get("subnetIds") or []]
    name = request.parameters.get("name", "")
    closed = [one for one in subnets if one.availability_zone_id in CLOSED_ZONES]
    if closed:
        _refuse_zone(ec2, closed[0].availability_zone, name)
    if len({one.vpc_id for one in subnets}) > 1:
        raise refuse("InvalidParameterException", "Subnets specified must be in the same VPC")
    if len({one.availability_zone for one in subnets}) < 2:
        message = "Subnets specified must be in at least two different AZs"
        raise refuse("InvalidParameterException", message, clusterName=name)
    check_groups(ec2, wanted.get("securityGroupIds") or [], subnets[0].vpc_id)
    return str(subnets[0].vpc_id)


def check_groups(ec2: Any, groups: list[str], vpc_id: str) -> None:
    """Refuse security groups that do not exist in the VPC."""
    for id in groups:
        group = ec2.get_security_group_from_id(id)
        if group is None:
            message = f"The security group '{id}' does not exist"
            raise refuse("InvalidParameterException", message)
        if group.vpc_id != vpc_id:
            message = f"Security group(s) [{id}] are not in the same VPC as the subnets"
            raise refuse("InvalidParameterException", message)


def _existing(ec2: Any, id: str) -> Any:
    found = subnet(ec2, id)
    if found is None:
        raise refuse("InvalidParameterException", f"The subnet ID '{id}' does not exist")
    return found


def _refuse_zone(ec2: Any, zone: str, name: str) -> None:
    valid = [
        one.name for one in ec2.describe_availability_zones() if one.zone_id not in CLOSED_ZONES
    ]
    raise refuse(
        "UnsupportedAvailabilityZoneException",
        f"Cannot create cluster '{name}' because {zone}, the targeted availability zone, does not"
        " currently have sufficient capacity to support the cluster. Retry and choose from these"
        f" availability zones: {', '.join(valid)}",
        clusterName=name,
        validZones=valid,
    )


def make_network(world: World, cluster: Cluster) -> None:
    """Make the cluster's own security group and the interfaces of its control plane."""
    ec2, setup = world.backend("ec2", cluster.region), cluster.shape["resourcesVpcConfig"]
    number = int(cluster.incarnation, 16) % 10**10
    name = f"eks-cluster-sg-{cluster.name}-{number}"
    group = ec2.create_security_group(
        name,
        GROUP_DESCRIPTION,
        vpc_id=setup["vpcId"],
        tags={
            "Name": name,
            "aws:eks:cluster-name": cluster.name,
            f"kubernetes.io/cluster/{cluster.name}": "owned",
        },
    )
    ec2.authorize_security_group_ingress(
        group.id, "-1", None, None, [], source_groups=[{"GroupId": group.id}]
    )
    setup["clusterSecurityGroupId"] = group.id
    zones = {subnet(ec2, id).availability_zone: id for id in setup["subnetIds"]}
    for id in list(zones.values())[:2]:
        eni = interfaces.make(
            ec2,
            id,
            kind="interface",
            description=f"Amazon EKS {cluster.name}",
            owner="amazon-eks",
            groups=[group.id, *setup.get("securityGroupIds", [])],
        )
        cluster.interfaces.append(eni.id)


def drop_network(world: World, cluster: Cluster) -> None:
    """Remove both; the security group stays when something that is not EKS's still uses it."""
    ec2 = world.backend("ec2", cluster.region)
    for eni_id in cluster.interfaces:
        interfaces.drop(ec2, eni_id)
    cluster.interfaces.clear()
    id = cluster.group_id
    if id and ec2.get_security_group_from_id(id) and not next(group_blockers(ec2, id), None):
        ec2.delete_security_group(group_id=id)


def log_group_name(cluster: str) -> str:
    """Name the log group of a control plane."""
    return f"/aws/eks/{cluster}/cluster"


def deliver_logs(world: World, region: str, cluster: str) -> None:
    """Deliver logs of the control plane, which makes the log group when it is not there."""
    logs = world.backend("logs", region)
    name = log_group_name(cluster)
    if name not in logs.groups:
        logs.create_log_group(name, {})

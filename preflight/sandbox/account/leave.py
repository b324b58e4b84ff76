"""What controllers inside a cluster make and leave behind, as `POST /_sandbox/leave` asks for it.

`{"cluster": NAME, "region": R, "what": ["load-balancer", "volume", "log-group", "eni"]}`; `what`
defaults to all. Asked again, a second Service leaves its things beside those of the first. Things
in a network go where the cluster is, or into the VPC named by `vpc`, so that the cluster's own
network can be deleted. Names, tags and descriptions are those of the AWS Load Balancer Controller,
the EBS CSI driver and the VPC CNI.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.eks import node_health
from preflight.sandbox.eks.network import deliver_logs, log_group_name
from preflight.sandbox.eks.state import Cluster, Eks
from preflight.sandbox.services import load_balancers
from preflight.sandbox.world import World

NAMESPACE, SERVICE = "default", "web"
VOLUME_GIB = 100


@dataclass
class Place:
    """Where things are left: the cluster's name, Region and network, and what was made so far."""

    world: World
    name: str
    region: str
    vpc_id: str
    cluster: Cluster | None
    made: list[dict[str, str]] = field(default_factory=list)
    kubernetes_service: str = SERVICE

    def backend(self, service: str) -> Any:
        """Give moto's state of a service in this Region."""
        return self.world.backend(service, self.region)

    def subnets(self) -> list[str]:
        """List the subnets things go to, one in a zone."""
        zones = {
            subnet.availability_zone: subnet.id
            for by_id in self.backend("ec2").subnets.values()
            for subnet in by_id.values()
            if subnet.vpc_id == self.vpc_id
        }
        if not zones:
            raise ValueError(f"no subnet in {self.vpc_id or 'the network'}: name a `vpc`")
        return [id for _, id in sorted(zones.items())]

    def note(self, kind: str, id: str) -> None:
        """Remember what was made."""
        self.made.append({"type": kind, "id": id})


def backend_group_name(cluster: str) -> str:
    """Compute the name of the shared backend security group of a cluster's load balancers."""
    digest = hashlib.sha256(cluster.encode()).hexdigest()[:10]
    return f"k8s-traffic-{re.sub('[^a-zA-Z0-9]', '', cluster)}-{digest}"


def _name(cluster: str, service: str, kind: str) -> str:
    text = "/".join((cluster, NAMESPACE, service, kind))
    return f"k8s-{NAMESPACE[:8]}-{service[:8]}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def _tags(place: Place, resource: str) -> dict[str, str]:
    return {
        "elbv2.k8s.aws/cluster": place.name,
        "service.k8s.aws/stack": f"{NAMESPACE}/{place.kubernetes_service}",
        "service.k8s.aws/resource": resource,
    }


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _group(place: Place, name: str, description: str, tags: dict[str, str]) -> Any:
    ec2 = place.backend("ec2")
    found = ec2.get_security_group_from_name(name, place.vpc_id)
    if found is None:
        found = ec2.create_security_group(name, description, vpc_id=place.vpc_id, tags=tags)
        place.note("ec2:security-group", found.id)
    return found


def _unused(place: Place) -> str:
    """Name a Service of which there is no load balancer yet."""
    there = {one.name for one in place.backend("elbv2").load_balancers.values()}
    services = itertools.chain([SERVICE], (f"{SERVICE}-{number}" for number in itertools.count(2)))
    return next(one for one in services if _name(place.name, one, "balancer") not in there)


def leave_load_balancer(place: Place) -> None:
    """A network load balancer for a Service, its target group and its two security groups."""
    ec2, elb, cluster = place.backend("ec2"), place.backend("elbv2"), place.name
    service = place.kubernetes_service = _unused(place)
    shared = _group(
        place,
        backend_group_name(cluster),
        "[k8s] Shared Backend SecurityGroup for LoadBalancer",
        {"elbv2.k8s.aws/cluster": cluster, "elbv2.k8s.aws/resource": "backend-sg"},
    )
    front = _group(
        place,
        _name(cluster, service, "group"),
        "[k8s] Managed SecurityGroup for LoadBalancer",
        _tags(place, "ManagedLBSecurityGroup"),
    )
    ec2.authorize_security_group_ingress(front.id, "tcp", "80", "80", [{"CidrIp": "0.0.0.0/0"}])
    balancer = elb.create_load_balancer(
        name=_name(cluster, service, "balancer"),
        security_groups=[front.id, shared.id],
        subnet_ids=place.subnets(),
        loadbalancer_type="network",
        tags=_listed(_tags(place, "LoadBalancer")),
    )
    load_balancers.begin(place.world, place.region, balancer)
    target = elb.create_target_group(
        _name(cluster, service, "target"),
        protocol="TCP",
        port="80",
        vpc_id=place.vpc_id,
        target_type="ip",
        tags=_listed(_tags(place, f"{NAMESPACE}/{service}:80")),
    )
    elb.create_listener(
        balancer.arn,
        "TCP",
        "80",
        ssl_policy="",
        certificate=None,
        actions=[{"Type": "forward", "TargetGroupArn": target.arn}],
        tags=_listed(_tags(place, "80")),
    )
    _open_nodes(place, shared.id)
    place.note("elasticloadbalancing:loadbalancer", balancer.arn)
    place.note("elasticloadbalancing:targetgroup", target.arn)


def _open_nodes(place: Place, shared: str) -> None:
    """Let the load balancer reach the nodes: a rule in the cluster's own security group."""
    cluster, ec2 = place.cluster, place.backend("ec2")
    group = ec2.get_security_group_from_id(cluster.group_id) if cluster else None
    if group is None or group.vpc_id != place.vpc_id:
        return
    sources = [rule.source_group or {} for rule in group.ingress_rules]
    if all(source.get("GroupId") != shared for source in sources):
        source = {"GroupId": shared, "Description": "elbv2.k8s.aws/targetGroupBinding=shared"}
        ec2.authorize_security_group_ingress(
            group.id, "tcp", "80", "80", [], source_groups=[source]
        )


def leave_volume(place: Place) -> None:
    """The volume of a PersistentVolumeClaim whose pod is gone."""
    ec2, claim = place.backend("ec2"), f"pvc-{uuid.uuid4()}"
    zone = ec2.describe_availability_zones()[0].name
    volume = ec2.create_volume(size=VOLUME_GIB, zone_name=zone, volume_type="gp3")
    volume.create_time = agenda(place.world).now()
    volume.add_tags(
        {
            "Name": f"{place.name}-dynamic-{claim}",
            "KubernetesCluster": place.name,
            f"kubernetes.io/cluster/{place.name}": "owned",
            "ebs.csi.aws.com/cluster": "true",
            "ebs.csi.aws.com/cluster-name": place.name,
            "CSIVolumeName": claim,
            "kubernetes.io/created-for/pv/name": claim,
            "kubernetes.io/created-for/pvc/name": f"data-{place.kubernetes_service}-0",
            "kubernetes.io/created-for/pvc/namespace": NAMESPACE,
        }
    )
    place.note("ec2:volume", volume.id)


def leave_log_groups(place: Place) -> None:
    """The log groups of Container Insights and of a control plane whose last logs came late."""
    logs, insights = place.backend("logs"), f"/aws/containerinsights/{place.name}/performance"
    for name in (insights, log_group_name(place.name)):
        if name not in logs.groups:
            place.note("logs:log-group", name)
    if insights not in logs.groups:
        logs.create_log_group(insights, {})
    deliver_logs(place.world, place.region, place.name)


def leave_interface(place: Place) -> None:
    """A network interface for pods, leaked when its node was killed while detaching it."""
    ec2, node = place.backend("ec2"), node_health.made_up_node()
    group = ec2.get_security_group_from_id(place.cluster.group_id) if place.cluster else None
    groups = [group.id] if group is not None and group.vpc_id == place.vpc_id else None
    eni = node_health.interface(
        place.world, place.region, place.subnets()[0], place.name, node, groups
    )
    place.note("ec2:network-interface", eni.id)


LEAVERS: dict[str, Callable[[Place], None]] = {
    "load-balancer": leave_load_balancer,
    "volume": leave_volume,
    "log-group": leave_log_groups,
    "eni": leave_interface,
}


def leave(world: World, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Make what is asked for and name it; raises ValueError or KeyError for what cannot be."""
    wanted = asked.get("what") or list(LEAVERS)
    unknown = sorted(set(wanted) - set(LEAVERS))
    if unknown:
        raise ValueError(f"nothing leaves {unknown}; there are {list(LEAVERS)}")
    with world.lock:
        agenda(world).catch_up()
        region = asked.get("region") or world.region
        cluster = world.part(Eks).clusters.get((region, asked["cluster"]))
        default = world.backend("ec2", region).get_default_vpc()
        vpc_id = cluster.shape["resourcesVpcConfig"]["vpcId"] if cluster else None
        vpc_id = asked.get("vpc") or vpc_id or (default.id if default else "")
        place = Place(world, str(asked["cluster"]), region, str(vpc_id), cluster)
        for what in wanted:
            LEAVERS[what](place)
        return {"made": place.made}

"""Load balancers that controllers leave, with their groups, by the names the controllers give.

https://github.com/kubernetes-sigs/aws-load-balancer-controller (pkg/networking, pkg/deploy)
https://github.com/kubernetes/cloud-provider-aws (pkg/providers/v1/aws_loadbalancer.go)
"""

from __future__ import annotations

import hashlib
import itertools
import re
import uuid
from typing import Any

from preflight.sandbox.account.place import NAMESPACE, SERVICE, Place, listed
from preflight.sandbox.services import load_balancers


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
        tags=listed(_tags(place, "LoadBalancer")),
    )
    load_balancers.begin(place.world, place.region, balancer)
    target = elb.create_target_group(
        _name(cluster, service, "target"),
        protocol="TCP",
        port="80",
        vpc_id=place.vpc_id,
        target_type="ip",
        tags=listed(_tags(place, f"{NAMESPACE}/{service}:80")),
    )
    elb.create_listener(
        balancer.arn,
        "TCP",
        "80",
        ssl_policy="",
        certificate=None,
        actions=[{"Type": "forward", "TargetGroupArn": target.arn}],
        tags=listed(_tags(place, "80")),
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


def leave_classic(place: Place) -> None:
    """A classic load balancer of the in-tree controller, and its security group."""
    ec2, elb = place.backend("ec2"), place.backend("elb")
    name = f"a{uuid.uuid4().hex}"[:32]
    described = f"{NAMESPACE}/{place.kubernetes_service}"
    group = _group(
        place,
        f"k8s-elb-{name}",
        f"Security group for Kubernetes ELB {name} ({described})",
        place.owned(),
    )
    ec2.authorize_security_group_ingress(group.id, "tcp", "80", "80", [{"CidrIp": "0.0.0.0/0"}])
    port = {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}
    balancer = elb.create_load_balancer(
        name, [], [port], subnets=place.subnets(), security_groups=[group.id]
    )
    for key, value in {**place.owned(), "kubernetes.io/service-name": described}.items():
        balancer.add_tag(key, value)
    load_balancers.follow(place.world, place.region, balancer)
    place.note("elasticloadbalancing:loadbalancer", name)

"""Load balancers and Auto Scaling groups.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_elasticloadbalancing.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
"""

from __future__ import annotations

from collections.abc import Iterator

from preflight.sandbox.identity.resources.arn import ANY, Arns, arn
from preflight.sandbox.request import Request

#: What a load balancer's type is called in its ARN.
_KINDS = {"application": "app", "network": "net", "gateway": "gwy"}
_SERVICE = "elasticloadbalancing"


def classic(request: Request) -> Arns:
    """Name Classic Load Balancers."""
    given = request.parameters
    if request.operation.startswith("Describe"):
        return [ANY]
    names = given.get("LoadBalancerNames") or [given.get("LoadBalancerName")]
    return [arn(request, _SERVICE, f"loadbalancer/{name}") if name else None for name in names]


def elbv2(request: Request) -> Arns:
    """Name load balancers, target groups and listeners of the newer API: by their ARNs."""
    given, operation = request.parameters, request.operation
    if operation.startswith("Describe"):
        return [ANY]
    if operation == "CreateLoadBalancer":
        kind = _KINDS.get(str(given.get("Type") or "application"))
        return [arn(request, _SERVICE, f"loadbalancer/{kind}/{given.get('Name')}/*")]
    if operation == "CreateTargetGroup":
        return [arn(request, _SERVICE, f"targetgroup/{given.get('Name')}/*")]
    for member in ("ResourceArns", "RuleArn", "ListenerArn", "TargetGroupArn", "LoadBalancerArn"):
        found = given.get(member)
        if found:
            return [str(one) for one in (found if isinstance(found, list) else [found])]
    return [None]


def scaling(request: Request) -> Arns:
    """Name Auto Scaling groups: their ARNs hold an id, `*` where there is no such group."""
    if request.operation.startswith("Describe"):
        return [ANY]
    given = request.parameters
    names = [given.get("AutoScalingGroupName")]
    names += [one.get("ResourceId") for one in given.get("Tags") or () if "ResourceId" in one]
    return list(_groups(request, [str(one) for one in names if one])) or [None]


def _groups(request: Request, names: list[str]) -> Iterator[str]:
    with request.world.lock:
        there = request.world.backend("autoscaling", request.region).autoscaling_groups
        for name in names:
            tail = f"autoScalingGroup:*:autoScalingGroupName/{name}"
            found = there.get(name)
            yield str(found.arn) if found else arn(request, "autoscaling", tail)

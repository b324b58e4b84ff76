"""Which requests make AWS create a service-linked role, unless the account has it.

https://docs.aws.amazon.com/eks/latest/userguide/using-service-linked-roles.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-service-linked-roles.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html
https://docs.aws.amazon.com/guardduty/latest/ug/using-service-linked-roles.html
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/using-service-linked-roles.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from preflight.sandbox.identity import service_linked
from preflight.sandbox.request import Request, Response

SPOT = "spot.amazonaws.com"
ROLES = {
    ("autoscaling", "CreateAutoScalingGroup"): ("autoscaling.amazonaws.com",),
    ("ec2", "RequestSpotInstances"): (SPOT,),
    ("eks", "CreateCluster"): ("eks.amazonaws.com",),
    ("eks", "CreateNodegroup"): ("eks-nodegroup.amazonaws.com", "autoscaling.amazonaws.com"),
    ("elb", "CreateLoadBalancer"): ("elasticloadbalancing.amazonaws.com",),
    ("elbv2", "CreateLoadBalancer"): ("elasticloadbalancing.amazonaws.com",),
    ("guardduty", "CreateDetector"): ("guardduty.amazonaws.com",),
    ("route53resolver", "AssociateResolverQueryLogConfig"): ("route53resolver.amazonaws.com",),
}


def _wants_spot(given: Mapping[str, Any]) -> bool:
    market = (given.get("InstanceMarketOptions") or {}).get("MarketType")
    return market == "spot" or given.get("capacityType") == "SPOT"


def created(request: Request, _: Response) -> None:
    """Make the roles the request needed."""
    for service in ROLES.get((request.service, request.operation), ()):
        service_linked.ensure(request.world, service)
    if _wants_spot(request.parameters):
        service_linked.ensure(request.world, SPOT)


EFFECTS = dict.fromkeys((*ROLES, ("ec2", "RunInstances")), created)

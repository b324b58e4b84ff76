"""Load balancers of all kinds: the interfaces AWS makes for them, and when one may not go.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html
The words of the refusals are those that users quote:
https://github.com/rebuy-de/aws-nuke (protection, resources/elbv2-alb.go),
https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3037 (target groups).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.ec2 import interfaces
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# Virtual seconds for which the interfaces outlive their load balancer, as users see it: two to
# four minutes, seldom ten.
INTERFACES_LINGER = 150.0
OWNER, INTERNAL = "amazon-elb", "internal"
# The part of the ARN that names the type, and how EC2 calls the interfaces.
KINDS = {
    "application": ("app", "interface"),
    "network": ("net", "network_load_balancer"),
    "gateway": ("gwy", "gateway_load_balancer"),
}


def interfaces_of(ec2: Any, description: str) -> list[Any]:
    """List the interfaces of a load balancer by the description AWS gives them."""
    return [eni for eni in ec2.enis.values() if eni.description == description]


def described_as(balancer: Any) -> str:
    """Write the description of a load balancer's interfaces."""
    arn = getattr(balancer, "arn", "")
    return "ELB " + (arn.partition(":loadbalancer/")[2] if arn else balancer.name)


def follow(world: World, region: str, balancer: Any) -> None:
    """Give a load balancer one interface in each of its subnets, and all of them its groups."""
    ec2, description = world.backend("ec2", region), described_as(balancer)
    subnets = [getattr(one, "id", one) for one in balancer.subnets or ()]
    there = {eni.subnet.id: eni for eni in interfaces_of(ec2, description)}
    for id, eni in there.items():
        if id not in subnets:
            agenda(world).after(INTERFACES_LINGER, partial(interfaces.drop, ec2, eni.id))
    _, kind = KINDS.get(getattr(balancer, "type", ""), KINDS["application"])
    for id in subnets:
        eni = there.get(id)
        if eni is None:
            eni = interfaces.make(
                ec2, id, kind=kind, description=description, owner=OWNER, groups=[]
            )
            if balancer.scheme != INTERNAL:
                interfaces.publish(eni)
        groups = [ec2.get_security_group_from_id(one) for one in balancer.security_groups or ()]
        eni._group_set = [one for one in groups if one is not None]  # noqa: SLF001 - no other way


def _rename(elb: Any, balancer: Any) -> None:
    """Give a load balancer and its tags the ARN of its type; moto knows application ones only."""
    arn = balancer.arn.replace(":loadbalancer/app/", f":loadbalancer/{KINDS[balancer.type][0]}/")
    if arn == balancer.arn:
        return
    tags = elb.tagging_service.list_tags_for_resource(balancer.arn)["Tags"]
    elb.tagging_service.delete_all_tags_for_resource(balancer.arn)
    elb.tagging_service.tag_resource(arn, tags)
    elb.load_balancers[arn] = elb.load_balancers.pop(balancer.arn)
    balancer.arn = arn


def begin(world: World, region: str, balancer: Any) -> None:
    """Make of a load balancer that moto has just made one of AWS's."""
    ec2 = world.backend("ec2", region)
    _rename(world.backend("elbv2", region), balancer)
    if balancer.type == "application" and not balancer.security_groups:
        balancer.security_groups = [ec2.get_default_security_group(balancer.vpc_id).id]
    follow(world, region, balancer)


def create(request: Request) -> Mapping[str, Any] | Response:
    """CreateLoadBalancer: the same again makes nothing, another one of the name is refused."""
    given, elb = request.parameters, request.world.backend("elbv2", request.region)
    for there in list(elb.load_balancers.values()):
        if there.name == given["Name"]:
            if not _is_as_asked(there, given):
                name = given["Name"]
                message = (
                    f"A load balancer with the same name '{name}' exists, but with different"
                    " settings"
                )
                raise AwsFault("DuplicateLoadBalancerName", message)
            return {"LoadBalancers": [_row(there)]}
    response = request.forward()
    if response.is_error:
        return response
    result = response.result
    for made in result["LoadBalancers"]:
        balancer = elb.load_balancers[made["LoadBalancerArn"]]
        begin(request.world, request.region, balancer)
        made.update(LoadBalancerArn=balancer.arn, SecurityGroups=balancer.security_groups)
    return result


def _is_as_asked(balancer: Any, given: Mapping[str, Any]) -> bool:
    subnets = [*given.get("Subnets", ()), *(o["SubnetId"] for o in given.get("SubnetMappings", ()))]
    groups = given.get("SecurityGroups")
    return (
        {one.id for one in balancer.subnets} == set(subnets)
        and balancer.type == given.get("Type", "application")
        and (balancer.scheme or "internet-facing") == given.get("Scheme", "internet-facing")
        and (groups is None or set(balancer.security_groups or ()) == set(groups))
    )


def _row(balancer: Any) -> dict[str, Any]:
    return {
        "LoadBalancerArn": balancer.arn,
        "DNSName": balancer.dns_name,
        "CanonicalHostedZoneId": balancer.canonical_hosted_zone_id,
        "CreatedTime": balancer.created_time,
        "LoadBalancerName": balancer.name,
        "Scheme": balancer.scheme or "internet-facing",
        "VpcId": balancer.vpc_id,
        "State": balancer.load_balancer_state,
        "Type": balancer.type,
        "AvailabilityZones": [
            {"ZoneName": one.availability_zone, "SubnetId": one.id} for one in balancer.subnets
        ],
        "SecurityGroups": list(balancer.security_groups or ()),
        "IpAddressType": balancer.ip_address_type,
    }


def changed(request: Request, _: Response) -> None:
    """Let the interfaces follow other subnets or groups."""
    elb = request.world.backend("elbv2", request.region)
    balancer = elb.load_balancers.get(request.parameters["LoadBalancerArn"])
    if balancer is not None:
        follow(request.world, request.region, balancer)


def refuse_one_zone(request: Request) -> None:
    """An Application Load Balancer needs subnets in two zones.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    The words: https://github.com/kasmtech/terraform/issues/5
    """
    given = request.parameters
    mapped = [one.get("SubnetId") for one in given.get("SubnetMappings") or ()]
    subnets = {*(given.get("Subnets") or ()), *mapped}
    ec2 = request.world.backend("ec2", request.region)
    zones = {zone for zone, there in ec2.subnets.items() if subnets & there.keys()}
    if given.get("Type", "application") == "application" and len(zones) < 2:
        message = "At least two subnets in two different Availability Zones must be specified"
        raise AwsFault("ValidationError", message)


def refuse_protected(request: Request) -> None:
    """A load balancer with deletion protection stays."""
    arn = request.parameters["LoadBalancerArn"]
    balancer = request.world.backend("elbv2", request.region).load_balancers.get(arn)
    if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise AwsFault("OperationNotPermitted", message)


def refuse_used_target_group(request: Request) -> None:
    """A target group stays while a listener or a rule of one forwards to it."""
    arn = request.parameters["TargetGroupArn"]
    elb = request.world.backend("elbv2", request.region)
    if elb._any_listener_using(arn):  # noqa: SLF001 - moto's own refusal has other words
        message = f"Target group '{arn}' is currently in use by a listener or a rule"
        raise AwsFault("ResourceInUse", message)


def _linger(world: World, region: str, description: str) -> None:
    ec2 = world.backend("ec2", region)
    for eni in interfaces_of(ec2, description):
        agenda(world).after(INTERFACES_LINGER, partial(interfaces.drop, ec2, eni.id))


def deleted(request: Request, _: Response) -> None:
    """The interfaces stay for a while after their load balancer is gone."""
    tail = request.parameters["LoadBalancerArn"].partition(":loadbalancer/")[2]
    _linger(request.world, request.region, f"ELB {tail}")


def classic_created(request: Request, _: Response) -> None:
    """A classic load balancer has interfaces just the same."""
    elb = request.world.backend("elb", request.region)
    balancer = elb.load_balancers[request.parameters["LoadBalancerName"]]
    follow(request.world, request.region, balancer)


def classic_deleted(request: Request, _: Response) -> None:
    """And they outlive it too."""
    _linger(request.world, request.region, f"ELB {request.parameters['LoadBalancerName']}")


RULES = {
    ("elbv2", "CreateLoadBalancer"): refuse_one_zone,
    ("elbv2", "DeleteLoadBalancer"): refuse_protected,
    ("elbv2", "DeleteTargetGroup"): refuse_used_target_group,
}
OPERATIONS = {("elbv2", "CreateLoadBalancer"): create}
EFFECTS = {
    ("elb", "CreateLoadBalancer"): classic_created,
    ("elb", "DeleteLoadBalancer"): classic_deleted,
    ("elbv2", "DeleteLoadBalancer"): deleted,
    ("elbv2", "SetSecurityGroups"): changed,
    ("elbv2", "SetSubnets"): changed,
}

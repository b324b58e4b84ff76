"""States of EC2 that take their time: VPCs, NAT gateways."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda, catch_up
from preflight.sandbox.ec2 import interfaces
from preflight.sandbox.ec2.tokens import REPLAYED
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response

# Virtual seconds: medians of what users' logs show.
NAT_PENDING, NAT_DELETING, NAT_REMEMBERED = 105.0, 60.0, 3600.0
NETWORK_PENDING = 1.0


def _ec2(request: Request) -> Any:
    return request.world.backend("ec2", request.region)


def _become(thing: Any, state: str, only_from: str) -> Callable[[], None]:
    """Make an act that changes a state, unless something else has happened to the thing."""

    def act() -> None:
        if thing.state == only_from:
            thing.state = state

    return act


def vpc_created(request: Request, response: Response) -> None:
    """A new VPC is pending for a moment."""
    vpc = _ec2(request).vpcs.get(response.result.get("Vpc", {}).get("VpcId"))
    if vpc is not None:
        vpc.state = "pending"
        agenda(request.world).after(NETWORK_PENDING, _become(vpc, "available", "pending"))


def subnet_created(request: Request, response: Response) -> None:
    """A new subnet is pending for a moment."""
    id = response.result.get("Subnet", {}).get("SubnetId")
    if id:
        subnet = _ec2(request).get_subnet(id)
        subnet.state = "pending"
        agenda(request.world).after(NETWORK_PENDING, _become(subnet, "available", "pending"))


def nat_must_exist(request: Request) -> None:
    """Refuse NAT gateways that are not there, which moto lets pass or falls over."""
    wanted = request.parameters.get("NatGatewayIds") or []
    if request.operation == "DeleteNatGateway":
        wanted = [request.parameters.get("NatGatewayId")]
    for id in wanted:
        if id not in _ec2(request).nat_gateways:
            raise AwsFault("NatGatewayNotFound", f"NatGateway {id} was not found")


def nat_created(request: Request, response: Response) -> dict[str, Any] | None:
    """A NAT gateway is pending for a while, and has a network interface of AWS's from the start."""
    result = response.result
    id = result.get("NatGateway", {}).get("NatGatewayId")
    if not id or REPLAYED in request.notes:
        return None
    nat = _ec2(request).nat_gateways[id]
    nat.state = "pending"
    nat._created_at = agenda(request.world).now()  # noqa: SLF001 - moto's time is real time
    interfaces.take_over(
        nat._eni,  # noqa: SLF001 - moto has no other way to it
        kind="nat_gateway",
        description=f"Interface for NAT Gateway {id}",
        owner="amazon-aws",
    )
    nat._eni._group_set = []  # noqa: SLF001 - a NAT gateway has no security group
    agenda(request.world).after(NAT_PENDING, partial(_nat_made, request, nat))
    result["NatGateway"]["State"] = "pending"
    return result


def _nat_made(request: Request, nat: Any) -> None:
    """A public NAT gateway in a VPC without a way to the internet fails.

    https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
    """
    if nat.state != "pending":
        return
    reached = {one.vpc.id for one in _ec2(request).internet_gateways.values() if one.vpc}
    if nat.connectivity_type == "private" or nat.vpc_id in reached:
        nat.state = "available"
        return
    nat.failure_code = "Gateway.NotAttached"
    nat.failure_message = f"Network {nat.vpc_id} has no Internet gateway attached"
    _nat_ended(request, nat, "failed")


def nat_deleting(request: Request) -> dict[str, Any]:
    """Delete a NAT gateway: accepted at once, done later, described as deleted for an hour."""
    id = request.parameters["NatGatewayId"]
    nat = _ec2(request).nat_gateways[id]
    if nat.state not in ("deleting", "deleted", "failed"):
        nat.state = "deleting"
        agenda(request.world).after(NAT_DELETING, partial(_nat_ended, request, nat, "deleted"))
    return {"NatGatewayId": id}


def _nat_ended(request: Request, nat: Any, state: str) -> None:
    """Free subnet and address; what is deleted or failed is described for an hour more."""
    ec2 = _ec2(request)
    nat.state = state
    nat.delete_time = agenda(request.world).now()
    interfaces.drop(ec2, nat._eni.id)  # noqa: SLF001 - moto has no other way to it
    forget = ec2.nat_gateways.pop
    agenda(request.world).after(NAT_REMEMBERED, lambda: forget(nat.id, None))


def routes_described(request: Request, response: Response) -> dict[str, Any] | None:
    """A route through something that is gone stays, as a black hole."""
    ec2, result, changed = _ec2(request), response.result, False
    for table in result.get("RouteTables", []):
        for route in table.get("Routes", []):
            if _is_black_hole(ec2, table["VpcId"], route):
                route["State"] = "blackhole"
                changed = True
    return result if changed else None


def _is_black_hole(ec2: Any, vpc_id: str, route: dict[str, Any]) -> bool:
    if "NatGatewayId" in route:
        nat = ec2.nat_gateways.get(route["NatGatewayId"])
        return nat is None or nat.state in ("deleted", "failed")
    if route.get("GatewayId", "").startswith("igw-"):
        gateway = ec2.internet_gateways.get(route["GatewayId"])
        return gateway is None or gateway.vpc is None or gateway.vpc.id != vpc_id
    return False


def instances_ended(request: Request, _: Response) -> None:
    """The network interfaces that were made with an instance go with it."""
    interfaces.drop_orphans(_ec2(request))


RULES = {
    ("*", "*"): catch_up,
    ("ec2", "DeleteNatGateway"): nat_must_exist,
    ("ec2", "DescribeNatGateways"): nat_must_exist,
}
OPERATIONS = {("ec2", "DeleteNatGateway"): nat_deleting}
EFFECTS = {
    ("ec2", "CreateVpc"): vpc_created,
    ("ec2", "CreateSubnet"): subnet_created,
    ("ec2", "CreateNatGateway"): nat_created,
    ("ec2", "DescribeRouteTables"): routes_described,
    ("ec2", "TerminateInstances"): instances_ended,
    ("autoscaling", "DeleteAutoScalingGroup"): instances_ended,
    ("autoscaling", "SetDesiredCapacity"): instances_ended,
    ("autoscaling", "UpdateAutoScalingGroup"): instances_ended,
}

"""VPC endpoints: pending and deleting for a while, with interfaces that AWS holds.

https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpcEndpoints.html
"""

from __future__ import annotations

from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.ec2 import interfaces
from preflight.sandbox.ec2.tokens import REPLAYED
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# Virtual seconds: medians of what users' logs show.
PENDING = {"Interface": 110.0, "Gateway": 6.0}
DELETING = {"Interface": 75.0, "Gateway": 2.0}
#: A fault with this action lets new endpoints become `failed`; its `error` is the code they tell.
FAILURE = "sandbox:EndpointFailure"


def begin(world: World, region: str, endpoint: Any) -> None:
    """Let an endpoint that moto has just made be pending, and its interfaces be AWS's."""
    ec2 = world.backend("ec2", region)
    endpoint.vpc_endpoint_type = endpoint.vpc_endpoint_type or "Gateway"
    endpoint.state = "pending"
    groups = [ec2.get_security_group_from_id(group) for group in endpoint.security_group_ids]
    for eni_id in endpoint.network_interface_ids:
        eni = ec2.enis[eni_id]
        eni._group_set = groups or eni._group_set  # noqa: SLF001 - moto gives it the default group
        interfaces.take_over(
            eni,
            kind="vpc_endpoint",
            description=f"VPC Endpoint Interface {endpoint.id}",
            owner="amazon-aws",
        )
    wait = PENDING.get(endpoint.vpc_endpoint_type, PENDING["Interface"])
    agenda(world).after(wait, partial(_made, world, region, endpoint))


def _made(world: World, region: str, endpoint: Any) -> None:
    if endpoint.state != "pending":
        return
    code = world.part(Faults).of(FAILURE, region)
    endpoint.state = "failed" if code else "available"
    if code:
        message = f"The sandbox was told to let the endpoint fail with {code}"
        endpoint.last_error = {"Code": code, "Message": message}


def end(world: World, region: str, endpoint: Any) -> None:
    """Let an endpoint be deleting, and then go with its interfaces and routes."""
    if endpoint.state != "deleting":
        endpoint.state = "deleting"
        wait = DELETING.get(endpoint.vpc_endpoint_type, DELETING["Interface"])
        agenda(world).after(wait, partial(_gone, world.backend("ec2", region), endpoint.id))


def _gone(ec2: Any, id: str) -> None:
    endpoint = ec2.vpc_end_points.pop(id, None)
    if endpoint is None:
        return
    for eni_id in endpoint.network_interface_ids:
        interfaces.drop(ec2, eni_id)
    for table in ec2.route_tables.values():
        for key, route in list(table._routes.items()):  # noqa: SLF001 - moto's own deleting fails here
            if route.gateway_id == id:
                del table._routes[key]  # noqa: SLF001


def created(request: Request, response: Response) -> dict[str, Any] | None:
    """A VPC endpoint is pending for a while; its interfaces belong to AWS."""
    result = response.result
    id = result.get("VpcEndpoint", {}).get("VpcEndpointId")
    if not id or REPLAYED in request.notes:
        return None
    endpoint = request.world.backend("ec2", request.region).vpc_end_points[id]
    begin(request.world, request.region, endpoint)
    result["VpcEndpoint"].update(State="pending", VpcEndpointType=endpoint.vpc_endpoint_type)
    return result


def delete(request: Request) -> dict[str, Any]:
    """DeleteVpcEndpoints: each one accepted or named in `Unsuccessful`, and gone later."""
    ec2, refused = request.world.backend("ec2", request.region), []
    for id in request.parameters["VpcEndpointIds"]:
        endpoint = ec2.vpc_end_points.get(id)
        if endpoint is None:
            message = f"The Vpc Endpoint Id '{id}' does not exist"
            error = {"Code": "InvalidVpcEndpointId.NotFound", "Message": message}
            refused.append({"ResourceId": id, "Error": error})
        else:
            end(request.world, request.region, endpoint)
    return {"Unsuccessful": refused}


OPERATIONS = {("ec2", "DeleteVpcEndpoints"): delete}
EFFECTS = {("ec2", "CreateVpcEndpoint"): created}

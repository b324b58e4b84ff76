"""Client tokens of EC2: the same request a second time makes nothing, and gets the same answer.

moto ignores them. https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
"""

from __future__ import annotations

import json
from dataclasses import replace

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# What the product creates; every creating call of EC2 that takes a token could stand here.
TOKENED = """
    CreateLaunchTemplate CreateLaunchTemplateVersion CreateNatGateway CreateNetworkInterface
    CreateRouteTable CreateVolume CreateVpcEndpoint RunInstances
""".split()
#: In the notes of a request that made nothing: what follows a creation must not happen again.
REPLAYED = "replayed"


class ClientTokens:
    """The tokens seen, with what was asked and answered, by Region, operation and token."""

    def __init__(self, _: World) -> None:
        self.seen: dict[tuple[str, str, str], tuple[str, Response]] = {}


def create_once(request: Request) -> Response:
    """Let moto create, or answer as the first time."""
    parameters = dict(request.parameters)
    token = parameters.pop("ClientToken", None)
    if not token:
        return request.forward()
    wanted = json.dumps(parameters, sort_keys=True, default=str)
    seen, key = request.world.part(ClientTokens).seen, (request.region, request.operation, token)
    if key not in seen:
        response = request.forward()
        if not response.is_error:
            seen[key] = (wanted, response)
        return response
    before, response = seen[key]
    if before != wanted:
        raise AwsFault(
            "IdempotentParameterMismatch",
            "The client token you have provided is associated with a resource that already exists."
            " The request uses the same client token as a previous, but non-identical request.",
        )
    request.notes[REPLAYED] = True
    return replace(response, request=request)


OPERATIONS = {("ec2", operation): create_once for operation in TOKENED}

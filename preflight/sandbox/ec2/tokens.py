"""Client tokens of EC2: the same request a second time makes nothing, and gets the same answer.

moto ignores them. https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# What moto makes and takes a token for; see also preflight/sandbox/ec2/spot.py.
TOKENED = """
    AllocateHosts CopyImage CreateCarrierGateway CreateEgressOnlyInternetGateway CreateFleet
    CreateFlowLogs CreateLaunchTemplate CreateLaunchTemplateVersion CreateManagedPrefixList
    CreateNatGateway CreateNetworkAcl CreateNetworkInterface CreateRouteTable CreateVolume
    CreateVpcEndpoint ModifyLaunchTemplate RunInstances
""".split()
Answer = dict[str, Any] | Response
# So many tokens are known at a time: nobody tries again after so many others.
REMEMBERED = 10_000
#: In the notes of a request that made nothing: what follows a creation must not happen again.
REPLAYED = "replayed"


class ClientTokens:
    """The tokens seen, with what was asked and answered, by Region, operation and token."""

    def __init__(self, _: World) -> None:
        self.seen: dict[tuple[str, str, str], tuple[str, Answer]] = {}


def once(request: Request, create: Callable[[Request], Answer]) -> Answer:
    """Let something be created, or answer as the first time."""
    parameters = dict(request.parameters)
    token = parameters.pop("ClientToken", None)
    if not token:
        return create(request)
    wanted = json.dumps(parameters, sort_keys=True, default=str)
    seen, key = request.world.part(ClientTokens).seen, (request.region, request.operation, token)
    if key not in seen:
        answer = create(request)
        if isinstance(answer, Response) and answer.is_error:
            return answer
        seen[key] = (wanted, _without_request(answer))
        if len(seen) > REMEMBERED:
            del seen[next(iter(seen))]
        return answer
    before, answer = seen[key]
    if before != wanted:
        raise AwsFault(
            "IdempotentParameterMismatch",
            "The client token you have provided is associated with a resource that already exists."
            " The request uses the same client token as a previous, but non-identical request.",
        )
    request.notes[REPLAYED] = True
    return replace(answer, request=request) if isinstance(answer, Response) else answer


def _without_request(answer: Answer) -> Answer:
    """Let go of the request, which is larger than its answer; the next one takes its place."""
    return replace(answer, request=cast("Any", None)) if isinstance(answer, Response) else answer


def create_once(request: Request) -> Answer:
    """Let moto create, but not a second time."""
    return once(request, Request.forward)


OPERATIONS = {("ec2", operation): create_once for operation in TOKENED}

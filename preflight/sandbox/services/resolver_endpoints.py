"""Endpoints and rules of Route 53 Resolver: interfaces that AWS holds, and the time things take.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_CreateResolverEndpoint.html
https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_DeleteResolverEndpoint.html
https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_DeleteResolverRule.html
The words about an endpoint with rules: https://github.com/rebuy-de/aws-nuke/issues/586. A rule
with a VPC moto refuses by itself and in its own words.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.ec2 import interfaces
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# Virtual seconds; those of endpoints are what users see, those of rules a guess.
CREATING, DELETING, UPDATING, STEP = 90.0, 60.0, 30.0, 10.0
DNS_PORT = 53


def _backend(request: Request) -> Any:
    return request.world.backend("route53resolver", request.region)


def _hold(world: World, region: str, endpoint: Any) -> None:
    """Let AWS hold the interfaces of an endpoint, new ones too."""
    ec2 = world.backend("ec2", region)
    for id in endpoint.eni_ids:
        eni = ec2.enis[id]
        if not interfaces.is_managed(eni):
            interfaces.take_over(
                eni, kind="interface", description=eni.description, owner="amazon-route-53"
            )


def _become(thing: Any, status: str, only_from: str) -> Callable[[], None]:
    def act() -> None:
        if thing.status == only_from:
            thing.status = status

    return act


def _begin(request: Request, thing: Any, status: str, seconds: float, then: str) -> None:
    thing.status = status
    agenda(request.world).after(seconds, _become(thing, then, status))


def endpoint_created(request: Request, response: Response) -> dict[str, Any]:
    """An endpoint is CREATING for a while."""
    endpoint = _backend(request).resolver_endpoints[response.result["ResolverEndpoint"]["Id"]]
    _hold(request.world, request.region, endpoint)
    _begin(request, endpoint, "CREATING", CREATING, "OPERATIONAL")
    return {"ResolverEndpoint": endpoint.description()}


def addresses_changed(request: Request, _: Response) -> dict[str, Any]:
    """An endpoint is UPDATING while it gets or loses an address."""
    endpoint = _backend(request).resolver_endpoints[request.parameters["ResolverEndpointId"]]
    _hold(request.world, request.region, endpoint)
    _begin(request, endpoint, "UPDATING", UPDATING, "OPERATIONAL")
    return {"ResolverEndpoint": endpoint.description()}


def release(request: Request) -> None:
    """Let go of the interface of an address that is taken away, so that moto can delete it."""
    endpoint = _backend(request).resolver_endpoints.get(request.parameters["ResolverEndpointId"])
    address = request.parameters.get("IpAddress") or {}
    if endpoint is None:
        return
    ips = endpoint.subnets.get(address.get("SubnetId"), {})
    meant = address.get("Ip") or next(
        (ip for ip, id in ips.items() if id == address.get("IpId")), None
    )
    ec2 = request.world.backend("ec2", request.region)
    for id in endpoint.eni_ids:
        if ec2.enis[id].private_ip_address == meant:
            ec2.enis[id].instance = ec2.enis[id].attachment_id = None
            ec2.enis[id].status = "available"


def delete_endpoint(request: Request) -> dict[str, Any] | Response:
    """DeleteResolverEndpoint: refused while rules name it, else done later."""
    backend, id = _backend(request), request.parameters["ResolverEndpointId"]
    endpoint = backend.resolver_endpoints.get(id)
    rules = [one.id for one in backend.resolver_rules.values() if one.resolver_endpoint_id == id]
    if endpoint is None:
        return request.forward()
    if rules:
        named = ", ".join(f'"{one}"' for one in sorted(rules))
        message = (
            "[RSLVR-00600] Cannot delete resolver endpoint unless its related resolver rules are"
            f" deleted. The following rules still exist for this resolver endpoint: {named}"
        )
        raise AwsFault("InvalidRequestException", message)
    if endpoint.status != "DELETING":
        endpoint.status = "DELETING"
        gone = partial(_endpoint_gone, request.world, request.region, endpoint)
        agenda(request.world).after(DELETING, gone)
    return {"ResolverEndpoint": endpoint.description()}


def _endpoint_gone(world: World, region: str, endpoint: Any) -> None:
    backend = world.backend("route53resolver", region)
    for id in endpoint.eni_ids:
        interfaces.drop(world.backend("ec2", region), id)
    backend.resolver_endpoints.pop(endpoint.id, None)
    backend.tagger.delete_all_tags_for_resource(endpoint.arn)


def create_rule(request: Request) -> Response:
    """CreateResolverRule: addresses without a port mean DNS's, which moto falls over.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_TargetAddress.html
    """
    given = json.loads(request.body)
    given["TargetIps"] = [{"Port": DNS_PORT, **one} for one in given.get("TargetIps") or ()]
    request.body = json.dumps(given).encode()
    return request.forward()


def rule_must_be_usable(request: Request) -> None:
    """A rule needs an endpoint that is there to stay."""
    id = request.parameters.get("ResolverEndpointId")
    endpoint = _backend(request).resolver_endpoints.get(id)
    if endpoint is not None and endpoint.status == "DELETING":
        message = f"Resolver endpoint '{id}' is being deleted"
        raise AwsFault("ResourceUnavailableException", message)


def rule_deleted(request: Request, response: Response) -> None:
    """The tags of a rule go with it."""
    arn = response.result["ResolverRule"]["Arn"]
    _backend(request).tagger.delete_all_tags_for_resource(arn)


def rule_associated(request: Request, response: Response) -> dict[str, Any]:
    """A VPC follows a rule some seconds later."""
    id = response.result["ResolverRuleAssociation"]["Id"]
    association = _backend(request).resolver_rule_associations[id]
    _begin(request, association, "CREATING", STEP, "COMPLETE")
    return {"ResolverRuleAssociation": association.description()}


def disassociate_rule(request: Request) -> dict[str, Any] | Response:
    """DisassociateResolverRule: accepted at once, done later."""
    given, associations = request.parameters, _backend(request).resolver_rule_associations
    for one in associations.values():
        if (one.resolver_rule_id, one.vpc_id) == (given["ResolverRuleId"], given["VPCId"]):
            break
    else:
        return request.forward()
    if one.status != "DELETING":
        one.status = "DELETING"
        agenda(request.world).after(STEP, partial(_forget, associations, one.id))
    return {"ResolverRuleAssociation": one.description()}


def _forget(associations: dict[str, Any], id: str) -> None:
    associations.pop(id, None)


SERVICE = "route53resolver"
RULES = {
    (SERVICE, "CreateResolverRule"): rule_must_be_usable,
    (SERVICE, "DisassociateResolverEndpointIpAddress"): release,
}
OPERATIONS = {
    (SERVICE, "CreateResolverRule"): create_rule,
    (SERVICE, "DeleteResolverEndpoint"): delete_endpoint,
    (SERVICE, "DisassociateResolverRule"): disassociate_rule,
}
EFFECTS = {
    (SERVICE, "AssociateResolverEndpointIpAddress"): addresses_changed,
    (SERVICE, "AssociateResolverRule"): rule_associated,
    (SERVICE, "CreateResolverEndpoint"): endpoint_created,
    (SERVICE, "DeleteResolverRule"): rule_deleted,
    (SERVICE, "DisassociateResolverEndpointIpAddress"): addresses_changed,
}

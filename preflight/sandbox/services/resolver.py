"""Query logging of Route 53 Resolver: what moto lacks of it, and the time it takes.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response

# Virtual seconds from one status to the next.
STEP = 10.0
CONFIG_ARN = ":resolver-query-log-config/"


def _backend(request: Request) -> Any:
    return request.world.backend("route53resolver", request.region)


def _not_found(what: str, id: str) -> AwsFault:
    return AwsFault("ResourceNotFoundException", f"{what} with ID '{id}' does not exist")


def _config(request: Request) -> Any:
    id = request.parameters["ResolverQueryLogConfigId"]
    found = _backend(request).resolver_query_log_configs.get(id)
    if found is None:
        raise _not_found("Resolver query log config", id)
    return found


def _become(thing: Any, status: str) -> Callable[[], None]:
    def act() -> None:
        if thing.status == "CREATING":
            thing.status = status

    return act


def _begin(request: Request, thing: Any, status: str) -> dict[str, Any]:
    """Let a new thing be CREATING for a while, and describe it as it is now."""
    thing.status = "CREATING"
    thing.creation_time = agenda(request.world).now().isoformat()
    agenda(request.world).after(STEP, _become(thing, status))
    described: dict[str, Any] = thing.description()
    return described


def create_config(request: Request) -> dict[str, Any] | Response:
    """CreateResolverQueryLogConfig: the same CreatorRequestId makes nothing a second time."""
    given, configs = request.parameters, _backend(request).resolver_query_log_configs
    for config in configs.values():
        if config.creator_request_id != given["CreatorRequestId"]:
            continue
        if (config.name, config.destination_arn) == (given["Name"], given["DestinationArn"]):
            return {"ResolverQueryLogConfig": config.description()}
        message = f"The creator request ID '{given['CreatorRequestId']}' was used for {config.id}"
        raise AwsFault("ResourceExistsException", message)
    response = request.forward()
    if response.is_error:
        return response
    made = configs[response.result["ResolverQueryLogConfig"]["Id"]]
    return {"ResolverQueryLogConfig": _begin(request, made, "CREATED")}


def delete_config(request: Request) -> dict[str, Any]:
    """DeleteResolverQueryLogConfig: refused while a VPC is associated, and done later.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_DeleteResolverQueryLogConfig.html
    """
    config, backend = _config(request), _backend(request)
    associations = backend.resolver_query_log_config_associations.values()
    vpcs = [a.resource_id for a in associations if a.resolver_query_log_config_id == config.id]
    if vpcs:
        message = (
            "Cannot delete resolver query log config unless its related associations are deleted."
            f" The following VPCs are still associated with it: {', '.join(sorted(vpcs))}"
        )
        raise AwsFault("InvalidRequestException", message)

    def gone() -> None:
        backend.resolver_query_log_configs.pop(config.id, None)
        backend.tagger.delete_all_tags_for_resource(config.arn)

    if config.status != "DELETING":
        config.status = "DELETING"
        agenda(request.world).after(STEP, gone)
    return {"ResolverQueryLogConfig": config.description()}


def associate(request: Request) -> dict[str, Any] | Response:
    """AssociateResolverQueryLogConfig: queries are logged some seconds later."""
    config = _config(request)
    if config.status == "DELETING":
        message = f"Resolver query log config '{config.id}' is being deleted"
        raise AwsFault("InvalidRequestException", message)
    response = request.forward()
    if response.is_error:
        return response
    made = _backend(request).resolver_query_log_config_associations[
        response.result["ResolverQueryLogConfigAssociation"]["Id"]
    ]
    return {"ResolverQueryLogConfigAssociation": _begin(request, made, "ACTIVE")}


def disassociate(request: Request) -> dict[str, Any]:
    """DisassociateResolverQueryLogConfig: accepted at once, done later."""
    config, vpc = _config(request), request.parameters["ResourceId"]
    associations = _backend(request).resolver_query_log_config_associations
    for association in associations.values():
        if (association.resolver_query_log_config_id, association.resource_id) == (config.id, vpc):
            break
    else:
        raise _not_found(f"Association of '{config.id}' and VPC", vpc)

    def gone() -> None:
        if associations.pop(association.id, None) is not None:
            config.association_count -= 1

    if association.status != "DELETING":
        association.status = "DELETING"
        agenda(request.world).after(STEP, gone)
    return {"ResolverQueryLogConfigAssociation": association.description()}


def _is_config(request: Request) -> bool:
    """Whether a request is about the tags of a configuration; raises when there is none."""
    arn = request.parameters["ResourceArn"]
    if CONFIG_ARN not in arn:
        return False
    if all(arn != one.arn for one in _backend(request).resolver_query_log_configs.values()):
        raise _not_found("Resolver query log config", arn)
    return True


def list_tags(request: Request) -> dict[str, Any] | Response:
    """ListTagsForResource, of configurations too."""
    if not _is_config(request):
        return request.forward()
    arn = request.parameters["ResourceArn"]
    tags = _backend(request).tagger.list_tags_for_resource(arn)["Tags"]
    size = int(request.parameters.get("MaxResults") or 100)
    start = int(request.parameters.get("NextToken") or 0)
    answer: dict[str, Any] = {"Tags": tags[start : start + size]}
    if start + size < len(tags):
        answer["NextToken"] = str(start + size)
    return answer


def tag(request: Request) -> dict[str, Any] | Response:
    """TagResource, of configurations too."""
    if not _is_config(request):
        return request.forward()
    tagger, tags = _backend(request).tagger, request.parameters["Tags"]
    wrong = tagger.validate_tags(tags)
    if wrong:
        raise AwsFault("InvalidTagException", wrong)
    tagger.tag_resource(request.parameters["ResourceArn"], tags)
    return {}


def untag(request: Request) -> dict[str, Any] | Response:
    """UntagResource, of configurations too."""
    if not _is_config(request):
        return request.forward()
    given = request.parameters
    _backend(request).tagger.untag_resource_using_names(given["ResourceArn"], given["TagKeys"])
    return {}


OPERATIONS = {
    ("route53resolver", "AssociateResolverQueryLogConfig"): associate,
    ("route53resolver", "CreateResolverQueryLogConfig"): create_config,
    ("route53resolver", "DeleteResolverQueryLogConfig"): delete_config,
    ("route53resolver", "DisassociateResolverQueryLogConfig"): disassociate,
    ("route53resolver", "ListTagsForResource"): list_tags,
    ("route53resolver", "TagResource"): tag,
    ("route53resolver", "UntagResource"): untag,
}

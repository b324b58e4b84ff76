"""Queues, topics and rules of EventBridge.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
"""

from __future__ import annotations

from preflight.sandbox.identity.resources.arn import ANY, Arns, arn
from preflight.sandbox.request import Request

#: Looks of EventBridge that are judged on nothing.
_ALL_BUSES = frozenset({"ListConnections", "ListEventBuses", "ListEventSources", "ListReplays"})


def sqs(request: Request) -> Arns:
    """Name a queue by its name or its URL."""
    given = request.parameters
    if "MessageMoveTask" in request.operation:
        return [str(given["SourceArn"]) if given.get("SourceArn") else None]
    name = given.get("QueueName") or str(given.get("QueueUrl") or "").rpartition("/")[2]
    return [arn(request, "sqs", str(name)) if name else ANY]


def sns(request: Request) -> Arns:
    """Name a topic; lists are judged on all topics of the Region."""
    given = request.parameters
    if given.get("TopicArn") or given.get("ResourceArn"):
        return [str(given.get("TopicArn") or given["ResourceArn"])]
    if given.get("SubscriptionArn"):
        return [str(given["SubscriptionArn"]).rpartition(":")[0]]
    return [arn(request, "sns", str(given.get("Name") or "*"))]


def events(request: Request) -> Arns:
    """Name a rule on its bus; lists are judged on all rules."""
    given = request.parameters
    if given.get("ResourceARN"):
        return [str(given["ResourceARN"])]
    if request.operation == "ListRules":
        return [arn(request, "events", "rule/*")]
    if request.operation in _ALL_BUSES:
        return [ANY]
    name, bus = given.get("Rule") or given.get("Name"), given.get("EventBusName") or "default"
    if not name or "Rule" not in request.operation + "".join(given):
        return [None]
    own = "" if bus == "default" else f"{str(bus).rpartition('/')[2]}/"
    return [arn(request, "events", f"rule/{own}{name}")]

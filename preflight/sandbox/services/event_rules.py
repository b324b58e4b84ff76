"""Targets of EventBridge rules: ten in a call, and some of them may fail in a call that succeeds.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemoveTargets.html
moto refuses to delete a rule with targets by itself, in EventBridge's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.request import Request, Response

AT_ONCE = 10
#: A fault with this action lets the first entry of a call fail with its `error`, such as
#: ConcurrentModificationException; the answer is 200 all the same.
FAILED_ENTRY = "sandbox:FailedEntry"
ENTRIES = {"PutTargets": ("Targets", "targets"), "RemoveTargets": ("Ids", "ids")}


def refuse_many(request: Request) -> None:
    """Refuse more than ten entries."""
    member, name = ENTRIES[request.operation]
    if len(request.parameters.get(member) or ()) > AT_ONCE:
        message = (
            f"1 validation error detected: Value at '{name}' failed to satisfy constraint: Member"
            f" must have length less than or equal to {AT_ONCE}"
        )
        raise AwsFault("ValidationException", message)


def _id(entry: Any) -> str:
    return str(entry["Id"] if isinstance(entry, Mapping) else entry)


def change(request: Request) -> Mapping[str, Any] | Response:
    """PutTargets and RemoveTargets: what fails is told, and is as it was before."""
    member, _ = ENTRIES[request.operation]
    told = request.world.part(Faults).of(FAILED_ENTRY, request.region)
    failing = _id(request.parameters[member][0]) if told else None
    bus = request.parameters.get("EventBusName") or "default"
    events = request.world.backend("events", request.region)
    rule = events.describe_event_bus(bus).rules.get(request.parameters["Rule"])
    before = [one for one in rule.targets if one["Id"] == failing] if rule and failing else []
    response = request.forward()
    if response.is_error or failing is None or rule is None:
        return response
    rule.targets = [one for one in rule.targets if one["Id"] != failing] + before
    message = f"The sandbox was told to let an entry fail with {told}"
    entry = {"TargetId": failing, "ErrorCode": told, "ErrorMessage": message}
    return {"FailedEntryCount": 1, "FailedEntries": [entry]}


RULES = {("events", operation): refuse_many for operation in ENTRIES}
OPERATIONS = {("events", operation): change for operation in ENTRIES}

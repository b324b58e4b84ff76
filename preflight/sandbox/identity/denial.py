"""How a denial is told: in each service's own code, in AWS's words, and encoded by EC2.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any

from preflight.policy import Decision, Outcome
from preflight.sandbox import wire
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity.principals import Principal
from preflight.sandbox.request import Request

#: STS does not say which policy was in the way of a role.
_SILENT = frozenset({"sts:AssumeRole"})


def denial(request: Request, signer: Principal, decision: Decision) -> AwsFault:
    """Write the refusal as the service of the request does."""
    action, resource = decision.request.action, decision.request.resource or "*"
    reason = "" if action in _SILENT else f" {decision.reason}"
    message = (
        f"User: {signer.arn} is not authorized to perform: {action} on resource: {resource}{reason}"
    )
    if request.service == "ec2":
        message = (
            f"You are not authorized to perform this operation. {message}. "
            f"Encoded authorization failure message: {encode(signer, decision)}"
        )
        return AwsFault("UnauthorizedOperation", message, 403)
    if request.service == "sns":
        return AwsFault("AuthorizationError", message, 403)
    code, status = _code_and_status(request)
    return AwsFault(code, message, status)


def _code_and_status(request: Request) -> tuple[str, int]:
    """JSON services say AccessDeniedException, the older ones AccessDenied."""
    model = wire.operation_model(request.service, request.operation)
    protocol = model.service_model.metadata.get("protocol", "json") if model else "json"
    form = request.environ.get("CONTENT_TYPE", "").startswith("application/x-www-form")
    if form or protocol in {"query", "rest-xml"} or request.service == "sqs":
        return "AccessDenied", 403
    return "AccessDeniedException", 403 if protocol == "rest-json" else 400


def encode(signer: Principal, decision: Decision) -> str:
    """Pack the details of a denial for sts:DecodeAuthorizationMessage.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
    """
    question = decision.request
    details = {
        "allowed": False,
        "explicitDeny": decision.outcome is Outcome.EXPLICIT_DENY,
        "matchedStatements": {
            "items": [
                {
                    "statementId": one.sid,
                    "effect": "ALLOW" if one.allows else "DENY",
                    "sourcePolicyId": one.policy,
                }
                for one in decision.matched
            ]
        },
        "failures": {"items": []},
        "context": {
            "principal": {"id": signer.user_id, "name": signer.name, "arn": signer.arn},
            "action": question.action,
            "resource": question.resource or "*",
            "conditions": {
                "items": [
                    {"key": key, "values": {"items": [{"value": one} for one in values]}}
                    for key, values in sorted(question.context.values.items())
                ]
            },
        },
    }
    packed = zlib.compress(json.dumps(details, separators=(",", ":")).encode(), 9)
    return base64.urlsafe_b64encode(packed).decode()


def decode_authorization_message(request: Request) -> Mapping[str, Any]:
    """Unpack what a denial of EC2 carried."""
    message = str(request.parameters.get("EncodedMessage", ""))
    try:
        details = zlib.decompress(base64.urlsafe_b64decode(message.encode())).decode()
        json.loads(details)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise AwsFault(
            "InvalidAuthorizationMessageException", f"Invalid authorization message: {message}", 400
        ) from error
    return {"DecodedMessage": details}


OPERATIONS = {("sts", "DecodeAuthorizationMessage"): decode_authorization_message}

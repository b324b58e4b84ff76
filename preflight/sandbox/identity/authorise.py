"""Judge every request by the policies of whoever signed it, and refuse in AWS's words.

Identity policies, the permissions boundary, the scenario's SCPs and session policies all have
their say; for sts:AssumeRole the role's trust policy too, and for S3 the bucket's. What would hang
on a resource or a key that the sandbox does not know is let through (actions.py says which
those are). The sandbox's own admin key is not judged.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from preflight.policy import (
    Context,
    ContextValue,
    Decision,
    Outcome,
    Policy,
    Principal,
    evaluate,
)
from preflight.policy import Request as Question
from preflight.sandbox import wire
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity import iam
from preflight.sandbox.identity.actions import requirements
from preflight.sandbox.identity.principals import Principal as Signer
from preflight.sandbox.identity.requirement import Requirement
from preflight.sandbox.request import Request
from preflight.sandbox.services import buckets
from preflight.sandbox.world import World

# Keys that AWS always knows and the sandbox does not.
UNKNOWN = (
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:ResourceTag/*",
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:VpcSourceIp",
)
_PRINCIPAL_TYPES = {
    "federated": "FederatedUser",
    "role": "AssumedRole",
    "root": "Account",
    "user": "User",
}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Who a signer is to the policies, and all policies that bind him."""

    principal: Principal
    identity: tuple[Policy, ...]
    boundary: Policy | None
    scps: tuple[tuple[Policy, ...], ...]
    session: tuple[Policy, ...] | None
    context: Mapping[str, ContextValue]

    @classmethod
    def of(cls, world: World, signer: Signer) -> Standing:
        """Look the policies up as they are now; a deleted role or user has none."""
        arn = _entity_arn(world, signer)
        principal = Principal(arn=arn, session_arn=signer.arn if signer.arn != arn else None)
        with world.lock:
            identity, boundary, tags = _granted(world, arn)
            scps = iam.scp_levels(world)
            session = _session_policies(world, signer)
        service_linked = ":role/aws-service-role/" in arn
        return cls(
            principal=principal,
            identity=tuple(identity),
            boundary=boundary,
            scps=() if service_linked else tuple(tuple(level) for level in scps),
            session=session,
            context=_caller_keys(signer, arn, tags | dict(signer.tags)),
        )


def _entity_arn(world: World, signer: Signer) -> str:
    """Name the role or user behind a session; a federated user stands for the user he is from."""
    if signer.kind != "federated":
        return signer.role_arn or signer.arn
    with world.lock:
        user = world.backend("iam", "aws").users.get(signer.name)
    return str(user.arn) if user is not None else signer.arn


def _granted(world: World, arn: str) -> tuple[list[Policy], Policy | None, dict[str, str]]:
    try:
        kind, holder = iam.entity(world, arn)
    except AwsFault:
        return [], None, {}
    granted = [source.policy for source in iam.sources(world, kind, holder)]
    tags = {tag["Key"]: tag["Value"] for tag in holder.tags or ()}
    return granted, iam.boundary(world, kind, holder), tags


def _session_policies(world: World, signer: Signer) -> tuple[Policy, ...] | None:
    """Read the policies passed when the session was made; None when there were none.

    A federated user without any may do nothing.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
    """
    policies = [iam.policy_document(world, arn) for arn in signer.session_policy_arns]
    if signer.session_policy:
        policies.append(Policy.parse(signer.session_policy, id="session policy"))
    if not policies and signer.kind != "federated":
        return None
    return tuple(policies)


def _caller_keys(signer: Signer, arn: str, tags: Mapping[str, str]) -> dict[str, ContextValue]:
    keys: dict[str, ContextValue] = {
        "aws:PrincipalAccount": signer.account,
        "aws:PrincipalArn": arn,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": _PRINCIPAL_TYPES[signer.kind],
        "aws:ViaAWSService": "false",
        "aws:userid": signer.user_id,
    }
    if signer.kind == "user":
        keys["aws:username"] = signer.name
    if signer.kind in {"role", "federated"}:
        keys["aws:MultiFactorAuthPresent"] = "false"
    return keys | {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}


def authorise(request: Request) -> None:
    """Raise the fault AWS has for a denial; unsigned requests and the admin key pass."""
    signer = request.principal
    if signer is None or request.access_key_id == request.world.admin_key_id:
        return
    standing = Standing.of(request.world, signer)
    for requirement in requirements(request):
        decision = decide(request, standing, requirement)
        if decision.outcome in {Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY}:
            raise denial(request, signer, decision)


def decide(request: Request, standing: Standing, requirement: Requirement) -> Decision:
    """Put one requirement to the policies."""
    now = request.world.clock.now()
    surroundings: dict[str, ContextValue] = {
        "aws:CurrentTime": now.isoformat(),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:RequestedRegion": request.region,
        "aws:SecureTransport": "true",
    }
    context = Context.of(
        {**surroundings, **standing.context, **requirement.context},
        unknown=(*UNKNOWN, *requirement.unknown),
    )
    trust = _trust(request, requirement)
    of_bucket = buckets.policy(request, requirement)
    return evaluate(
        Question(
            action=requirement.action,
            principal=standing.principal,
            resource=requirement.resource,
            context=context,
        ),
        identity=standing.identity,
        boundary=standing.boundary,
        scps=standing.scps,
        session=standing.session,
        resource=trust or of_bucket,
        resource_account=_account(requirement.resource) if trust else None,
        resource_must_allow=trust is not None,
    )


def _trust(request: Request, requirement: Requirement) -> Policy | None:
    """Give the trust policy of the role that is to be assumed, when there is such a role."""
    if requirement.action != "sts:AssumeRole" or not requirement.resource:
        return None
    try:
        with request.world.lock:
            _, role = iam.entity(request.world, requirement.resource)
    except (AwsFault, IndexError):
        return None
    return iam.read_policy(role.assume_role_policy_document, "trust policy")


def _account(arn: str | None) -> str | None:
    return arn.split(":")[4] if arn and arn.count(":") >= 5 else None


def denial(request: Request, signer: Signer, decision: Decision) -> AwsFault:
    """Write the refusal as the service of the request does."""
    action, resource = decision.request.action, decision.request.resource or "*"
    message = (
        f"User: {signer.arn} is not authorized to perform: {action} "
        f"on resource: {resource} {decision.reason}"
    )
    if action == "sts:AssumeRole":
        message = message.removesuffix(f" {decision.reason}")
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


def encode(signer: Signer, decision: Decision) -> str:
    """Pack the details of a denial for sts:DecodeAuthorizationMessage."""
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


def dry_run(request: Request) -> None:
    """End a trial of EC2 here, after authorisation: moto would carry some of them out."""
    if request.parameters.get("DryRun"):
        raise AwsFault(
            "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412
        )


AUTHORISERS = (authorise,)
OPERATIONS = {("sts", "DecodeAuthorizationMessage"): decode_authorization_message}
RULES = {("ec2", "*"): dry_run}

"""Judge every request by the policies of whoever signed it and of what it acts on.

Identity policies, the permissions boundary, the scenario's SCPs, session policies and the policy
of the resource all have their say. What would hang on a resource or a key that the sandbox does
not know is let through (docs/sandbox.md says which those are). The sandbox's own admin key is not
judged, but by the trust policy of a role that it is to become.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from preflight.policy import Context, ContextValue, Decision, Outcome, evaluate
from preflight.policy import Request as Question
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity.actions import requirements
from preflight.sandbox.identity.denial import denial
from preflight.sandbox.identity.principals import Principal
from preflight.sandbox.identity.requirement import Requirement
from preflight.sandbox.identity.resource_policies import policy_on
from preflight.sandbox.identity.standing import Standing
from preflight.sandbox.identity.tags import tags_of
from preflight.sandbox.request import Request

#: Keys that AWS always knows and the sandbox does not: it sees only callers on this machine.
UNKNOWN = ("aws:SourceIp",)
#: What services call the tags on their things, beside `aws:ResourceTag`.
#: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_OWN_RESOURCE_TAGS = frozenset({"autoscaling", "ec2", "ecr", "elasticloadbalancing", "iam"})


def authorise(request: Request) -> None:
    """Raise the fault AWS has for a denial; unsigned requests and the admin key pass."""
    signer = request.principal
    if signer is None:
        return
    refuse_session(request, signer)
    is_admin = request.access_key_id == request.world.admin_key_id
    if is_admin and request.action != "sts:AssumeRole":
        return
    standing = (Standing.of_admin if is_admin else Standing.of)(request.world, signer)
    for requirement in requirements(request):
        decision = decide(request, standing, requirement)
        if decision.outcome in {Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY}:
            raise denial(request, signer, decision)


def refuse_session(request: Request, signer: Principal) -> None:
    """Refuse IAM to sessions of users: only with MFA, which the sandbox has not, may they ask.

    The page says that they may not; users report in which words.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
    """
    is_session = signer.issued is not None and signer.kind in {"user", "federated"}
    if is_session and request.service == "iam":
        raise AwsFault(
            "InvalidClientTokenId", "The security token included in the request is invalid.", 403
        )


def decide(request: Request, standing: Standing, requirement: Requirement) -> Decision:
    """Put one requirement to the policies."""
    on = policy_on(request, requirement.action, requirement.resource)
    return evaluate(
        Question(
            action=requirement.action,
            principal=standing.principal,
            resource=requirement.resource,
            context=_context(request, standing, requirement),
        ),
        identity=standing.identity,
        boundary=standing.boundary,
        scps=standing.scps,
        session=standing.session,
        resource=on.policy,
        resource_account=on.account,
        resource_must_allow=on.must_allow,
    )


def _context(request: Request, standing: Standing, requirement: Requirement) -> Context:
    now = request.world.clock.now()
    keys: dict[str, ContextValue] = {
        "aws:CurrentTime": now.isoformat(),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:RequestedRegion": request.region,
        "aws:ResourceAccount": _account(requirement.resource) or request.account,
        "aws:SecureTransport": "true",
        "aws:UserAgent": str(request.environ.get("HTTP_USER_AGENT", "")),
        "aws:ViaAWSService": "true" if requirement.through else "false",
    }
    unknown = [*UNKNOWN, *standing.unknown, *requirement.unknown]
    if requirement.through:
        # Which services fill it is listed by AWS, and those that make clusters are not among them.
        unknown.append("aws:CalledVia*")
    if requirement.action.startswith("kms:"):
        keys["kms:CallerAccount"] = request.account
    tags, absent = _resource_tags(request, requirement)
    if absent is None:
        unknown += [f"{name}:ResourceTag/*" for name in _tag_prefixes(requirement)]
    return Context.of(
        {**keys, **standing.context, **tags, **requirement.context},
        unknown=unknown,
        absent=absent or (),
    )


def _resource_tags(
    request: Request, requirement: Requirement
) -> tuple[dict[str, ContextValue], tuple[str, ...] | None]:
    """Give the tags on the resource as keys, and the patterns of those that are surely not there.

    None for the second when nothing is known of the tags.
    """
    prefixes = _tag_prefixes(requirement)
    tags = tags_of(request.world, requirement.resource)
    if tags is None and request.operation.startswith("Create"):
        tags = {}  # what is about to be made has none, whether AWS names it before or not
    if tags is None:
        return {}, None
    keys: dict[str, ContextValue] = {
        f"{prefix}:ResourceTag/{key}": value for prefix in prefixes for key, value in tags.items()
    }
    return keys, tuple(f"{prefix}:ResourceTag/*" for prefix in prefixes)


def _tag_prefixes(requirement: Requirement) -> tuple[str, ...]:
    arn = requirement.resource or ""
    own = arn.split(":", 3)[2] if arn.count(":") >= 3 else requirement.action.partition(":")[0]
    return ("aws", own) if own in _OWN_RESOURCE_TAGS else ("aws",)


def _account(arn: str | None) -> str | None:
    return arn.split(":")[4] if arn and arn.count(":") >= 5 else None


def dry_run(request: Request) -> None:
    """End a trial of EC2 here, after authorisation: moto would carry some of them out."""
    if request.parameters.get("DryRun"):
        raise AwsFault(
            "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412
        )


AUTHORISERS = (authorise,)
RULES = {("ec2", "*"): dry_run}

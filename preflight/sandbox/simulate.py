"""The policy simulator: what a principal, or a set of policies, may do.

It answers from the same evaluator that judges real requests, with what AWS leaves out left out: SCP
statements and SCP keys are never shown, a role's trust and session policies never asked, and a
context key that was not given is absent.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from preflight.errors import SpecError
from preflight.policy import (
    Context,
    Decision,
    Layer,
    Outcome,
    Policy,
    Principal,
    Statement,
    evaluate,
)
from preflight.policy import Request as Question
from preflight.sandbox import iam
from preflight.sandbox.exclusions import exclusions_of, invalid_input
from preflight.sandbox.iam import Source
from preflight.sandbox.request import Request

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_ENTITY = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(user|role|group)/.+")
_SEVERITY = (Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY, Outcome.ALLOWED)
PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose permissions are simulated: policies, the types AWS shows for them, and the caller."""

    policies: tuple[Policy, ...]
    types: Mapping[str, tuple[str, str]]
    boundary: Policy | None
    scps: tuple[tuple[Policy, ...], ...]
    resource: Policy | None
    caller: Principal

    @property
    def keys(self) -> tuple[str, ...]:
        """The context keys that the policies ask for anywhere; never those of SCPs."""
        asked = [*self.policies, self.boundary, self.resource]
        first: dict[str, str] = {}
        for policy in asked:
            for key in policy.keys if policy else ():
                first.setdefault(key.lower(), key)
        return tuple(first.values())


def simulate_principal_policy(request: Request) -> Mapping[str, Any]:
    """Simulate an existing user, group or role."""
    given = request.parameters
    arn = _entity_arn(str(given["PolicySourceArn"]))
    kind, holder = iam.entity(request.world, arn)
    exclusions = exclusions_of(given.get("PolicyExclusionList") or ())
    found = [one for one in iam.sources(request.world, kind, holder) if not exclusions.drop(one)]
    inputs = _inputs(given.get("PolicyInputList"), "PolicyInputList")
    boundary = _one(given.get("PermissionsBoundaryPolicyInputList"), "PermissionsBoundaryPolicy")
    if boundary is None and kind != "group" and "permission-boundary" not in exclusions.types:
        boundary = iam.boundary(request.world, kind, holder)
    scps = [] if "scp" in exclusions.types else iam.scp_levels(request.world)
    caller = str(given.get("CallerArn") or arn)
    return _simulate(
        request,
        Subject(
            policies=(*(one.policy for one in found), *inputs),
            types={one.policy.id: _shown(one) for one in found},
            boundary=boundary,
            scps=tuple(tuple(level) for level in scps),
            resource=_one([given["ResourcePolicy"]], "ResourcePolicy")
            if given.get("ResourcePolicy")
            else None,
            caller=Principal(arn=caller),
        ),
    )


def simulate_custom_policy(request: Request) -> Mapping[str, Any]:
    """Simulate policies that are passed in."""
    given = request.parameters
    caller = given.get("CallerArn") or f"arn:aws:iam::{request.world.account}:user/simulated"
    levels = [
        _inputs(one.get("ServiceControlPolicyInputList"), "ServiceControlPolicyInputList")
        for one in given.get("OrderedOrganizationPolicyInputList") or ()
    ]
    return _simulate(
        request,
        Subject(
            policies=_inputs(given.get("PolicyInputList"), "PolicyInputList"),
            types={},
            boundary=_one(
                given.get("PermissionsBoundaryPolicyInputList"), "PermissionsBoundaryPolicy"
            ),
            scps=tuple(levels),
            resource=_one([given["ResourcePolicy"]], "ResourcePolicy")
            if given.get("ResourcePolicy")
            else None,
            caller=Principal(arn=str(caller)),
        ),
    )


def context_keys_for_principal(request: Request) -> Mapping[str, Any]:
    """List the context keys in the policies of a user, group or role."""
    given = request.parameters
    kind, holder = iam.entity(request.world, _entity_arn(str(given["PolicySourceArn"])))
    found = [one.policy for one in iam.sources(request.world, kind, holder)]
    return _keys([*found, *_inputs(given.get("PolicyInputList"), "PolicyInputList")])


def context_keys_for_custom(request: Request) -> Mapping[str, Any]:
    """List the context keys in policies that are passed in."""
    return _keys(_inputs(request.parameters.get("PolicyInputList"), "PolicyInputList"))


def _keys(policies: Iterable[Policy]) -> Mapping[str, Any]:
    names = {key.lower(): key for policy in policies for key in policy.keys}
    return {"ContextKeyNames": list(names.values())}


def _entity_arn(arn: str) -> str:
    if not _ENTITY.fullmatch(arn):
        raise invalid_input(
            f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
        )
    return arn


def _inputs(documents: Sequence[str] | None, name: str) -> tuple[Policy, ...]:
    try:
        return tuple(
            Policy.parse(text, id=f"{name}.{number}")
            for number, text in enumerate(documents or (), start=1)
        )
    except SpecError as error:
        raise invalid_input(f"Invalid policy in {name}: {error}") from error


def _one(documents: Sequence[str] | None, name: str) -> Policy | None:
    policies = _inputs(documents, name)
    if len(policies) > 1:
        raise invalid_input(f"Only one {name} can be passed")
    return policies[0] if policies else None


def _shown(source: Source) -> tuple[str, str]:
    if source.kind == "inline":
        return source.policy.id, source.holder_type
    return source.name, source.kind


def _simulate(request: Request, subject: Subject) -> Mapping[str, Any]:
    given = request.parameters
    entries = given.get("ContextEntries") or ()
    context = Context.of(
        {str(one["ContextKeyName"]): list(one.get("ContextKeyValues") or ()) for one in entries}
    )
    missing = [key for key in subject.keys if not isinstance(context.look(key.lower()), tuple)]
    actions = [str(name) for name in given["ActionNames"]]
    for name in actions:
        if not _ACTION.fullmatch(name):
            raise invalid_input(f"Invalid Action: {name}")
    start, count = _page(given)
    resources = [str(arn) for arn in given.get("ResourceArns") or ["*"]]
    results = [
        _action_result(subject, action, resources, context, missing, given.get("ResourceOwner"))
        for action in actions[start : start + count]
    ]
    answer: dict[str, Any] = {"EvaluationResults": results, "IsTruncated": False}
    if start + count < len(actions):
        marker = base64.urlsafe_b64encode(str(start + count).encode()).decode()
        answer |= {"IsTruncated": True, "Marker": marker}
    return answer


def _page(given: Mapping[str, Any]) -> tuple[int, int]:
    try:
        start = int(base64.urlsafe_b64decode(str(given.get("Marker") or "MA==").encode()))
    except (ValueError, binascii.Error) as error:
        raise invalid_input("Invalid Marker.") from error
    return start, int(given.get("MaxItems") or PAGE)


def _action_result(
    subject: Subject,
    action: str,
    resources: Sequence[str],
    context: Context,
    missing: Sequence[str],
    owner: str | None,
) -> dict[str, Any]:
    decisions = [_decide(subject, action, arn, context, owner) for arn in resources]
    outcomes = [_outcome(one) for one in decisions]
    statements = {id(s): s for one in decisions for s in _matched(one)}
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": _template(resources[0]),
        "EvalDecision": min(outcomes, key=_SEVERITY.index).value,
        "MatchedStatements": [_statement(one, subject) for one in statements.values()],
        "MissingContextValues": list(missing),
    }
    if subject.scps:
        result["OrganizationsDecisionDetail"] = {
            "AllowedByOrganizations": all(_layer_allows(one, Layer.SCP) for one in decisions)
        }
    result |= _boundary_detail(subject, decisions)
    if list(resources) != ["*"]:
        result["ResourceSpecificResults"] = [
            {
                "EvalResourceName": arn,
                "EvalResourceDecision": outcome.value,
                "MatchedStatements": [_statement(one, subject) for one in _matched(decision)],
                "MissingContextValues": list(missing),
                **_boundary_detail(subject, [decision]),
            }
            for arn, decision, outcome in zip(resources, decisions, outcomes, strict=True)
        ]
    return result


def _decide(
    subject: Subject, action: str, resource: str, context: Context, owner: str | None
) -> Decision:
    account = owner.split(":")[4] if owner and owner.count(":") >= 5 else owner
    return evaluate(
        Question(action=action, principal=subject.caller, resource=resource, context=context),
        identity=subject.policies,
        boundary=subject.boundary,
        scps=subject.scps,
        resource=subject.resource,
        resource_account=account if subject.resource else None,
    )


def _outcome(decision: Decision) -> Outcome:
    """A denial by an SCP is shown as implicit, whatever the SCP says."""
    return Outcome.IMPLICIT_DENY if decision.layer is Layer.SCP else decision.outcome


def _matched(decision: Decision) -> list[Statement]:
    """Keep the statements that AWS shows: never those of SCPs or of a boundary that allows."""
    if decision.layer is Layer.SCP:
        return []
    shown = (Layer.IDENTITY, Layer.RESOURCE)
    if decision.outcome is Outcome.ALLOWED:
        layers = [one for one in decision.layers if one.layer in shown and one.allows]
        return [statement for one in layers for statement in one.matched]
    return list(decision.matched)


def _statement(statement: Statement, subject: Subject) -> dict[str, Any]:
    name, kind = subject.types.get(statement.policy, (statement.policy, "none"))
    if statement.policy.startswith("ResourcePolicy"):
        kind = "resource"
    return {
        "SourcePolicyId": name,
        "SourcePolicyType": kind,
        "StartPosition": dict(zip(("Line", "Column"), statement.span.start, strict=True)),
        "EndPosition": dict(zip(("Line", "Column"), statement.span.end, strict=True)),
    }


def _layer_allows(decision: Decision, layer: Layer) -> bool:
    said = decision.of(layer)
    return said is None or (said.allows is True and said.denies is False)


def _boundary_detail(subject: Subject, decisions: Sequence[Decision]) -> dict[str, Any]:
    if subject.boundary is None:
        return {}
    allowed = all(_layer_allows(one, Layer.BOUNDARY) for one in decisions)
    return {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": allowed}}


def _template(resource: str) -> str:
    """Write the form of the ARN, as AWS does at the top of a result."""
    parts = resource.split(":", 5)
    if len(parts) < 6:
        return "*"
    names = ("${Partition}", parts[2], "${Region}", "${Account}")
    head = [name if given else "" for name, given in zip(names, parts[1:5], strict=True)]
    kind, slash, _ = parts[5].partition("/")
    return ":".join(["arn", *head, f"{kind}/${{Id}}" if slash else "${Id}"])


OPERATIONS = {
    ("iam", "GetContextKeysForCustomPolicy"): context_keys_for_custom,
    ("iam", "GetContextKeysForPrincipalPolicy"): context_keys_for_principal,
    ("iam", "SimulateCustomPolicy"): simulate_custom_policy,
    ("iam", "SimulatePrincipalPolicy"): simulate_principal_policy,
}

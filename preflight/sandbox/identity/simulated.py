"""One answer of the policy simulator, as AWS lays it out.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

_SEVERITY = (Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY, Outcome.ALLOWED)


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


def action_result(
    subject: Subject,
    action: str,
    resources: Sequence[str],
    context: Context,
    missing: Sequence[str],
    owner: str | None,
) -> dict[str, Any]:
    """Judge one action on every resource, and write what AWS would."""
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

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
    LayerDecision,
    Outcome,
    Policy,
    Principal,
    Statement,
    evaluate,
)
from preflight.policy import Request as Question

_SEVERITY = (Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY, Outcome.ALLOWED)


#: What the policies are called in EvalDecisionDetails, which AWS describes and does not name.
_DETAILS = {
    Layer.IDENTITY: "IAM Policy",
    Layer.RESOURCE: "Resource Policy",
    Layer.BOUNDARY: "Permissions Boundary Policy",
}
#: The kinds of policies whose statements and keys AWS shows.
_SHOWN = frozenset({Layer.IDENTITY, Layer.RESOURCE})


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose permissions are simulated: policies, the types AWS shows for them, and the caller.

    `in_organization` says that there is something to tell of SCPs, none of which may be left.
    """

    policies: tuple[Policy, ...]
    types: Mapping[str, tuple[str, str]]
    boundary: Policy | None
    scps: tuple[tuple[Policy, ...], ...]
    resource: Policy | None
    resource_account: str
    caller: Principal
    in_organization: bool

    @property
    def keys(self) -> tuple[str, ...]:
        """The context keys that identity and resource policies ask for, wherever they do.

        Never those of SCPs, nor of the boundary.
        """
        first: dict[str, str] = {}
        for policy in (*self.policies, *([self.resource] if self.resource else [])):
            for key in policy.keys:
                first.setdefault(key.lower(), key)
        return tuple(first.values())

    @property
    def is_foreign(self) -> bool:
        """Whether resources belong to another account than the caller."""
        return self.resource_account != self.caller.account


def action_result(
    subject: Subject,
    action: str,
    resources: Sequence[str],
    context: Context,
    missing: Sequence[str],
) -> dict[str, Any]:
    """Judge one action on every resource, and write what AWS would."""
    decisions = [_decide(subject, action, arn, context) for arn in resources]
    outcomes = [_outcome(one) for one in decisions]
    worst = min(outcomes, key=_SEVERITY.index)
    contributing = [one for one, out in zip(decisions, outcomes, strict=True) if out is worst]
    statements = {id(s): s for one in contributing for s in _matched(one)}
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": _template(resources[0]),
        "EvalDecision": worst.value,
        "MatchedStatements": [_statement(one, subject) for one in statements.values()],
        "MissingContextValues": list(missing),
    }
    if subject.in_organization:
        result["OrganizationsDecisionDetail"] = {
            "AllowedByOrganizations": all(_layer_allows(one, Layer.SCP) for one in decisions)
        }
    result |= _boundary_detail(subject, decisions)
    if list(resources) == ["*"]:
        return result
    result |= _decision_details(subject, decisions)
    result["ResourceSpecificResults"] = [
        {
            "EvalResourceName": arn,
            "EvalResourceDecision": outcome.value,
            "MatchedStatements": [_statement(one, subject) for one in _matched(decision)],
            "MissingContextValues": list(missing),
            **(_decision_details(subject, [decision]) if subject.is_foreign else {}),
            **_boundary_detail(subject, [decision]),
        }
        for arn, decision, outcome in zip(resources, decisions, outcomes, strict=True)
    ]
    return result


def _decide(subject: Subject, action: str, resource: str, context: Context) -> Decision:
    # A trust policy is no resource policy to the simulator: https://github.com/aws/aws-cli/issues/10314
    is_asked = not action.lower().startswith("sts:assume")
    return evaluate(
        Question(action=action, principal=subject.caller, resource=resource, context=context),
        identity=subject.policies,
        boundary=subject.boundary,
        scps=subject.scps,
        resource=subject.resource if is_asked else None,
        resource_account=subject.resource_account if subject.resource and is_asked else None,
    )


def _outcome(decision: Decision) -> Outcome:
    """A denial by an SCP is shown as implicit, whatever the SCP says."""
    return Outcome.IMPLICIT_DENY if decision.layer is Layer.SCP else decision.outcome


def _matched(decision: Decision) -> list[Statement]:
    """Keep the statements that AWS shows: those of identity and resource policies that decided."""
    shown = [one for one in decision.layers if one.layer in _SHOWN]
    if decision.outcome is Outcome.ALLOWED:
        return [statement for one in shown if one.allows for statement in one.matched]
    denying = [one for one in shown if one.layer is decision.layer]
    return [statement for one in denying if one.denies for statement in one.matched]


def _statement(statement: Statement, subject: Subject) -> dict[str, Any]:
    name, kind = subject.types.get(statement.policy, (statement.policy, "none"))
    if subject.resource is not None and statement.policy == subject.resource.id:
        kind = "resource"
    start, end = statement.span.start, statement.span.end
    return {
        "SourcePolicyId": name,
        "SourcePolicyType": kind,
        "StartPosition": {"Line": start[0], "Column": start[1]},
        "EndPosition": {"Line": end[0], "Column": end[1]},
    }


def _layer_allows(decision: Decision, layer: Layer) -> bool:
    said = decision.of(layer)
    return said is None or (bool(said.allows) and not said.denies)


def _boundary_detail(subject: Subject, decisions: Sequence[Decision]) -> dict[str, Any]:
    if subject.boundary is None:
        return {}
    allowed = all(_layer_allows(one, Layer.BOUNDARY) for one in decisions)
    return {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": allowed}}


def _decision_details(subject: Subject, decisions: Sequence[Decision]) -> dict[str, Any]:
    """Tell what each kind of policy says, where two accounts have a say; else nothing of it."""
    if not subject.is_foreign:
        return {"EvalDecisionDetails": {}}
    if any(one.layer is Layer.SCP for one in decisions):
        return {}
    details: dict[str, str] = {}
    for layer, name in _DETAILS.items():
        said = [found for one in decisions if (found := one.of(layer)) is not None]
        if said:
            details[name] = min(map(_own_outcome, said), key=_SEVERITY.index).value
    return {"EvalDecisionDetails": details}


def _own_outcome(said: LayerDecision) -> Outcome:
    if said.denies:
        return Outcome.EXPLICIT_DENY
    return Outcome.ALLOWED if said.allows else Outcome.IMPLICIT_DENY


def _template(resource: str) -> str:
    """Write the form of the ARN, as AWS does at the top of a result."""
    parts = resource.split(":", 5)
    if len(parts) < 6:
        return "*"
    names = ("${Partition}", parts[2], "${Region}", "${Account}")
    head = [name if given else "" for name, given in zip(names, parts[1:5], strict=True)]
    kind, slash, _ = parts[5].partition("/")
    return ":".join(["arn", *head, f"{kind}/${{Id}}" if slash else "${Id}"])

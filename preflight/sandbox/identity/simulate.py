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
from typing import Any

from preflight.errors import SpecError
from preflight.policy import Policy, Principal
from preflight.sandbox.identity import iam
from preflight.sandbox.identity.exclusions import exclusions_of, invalid_input
from preflight.sandbox.identity.iam import Source
from preflight.sandbox.identity.simulated import Subject, action_result
from preflight.sandbox.identity.simulation_input import context_of, insist_on_resources
from preflight.sandbox.request import Request

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_ENTITY = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(user|role|group)/.+")
PAGE = 100


def simulate_principal_policy(request: Request) -> Mapping[str, Any]:
    """Simulate an existing user, group or role."""
    given, world = request.parameters, request.world
    arn = _entity_arn(str(given["PolicySourceArn"]))
    kind, holder = iam.entity(world, arn)
    exclusions = exclusions_of(given.get("PolicyExclusionList") or ())
    found = [one for one in iam.sources(world, kind, holder) if not exclusions.drop(one)]
    boundary = _one(given.get("PermissionsBoundaryPolicyInputList"), "PermissionsBoundaryPolicy")
    if boundary is None and kind != "group" and "permission-boundary" not in exclusions.types:
        boundary = iam.boundary(world, kind, holder)
    scps = [] if "scp" in exclusions.types else iam.scp_levels(world)
    caller = Principal(arn=_entity_arn(str(given.get("CallerArn") or arn)))
    subject = Subject(
        policies=(
            *(one.policy for one in found),
            *_inputs(given.get("PolicyInputList"), "PolicyInputList"),
        ),
        types={one.policy.id: _shown(one) for one in found},
        boundary=boundary,
        scps=tuple(tuple(level) for level in scps),
        resource=_resource_policy(given, caller),
        resource_account=_owner(given, caller),
        caller=caller,
        in_organization=bool(scps),
    )
    return _simulate(request, subject)


def simulate_custom_policy(request: Request) -> Mapping[str, Any]:
    """Simulate policies that are passed in."""
    given = request.parameters
    if given.get("ResourcePolicy") and not given.get("CallerArn"):
        raise invalid_input("CallerArn is required when ResourcePolicy is specified")
    somebody = f"arn:aws:iam::{request.world.account}:user/simulated"
    caller = Principal(arn=_entity_arn(str(given.get("CallerArn") or somebody)))
    levels = tuple(
        _inputs(one.get("ServiceControlPolicyInputList"), "ServiceControlPolicyInputList")
        for one in given.get("OrderedOrganizationPolicyInputList") or ()
    )
    subject = Subject(
        policies=_inputs(given.get("PolicyInputList"), "PolicyInputList"),
        types={},
        boundary=_one(given.get("PermissionsBoundaryPolicyInputList"), "PermissionsBoundaryPolicy"),
        scps=levels,
        resource=_resource_policy(given, caller),
        resource_account=_owner(given, caller),
        caller=caller,
        in_organization=bool(levels),
    )
    return _simulate(request, subject)


def _resource_policy(given: Mapping[str, Any], caller: Principal) -> Policy | None:
    """Read the resource policy; for roles AWS does not simulate any."""
    text = given.get("ResourcePolicy")
    policy = _one([text], "ResourcePolicy") if text else None
    return None if ":role/" in caller.arn else policy


def _owner(given: Mapping[str, Any], caller: Principal) -> str:
    """Read whose the resources are: an account id, or the ARN of its root."""
    owner = str(given.get("ResourceOwner") or caller.account)
    return owner.split(":")[4] if owner.count(":") >= 5 else owner


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
    context = context_of(given.get("ContextEntries") or ())
    missing = [key for key in subject.keys if not isinstance(context.look(key.lower()), tuple)]
    actions = [str(name) for name in given["ActionNames"]]
    for name in actions:
        if not _ACTION.fullmatch(name):
            raise invalid_input(f"Invalid Action: {name}")
    start, count = _page(given)
    resources = [str(arn) for arn in given.get("ResourceArns") or ["*"]]
    insist_on_resources(given.get("ResourceHandlingOption"), resources)
    results = [
        action_result(subject, action, resources, context, missing)
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


OPERATIONS = {
    ("iam", "GetContextKeysForCustomPolicy"): context_keys_for_custom,
    ("iam", "GetContextKeysForPrincipalPolicy"): context_keys_for_principal,
    ("iam", "SimulateCustomPolicy"): simulate_custom_policy,
    ("iam", "SimulatePrincipalPolicy"): simulate_principal_policy,
}

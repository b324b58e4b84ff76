"""The decision: identity policies, boundary, SCPs, session policies and the resource's policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from preflight.policy.context import Missing, Principal, Request, Truth, all_true, any_true
from preflight.policy.decision import Decision, Grant, Layer, LayerDecision, Outcome
from preflight.policy.document import Policy, Statement


def evaluate(
    request: Request,
    *,
    identity: Sequence[Policy],
    boundary: Policy | None = None,
    scps: Sequence[Sequence[Policy]] = (),
    session: Sequence[Policy] | None = None,
    resource: Policy | None = None,
    resource_account: str | None = None,
    resource_must_allow: bool = False,
) -> Decision:
    """Decide as AWS does.

    `scps` are the levels from the root to the account, each of which must allow; leave them empty
    where SCPs do not bind (the management account, service-linked roles). `session` is None
    without session policies. `resource` is the policy of the resource and `resource_account` its
    account, by default the caller's; `resource_must_allow` is for role trust policies and KMS key
    policies, without which nothing is allowed even within the account.
    """
    layers = [_scps(scps, request)] if scps else []
    if resource is not None:
        layers.append(_resource(resource, request, bounded=boundary is not None))
    layers.append(_judge(Layer.IDENTITY, identity, request))
    if boundary is not None:
        layers.append(_judge(Layer.BOUNDARY, [boundary], request))
    if session is not None:
        layers.append(_judge(Layer.SESSION, session, request))
    foreign = resource_account not in {None, request.principal.account}
    if resource is None and (foreign or resource_must_allow):
        layers.append(LayerDecision(layer=Layer.RESOURCE, allows=False, denies=False))
    return _combine(request, tuple(layers), foreign=foreign, strict=resource_must_allow)


def _judge(layer: Layer, policies: Iterable[Policy], request: Request) -> LayerDecision:
    allows: list[tuple[Statement, Truth]] = []
    denies: list[tuple[Statement, Truth]] = []
    missing: dict[str, str] = {}
    for policy in policies:
        for statement in policy.about(request.action):
            truth = statement.touches(request)
            if truth is False:
                continue
            if statement.keys:
                missing |= _missing(statement, request)
                truth = all_true((truth, statement.holds(request.context)))
            if truth is not False:
                (allows if statement.allows else denies).append((statement, truth))
    return LayerDecision(
        layer=layer,
        allows=any_true(truth for _, truth in allows),
        denies=any_true(truth for _, truth in denies),
        matched=_surest(denies or allows),
        missing=tuple(missing.values()),
    )


def _surest(found: Sequence[tuple[Statement, Truth]]) -> tuple[Statement, ...]:
    """Keep the statements that surely match, or when there are none those that may."""
    sure = tuple(statement for statement, truth in found if truth)
    return sure or tuple(statement for statement, _ in found)


def _missing(statement: Statement, request: Request) -> dict[str, str]:
    look = request.context.look
    return {key.lower(): key for key in statement.keys if isinstance(look(key.lower()), Missing)}


def _scps(levels: Sequence[Sequence[Policy]], request: Request) -> LayerDecision:
    answers = [_judge(Layer.SCP, level, request) for level in levels]
    chosen = [one for one in answers if one.denies is not False] or answers
    return LayerDecision(
        layer=Layer.SCP,
        allows=all_true(one.allows for one in answers),
        denies=any_true(one.denies for one in answers),
        matched=tuple(statement for one in chosen for statement in one.matched),
        missing=tuple(dict.fromkeys(key for one in answers for key in one.missing)),
    )


def _resource(policy: Policy, request: Request, *, bounded: bool) -> LayerDecision:
    caller = request.principal
    speaking = [one for one in policy.statements if _speaks_of(one, caller, bounded=bounded)]

    def judge(statements: Iterable[Statement]) -> LayerDecision:
        part = replace(policy, statements=tuple(statements))
        return _judge(Layer.RESOURCE, [part], request)

    grants = {
        grant: judge(one for one in speaking if _grant(one, caller) >= grant).allows
        for grant in (Grant.PRINCIPAL, Grant.SESSION)
    }
    return replace(judge(speaking), grants=grants)


def _speaks_of(statement: Statement, caller: Principal, *, bounded: bool) -> bool:
    """Match the principal; Deny with NotPrincipal always hits a caller with a boundary."""
    element = statement.principals
    if element is None:
        return False
    return (element.negated and bounded and not statement.allows) or element.match(caller)


def _grant(statement: Statement, caller: Principal) -> Grant:
    element = statement.principals
    if element is None:
        return Grant.NOBODY
    kind = caller.type.value
    if caller.session_arn and element.names(kind, caller.session_arn):
        return Grant.SESSION
    if element.everyone or element.negated or element.names(kind, caller.arn):
        return Grant.PRINCIPAL
    return Grant.ACCOUNT


def _ways(
    layers: Sequence[LayerDecision], caller: Principal, *, foreign: bool, strict: bool
) -> Iterator[list[LayerDecision]]:
    """Give every set of layers that is enough to allow, the ordinary one first.

    Within an account a resource policy that names the caller needs no identity policy, one that
    names a user overrides his boundary, and one that names a session everything but the SCPs.
    """
    free = {Layer.IDENTITY, Layer.BOUNDARY} if caller.is_root else set()
    if not (foreign or strict):
        free.add(Layer.RESOURCE)
    yield [one for one in layers if one.layer not in free]
    own = next((one for one in layers if one.layer is Layer.RESOURCE), None)
    if own is None or foreign:
        return
    free = {Layer.RESOURCE, Layer.IDENTITY} | ({Layer.BOUNDARY} if caller.is_user else set())
    for grant, more in ((Grant.PRINCIPAL, set()), (Grant.SESSION, {Layer.BOUNDARY, Layer.SESSION})):
        said = replace(own, allows=own.grants.get(grant, False))
        yield [said, *(one for one in layers if one.layer not in free | more)]


def _combine(
    request: Request, layers: tuple[LayerDecision, ...], *, foreign: bool, strict: bool
) -> Decision:
    denying = next((one for one in layers if one.denies is True), None)
    if denying is not None:
        return _decision(request, Outcome.EXPLICIT_DENY, denying, layers)
    ways = list(_ways(layers, request.principal, foreign=foreign, strict=strict))
    allows = any_true(all_true(one.allows for one in way) for way in ways)
    if allows is False:
        silent = [one for one in ways[0] if one.allows is False]
        first = min(silent, key=lambda one: list(Layer).index(one.layer))
        return _decision(request, Outcome.IMPLICIT_DENY, first, layers)
    unsure = [one for one in layers if one.denies is None]
    if allows is None:
        unsure += [one for one in layers if one.allows is None]
    if unsure:
        return _decision(request, Outcome.UNKNOWN, unsure[0], layers)
    return _decision(request, Outcome.ALLOWED, None, layers)


def _decision(
    request: Request,
    outcome: Outcome,
    layer: LayerDecision | None,
    layers: tuple[LayerDecision, ...],
) -> Decision:
    speaking: Iterable[LayerDecision] = (layer,) if layer else (one for one in layers if one.allows)
    if outcome is Outcome.IMPLICIT_DENY:
        speaking = ()
    return Decision(
        outcome=outcome,
        layer=layer.layer if layer else None,
        matched=tuple(statement for one in speaking for statement in one.matched),
        missing=tuple(dict.fromkeys(key for one in layers for key in one.missing)),
        layers=layers,
        request=request,
    )

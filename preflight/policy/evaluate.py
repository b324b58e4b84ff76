"""The decision: identity policies, boundary, SCPs, session policies and the resource's policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from preflight.policy.context import Principal, Request, Truth, any_true
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
        layers.append(_judge(Layer.BOUNDARY, (boundary,), request))
    if session is not None:
        layers.append(_judge(Layer.SESSION, session, request))
    foreign = resource_account not in {None, request.principal.account}
    if resource is None and (foreign or resource_must_allow):
        layers.append(LayerDecision(Layer.RESOURCE, allows=False, denies=False))
    return _combine(request, tuple(layers), foreign=foreign, strict=resource_must_allow)


def _judge(layer: Layer, policies: Iterable[Policy], request: Request) -> LayerDecision:
    about = (one for policy in policies for one in policy.about(request.action))
    return _of_statements(layer, about, request)


def _of_statements(
    layer: Layer, statements: Iterable[Statement], request: Request
) -> LayerDecision:
    """Judge statements that cover the action. Plain loops: this is where all the time goes."""
    allows: Truth = False
    denies: Truth = False
    found: list[tuple[Statement, Truth]] = []
    asked: list[Statement] = []
    for statement in statements:
        truth = statement.touches(request)
        if truth is False:
            continue
        if statement.keys:
            asked.append(statement)
            held = statement.holds(request.context)
            if held is False:
                continue
            truth = truth and held
        found.append((statement, truth))
        if statement.allows:
            allows = allows or truth
        else:
            denies = denies or truth
    return LayerDecision(layer, allows, denies, tuple(found), tuple(asked))


def _scps(levels: Sequence[Sequence[Policy]], request: Request) -> LayerDecision:
    answers = [_judge(Layer.SCP, level, request) for level in levels]
    allows: Truth = True
    denies: Truth = False
    for one in answers:
        if denies is not True and one.denies is not False:
            denies = one.denies
        if allows is not False and one.allows is not True:
            allows = one.allows
    return LayerDecision(
        Layer.SCP,
        allows,
        denies,
        tuple(each for one in answers for each in one.found),
        tuple(each for one in answers for each in one.asked),
    )


def _resource(policy: Policy, request: Request, *, bounded: bool) -> LayerDecision:
    caller = request.principal
    about = policy.about(request.action)
    speaking = (one for one in about if _speaks_of(one, caller, bounded=bounded))
    return _of_statements(Layer.RESOURCE, speaking, request)


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


def _grants(said: LayerDecision, caller: Principal, least: Grant) -> Truth:
    """Say whether a statement allows that names the caller at least that closely."""
    return any_true(
        truth for one, truth in said.found if one.allows and _grant(one, caller) >= least
    )


def _ordinary(
    layers: Sequence[LayerDecision], caller: Principal, *, both: bool
) -> Sequence[LayerDecision]:
    """Give the layers that must allow: all, but root needs no policies of his own.

    The resource's policy is among them only if `both` sides must agree.
    """
    free = {Layer.IDENTITY, Layer.BOUNDARY} if caller.is_root else set()
    if not both:
        free.add(Layer.RESOURCE)
    return [one for one in layers if one.layer not in free]


def _shortcuts(
    layers: Sequence[LayerDecision], caller: Principal
) -> Iterator[Sequence[LayerDecision]]:
    """Give the other sets of layers that are enough within an account.

    A resource policy that names the caller needs no identity policy, one that names a user
    overrides his boundary, and one that names a session everything but the SCPs.
    """
    own = next((one for one in layers if one.layer is Layer.RESOURCE), None)
    if own is None:
        return
    free = {Layer.RESOURCE, Layer.IDENTITY} | ({Layer.BOUNDARY} if caller.is_user else set())
    for grant, more in ((Grant.PRINCIPAL, set()), (Grant.SESSION, {Layer.BOUNDARY, Layer.SESSION})):
        said = own._replace(allows=_grants(own, caller, grant))
        yield [said, *(one for one in layers if one.layer not in free | more)]


def _combine(
    request: Request, layers: tuple[LayerDecision, ...], *, foreign: bool, strict: bool
) -> Decision:
    def decided(outcome: Outcome, by: LayerDecision | None) -> Decision:
        layer = by.layer if by else None
        return Decision(outcome=outcome, layer=layer, layers=layers, request=request)

    unsure = None
    for one in layers:
        if one.denies:
            return decided(Outcome.EXPLICIT_DENY, one)
        if one.denies is None:
            unsure = unsure or one
    ordinary = _ordinary(layers, request.principal, both=foreign or strict)
    allows = _all_allow(ordinary)
    if allows is not True and not foreign:
        ways = (ordinary, *_shortcuts(layers, request.principal))
        allows = any_true(_all_allow(way) for way in ways)
    if allows is False:
        silent = [one for one in ordinary if one.allows is False]
        return decided(Outcome.IMPLICIT_DENY, min(silent, key=lambda one: _ORDER[one.layer]))
    if allows is None:
        unsure = unsure or next(one for one in layers if one.allows is None)
    return decided(Outcome.UNKNOWN if unsure else Outcome.ALLOWED, unsure)


def _all_allow(way: Sequence[LayerDecision]) -> Truth:
    answer: Truth = True
    for one in way:
        if one.allows is False:
            return False
        answer = answer and one.allows
    return answer


_ORDER = {layer: place for place, layer in enumerate(Layer)}

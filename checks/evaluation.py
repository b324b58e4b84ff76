"""Deciding a question by policy documents: what AWS would say, as far as the documents tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from checks.batches import Question
from checks.keys import is_absent, of_principal, surely
from checks.rulings import Denial, Layer
from checks.simulation import Ruling
from preflight.finding import Status
from preflight.policy import Context as Keys
from preflight.policy import ContextValue, Decision, Outcome, Policy, Principal, Request, evaluate
from preflight.policy import Layer as Kind

_LAYERS: Mapping[Kind | None, Layer] = {
    Kind.IDENTITY: Layer.IDENTITY,
    Kind.BOUNDARY: Layer.BOUNDARY,
    Kind.SCP: Layer.SCP,
}


def judged(
    question: Question, arn: str, identity: Sequence[Policy], boundary: Policy | None
) -> Denial | None:
    """Judge one question; None where it is allowed."""
    policies = (*identity, *((boundary,) if boundary else ()))
    decision = evaluate(
        Request(
            action=question.action,
            principal=Principal(arn=arn),
            resource=question.resource,
            context=_keys(question, arn, policies),
        ),
        identity=identity,
        boundary=boundary,
    )
    if decision.allowed:
        return None
    known = decision.outcome is not Outcome.UNKNOWN
    return Denial(
        ruling=_ruling(question, decision),
        layer=_LAYERS.get(decision.layer, Layer.UNKNOWN),
        status=Status.FAIL if known else Status.UNKNOWN,
        missing=() if known else decision.missing,
    )


def _ruling(question: Question, decision: Decision) -> Ruling:
    return Ruling(
        question=question,
        decision=str(decision.outcome),
        statements=tuple(statement.label for statement in decision.matched),
        missing=decision.missing,
    )


def _keys(question: Question, arn: str, policies: Iterable[Policy]) -> Keys:
    """Give the keys the call carries; of those it does not, tell absent ones from unknown ones."""
    carried: dict[str, ContextValue] = {
        key.lower(): value
        for key, value in (
            *of_principal(arn),
            *surely(question).items(),
            *question.common,
            *question.own,
        )
    }
    asked_for = {key.lower() for policy in policies for key in policy.keys}
    absent: dict[str, ContextValue] = {
        key: () for key in asked_for - carried.keys() if _absent(key, question)
    }
    return Keys.of({**absent, **carried}, unknown=("*",))


def _absent(key: str, question: Question) -> bool:
    if is_absent(key, question):
        return True
    return key.partition(":")[0] not in {"aws", question.action.partition(":")[0]}

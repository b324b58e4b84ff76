"""The questions of the permissions check, put to policy documents instead of to AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks import permission_text as text
from checks.evaluation import judged
from checks.permissions import asked, summed_up
from checks.principal import Entity
from preflight.check import Answer, Context
from preflight.policy import Policy


def of_documents(
    context: Context,
    arn: str,
    identity: Sequence[Policy],
    boundary: Policy | None = None,
) -> Iterator[Answer]:
    """Say which actions of a plan the documents would allow a user or role; AWS is not asked."""
    planned, looks = asked(context)
    denied = {
        question: denial
        for question in planned | looks
        if (denial := judged(question, arn, identity, boundary)) is not None
    }
    behind = Entity(arn=arn)
    of_plan = [denial for question, denial in denied.items() if question in planned]
    yield from text.denied(behind, of_plan)
    yield from summed_up(behind.guessed, planned, of_plan)
    if of_checks := [denial for question, denial in denied.items() if question in looks]:
        yield text.only_checks(of_checks)

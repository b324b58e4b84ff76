"""What is known of permissions when the simulator may not be asked: EC2's trials, then documents.

Neither sees everything: a trial is for few calls, and documents do not hold the organization's
policies. So a second opinion finds what is denied, and never passes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from checks import attached
from checks import permission_text as text
from checks.batches import Question
from checks.evaluation import judged
from checks.principal import Entity
from checks.trial import trials
from preflight.check import Answer, Context
from preflight.errors import AwsError, SpecError
from preflight.finding import Status

DRY_RUN = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-api-permissions.html"


def second(
    context: Context, behind: Entity, planned: Iterable[Question], refusal: Answer
) -> Iterator[Answer]:
    """Answer in place of the simulator; `refusal` is what is left to say if nothing else is."""
    tried = trials(context.aws, context.plan)
    yield from (_refused(behind, action) for action, yes in tried.items() if not yes)
    try:
        found = attached.read(context.aws, behind.arn)
    except (AwsError, SpecError) as error:
        yield _nothing_read(refusal, tried, error)
        return
    denials = [
        denial
        for question in planned
        if (denial := judged(question, behind.arn, found.identity, found.boundary)) is not None
    ]
    known = {action for action, yes in tried.items() if not yes}
    yield from text.denied(
        behind, [one for one in denials if one.ruling.question.action not in known]
    )
    yield _in_doubt(behind, refusal, len(found.identity), bool(denials))


def _refused(behind: Entity, action: str) -> Answer:
    return Answer(
        status=Status.FAIL,
        subject=action,
        message=f"{behind.arn} may not do {action}: EC2 refused a trial of the very request",
        hint="allow it: `preflight permissions` prints the policy to attach",
        url=DRY_RUN,
        data={"action": action, "decision": "denied", "layer": "unknown"},
    )


def _nothing_read(refusal: Answer, tried: dict[str, bool], error: AwsError | SpecError) -> Answer:
    worked = sorted(action for action, yes in tried.items() if yes)
    told = f"; trials say yes to {', '.join(worked)} only" if worked else ""
    return replace(
        refusal,
        message=f"{refusal.message}; nor can the policies be read ({error}){told}",
        data={**refusal.data, "tried": dict(sorted(tried.items()))},
    )


def _in_doubt(behind: Entity, refusal: Answer, count: int, denied: bool) -> Answer:
    rest = "everything else" if denied else "everything"
    return Answer(
        status=Status.UNKNOWN,
        subject=refusal.subject,
        message=(
            f"{refusal.message}; the {count} policies of {behind.arn} were read and allow {rest},"
            " but whether its organization does is not known"
        ),
        hint=refusal.hint,
        data={**refusal.data, "read": count},
    )

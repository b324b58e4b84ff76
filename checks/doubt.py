"""Denials that hang on condition keys nobody gave: asked again with more of them, then read.

The simulator names the missing keys of all policies, those of statements that have no say
included, so that most such doubt is none: https://github.com/boto/boto3/issues/3111
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from checks import attached, keys
from checks.batches import Question
from checks.evaluation import judged
from checks.rulings import Denial, Layer, sure
from checks.simulation import Ruling, ask
from preflight.aws import Aws
from preflight.errors import AwsError, SpecError
from preflight.finding import Status
from preflight.found import Owner


def settled(aws: Aws, principal: str, denials: Iterable[Denial], owner: Owner) -> list[Denial]:
    """Settle what can be settled: a denial whatever the missing keys are is a denial."""
    given = list(denials)
    asked = {one.ruling.question: _fuller(one, owner) for one in given if one.missing}
    again = ask(aws, principal, asked.values())
    left: list[Denial] = []
    for one in given:
        fuller = asked.get(one.ruling.question)
        judged_anew = one if fuller is None else _anew(one, again[fuller], owner)
        left += [] if judged_anew is None else [judged_anew]
    return _by_reading(aws, principal, left)


def _fuller(denial: Denial, owner: Owner) -> Question:
    question = denial.ruling.question
    more = keys.surely(question) | keys.perhaps(question, owner)
    return replace(question, common=tuple(sorted({**dict(question.common), **more}.items())))


def _anew(denial: Denial, second: Ruling, owner: Owner) -> Denial | None:
    """Judge by both answers; None where the call carries the key that allows it.

    The tag of a thing of the cluster is either told with this value or not at all: denied both
    ways is denied, allowed one way is not known.
    """
    question = denial.ruling.question
    if second.error is not None:
        return denial
    if second.allowed:
        told = {key.lower() for key in keys.perhaps(question, owner)}
        open_ones = tuple(key for key in denial.missing if key.lower() in told)
        return replace(denial, missing=open_ones) if open_ones else None
    missing = keys.relevant(second.missing, second.question)
    return replace(denial, missing=missing) if missing else sure(denial)


def _by_reading(aws: Aws, principal: str, denials: list[Denial]) -> list[Denial]:
    """Read the policies where that is allowed: they say which statements ask for which keys.

    Of a boundary the simulator does not tell them.
    """
    if not any(map(_is_open, denials)):
        return denials
    try:
        found = attached.read(aws, principal)
    except (AwsError, SpecError):
        return denials
    return [_read(one, principal, found) if _is_open(one) else one for one in denials]


def _is_open(denial: Denial) -> bool:
    return bool(denial.missing) or (denial.layer is Layer.BOUNDARY and denial.ruling.error is None)


def _read(denial: Denial, principal: str, found: attached.Attached) -> Denial:
    """Take the word of the documents for a denial, and for where a doubt comes from."""
    read = judged(denial.ruling.question, principal, found.identity, found.boundary)
    if read is None:
        return denial
    ruling = replace(denial.ruling, statements=read.ruling.statements)
    if read.status is Status.FAIL:
        ruling = replace(ruling, decision=read.ruling.decision)
        return Denial(ruling=ruling, layer=read.layer, status=Status.FAIL)
    missing = read.missing or denial.missing
    return replace(denial, ruling=ruling, status=Status.UNKNOWN, missing=missing)

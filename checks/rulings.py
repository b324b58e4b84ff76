"""What a denial of the simulator is worth: which kind of policy denies, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from checks.batches import Question
from checks.keys import relevant
from checks.simulation import Ruling, ask
from preflight.aws import Aws
from preflight.finding import Status


class Layer(StrEnum):
    """The kind of policy that denies."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SCP = "scp"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Denial:
    """One ruling that does not allow. `status` is FAIL, or what doubt leaves of it.

    `missing` are the keys that it hangs on. `proven` says that the action was allowed once the
    layer was left out.
    """

    ruling: Ruling
    layer: Layer
    status: Status
    missing: tuple[str, ...] = ()
    proven: bool = False


def denials(aws: Aws, principal: str, rulings: Iterable[Ruling]) -> list[Denial]:
    """Judge all rulings that do not allow, asking again without boundary and SCPs where it helps.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyIdentifier.html
    """
    denied = [ruling for ruling in rulings if not ruling.allowed]
    bounded = [r.question for r in denied if r.boundary is False]
    organized = [r.question for r in denied if r.organizations is False]
    both = set(bounded) & set(organized)
    again = (
        (Layer.BOUNDARY, ask(aws, principal, bounded, ("permission-boundary",))),
        (Layer.SCP, ask(aws, principal, organized, ("scp",))),
        (Layer.SCP, ask(aws, principal, both, ("permission-boundary", "scp"))),
    )
    return [_judged(ruling, again) for ruling in denied]


def _judged(ruling: Ruling, again: tuple[tuple[Layer, Mapping[Question, Ruling]], ...]) -> Denial:
    if ruling.error is not None:
        return Denial(ruling=ruling, layer=Layer.UNKNOWN, status=Status.UNKNOWN)
    layer, proven = _layer(ruling, again)
    if missing := relevant(ruling.missing, ruling.question):
        return Denial(
            ruling=ruling, layer=layer, status=Status.UNKNOWN, missing=missing, proven=proven
        )
    return sure(Denial(ruling=ruling, layer=layer, status=Status.FAIL, proven=proven))


def sure(denial: Denial) -> Denial:
    """Give a denial that no missing key can turn.

    SCP conditions are not told. Only a simulator that can leave SCPs out is known to weigh them; an
    older one says no to what a conditional SCP allows.
    """
    doubtful = denial.layer is Layer.SCP and not denial.proven and not denial.ruling.statements
    return replace(denial, status=Status.WARN if doubtful else Status.FAIL, missing=())


def _layer(
    ruling: Ruling, again: tuple[tuple[Layer, Mapping[Question, Ruling]], ...]
) -> tuple[Layer, bool]:
    """Name the layer, and whether leaving it out has been seen to allow the action."""
    asked = [
        (layer, rulings[ruling.question]) for layer, rulings in again if ruling.question in rulings
    ]
    for layer, without in asked:
        if without.allowed:
            return layer, True
    if any(without.error is None for _, without in asked):
        return Layer.IDENTITY, True
    if ruling.boundary is False:
        return Layer.BOUNDARY, False
    return (Layer.SCP if ruling.organizations is False else Layer.IDENTITY), False

"""What an evaluation answers: the outcome, the kind of policy that decided, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

from preflight.policy.context import Missing, Request, Truth
from preflight.policy.document import Statement


class Outcome(StrEnum):
    """What AWS would answer; UNKNOWN when that hangs on a key or a resource nobody can tell."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"
    UNKNOWN = "unknown"


class Layer(StrEnum):
    """The kinds of policies that have a say, in the order in which AWS asks them."""

    SCP = "scp"
    RESOURCE = "resource"
    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"

    @property
    def words(self) -> str:
        """How AWS calls the kind in the message of a denial."""
        return _WORDS[self]


_WORDS = {
    Layer.SCP: "service control policy",
    Layer.RESOURCE: "resource-based policy",
    Layer.IDENTITY: "identity-based policy",
    Layer.BOUNDARY: "permissions boundary",
    Layer.SESSION: "session policy",
}


class Grant(IntEnum):
    """To whom a resource policy speaks; the more exact, the less other policies can withhold.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-eval-logic
    """

    NOBODY = 0
    ACCOUNT = 1
    PRINCIPAL = 2
    SESSION = 3


class LayerDecision(NamedTuple):
    """What one kind of policies says by itself: does it allow, does it deny, by which statements.

    `found` are the statements that match or may match, `asked` those on this action and resource
    that ask for context keys.
    """

    layer: Layer
    allows: Truth
    denies: Truth
    found: tuple[tuple[Statement, Truth], ...] = ()
    asked: tuple[Statement, ...] = ()

    @property
    def matched(self) -> tuple[Statement, ...]:
        """The statements that surely match, else those that may; those that deny before all."""
        deciding = [one for one in self.found if not one[0].allows] or self.found
        sure = tuple(statement for statement, truth in deciding if truth)
        return sure or tuple(statement for statement, _ in deciding)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The answer, and what it rests on.

    `layer` decided it (None when nothing denied); `layers` is what each kind of policies says by
    itself.
    """

    outcome: Outcome
    layer: Layer | None
    layers: tuple[LayerDecision, ...]
    request: Request

    @property
    def matched(self) -> tuple[Statement, ...]:
        """The statements that speak for the outcome."""
        if self.outcome is Outcome.IMPLICIT_DENY:
            return ()
        if self.layer is not None:
            return next(one.matched for one in self.layers if one.layer is self.layer)
        return tuple(statement for one in self.layers if one.allows for statement in one.matched)

    @property
    def missing(self) -> tuple[str, ...]:
        """The context keys that statements on this action and resource ask for without a value."""
        look = self.request.context.look
        names = (key for layer in self.layers for one in layer.asked for key in one.keys)
        absent = {key.lower(): key for key in names if isinstance(look(key.lower()), Missing)}
        return tuple(absent.values())

    @property
    def allowed(self) -> bool:
        """Whether the request is surely allowed."""
        return self.outcome is Outcome.ALLOWED

    def of(self, layer: Layer) -> LayerDecision | None:
        """Give what one kind of policies says, or None when there is none of that kind."""
        return next((one for one in self.layers if one.layer is layer), None)

    @property
    def reason(self) -> str:
        """Why not, in AWS's own words; empty when allowed.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        """
        if self.layer is None:
            return ""
        words = self.layer.words
        if self.outcome is Outcome.EXPLICIT_DENY:
            article = "an" if words[0] in "aeiou" else "a"
            return f"with an explicit deny in {article} {words}"
        if self.outcome is Outcome.IMPLICIT_DENY:
            return f"because no {words} allows the {self.request.action} action"
        return ""

    @property
    def explanation(self) -> str:
        """Say it for people: the outcome, the kind of policy, the statements, the missing keys."""
        where = "a resource that is not known" if self.request.resource is None else None
        subject = f"{self.request.action} on {where or self.request.resource}"
        statements = ", ".join(one.label for one in self.matched)
        keys = f"; no value is known for {', '.join(self.missing)}" if self.missing else ""
        if self.outcome is Outcome.ALLOWED:
            return f"{subject} is allowed by {statements or 'the root user of the account'}"
        if self.outcome is Outcome.UNKNOWN:
            return f"{subject} may be allowed or denied{keys}"
        by = f": {statements}" if statements else ""
        return f"{subject} is denied {self.reason}{by}{keys}"

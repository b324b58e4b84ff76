"""What an evaluation answers: the outcome, the kind of policy that decided, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from preflight.policy.context import Request, Truth
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


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerDecision:
    """What one kind of policies says by itself: does it allow, does it deny, by which statements.

    `grants` is for resource policies: whether a statement allows that names the caller at least
    that closely.
    """

    layer: Layer
    allows: Truth
    denies: Truth
    matched: tuple[Statement, ...] = ()
    missing: tuple[str, ...] = ()
    grants: Mapping[Grant, Truth] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The answer, and what it rests on.

    `layer` decided it (None when nothing denied). `matched` are the statements that speak for the
    outcome; `missing` the context keys that statements on this action and resource asked for and
    that had no value; `layers` what each kind of policies says by itself.
    """

    outcome: Outcome
    layer: Layer | None
    matched: tuple[Statement, ...]
    missing: tuple[str, ...]
    layers: tuple[LayerDecision, ...]
    request: Request

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

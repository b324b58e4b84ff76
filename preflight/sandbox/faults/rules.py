"""Errors and delays on purpose: what a scenario's `faults` and `POST /_sandbox/faults` say."""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.faults.disturbance import SILENT_MS, TIME_OUT, TRUNCATED_BODY
from preflight.sandbox.request import Request
from preflight.sandbox.world import World

_THROTTLES = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException"})
_DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})

#: A fault with this action is no AWS error: its `error` is the health issue of a node group whose
#: nodes do not come, such as InsufficientFreeAddresses.
NODEGROUP_ISSUE = "sandbox:NodegroupIssue"


@dataclass
class Fault:
    """One rule: requests whose action matches are delayed, and fail as it says.

    `action` is a glob over IAM actions, letters of either case. `count` is how many requests it
    still hits (None: all), `probability` how likely it hits one, `delay_ms` real milliseconds.
    `error` is a code AWS answers with; `effect` breaks the connection (disturbance.py)
    or pages the answer (repaging.py). A connection breaks before the request is carried out, or
    after, if it says `carried_out`.
    """

    action: str
    error: str | None = None
    message: str | None = None
    probability: float = 1.0
    count: int | None = None
    delay_ms: float = 0.0
    status: int | None = None
    region: str | None = None
    effect: str | None = None
    carried_out: bool = False

    def __post_init__(self) -> None:
        if self.effect == TIME_OUT and not self.delay_ms:
            self.delay_ms = SILENT_MS
        if self.effect == TRUNCATED_BODY:
            self.carried_out = True

    @property
    def is_final(self) -> bool:
        """Whether no later rule is asked once this one strikes."""
        return self.error is not None or self.effect is not None

    def matches(self, request: Request) -> bool:
        """Whether the rule speaks of this request's action and Region."""
        if self.region and self.region != request.region:
            return False
        named = f"{request.action.partition(':')[0]}:{request.operation}"
        pattern = self.action.lower()
        return any(
            fnmatch.fnmatchcase(action.lower(), pattern) for action in {request.action, named}
        )


class Faults:
    """The fault rules of one sandbox, in order; the first that hits decides the error."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = random.Random(world.scenario.get("seed", 0))  # noqa: S311 - not a secret
        self.replace(world.scenario.get("faults", []))

    def replace(self, rules: list[Mapping[str, Any]]) -> None:
        """Put these rules in place of the present ones."""
        self._rules = [Fault(**rule) for rule in rules]

    def hit(self, request: Request) -> tuple[float, Fault | None]:
        """Tell what happens to a request: seconds of delay, and the rule that decides the rest."""
        delay = 0.0
        for rule in self._rules:
            if not rule.matches(request) or not self._strikes(rule):
                continue
            if rule.effect != TIME_OUT:
                delay += rule.delay_ms / 1000
            if rule.is_final:
                return delay, rule
        return delay, None

    def of(self, action: str, region: str) -> str | None:
        """Give what a rule for one of the sandbox's own actions says, if one strikes now."""
        for rule in self._rules:
            named = rule.action == action and rule.region in (None, region)
            if named and rule.error and self._strikes(rule):
                return rule.error
        return None

    def standing(self, action: str, region: str) -> list[str]:
        """List what all rules for one of the sandbox's own actions say; none is used up by it."""
        return [
            rule.error
            for rule in self._rules
            if rule.action == action and rule.region in (None, region) and rule.error
        ]

    def _strikes(self, rule: Fault) -> bool:
        with self._world.lock:
            if rule.count == 0 or self._random.random() >= rule.probability:
                return False
            if rule.count is not None:
                rule.count -= 1
            return True


def error_of(rule: Fault, request: Request) -> AwsFault:
    """Make the error a rule answers a request with."""
    return AwsFault(str(rule.error), _message(rule, request), _status(rule))


def _message(rule: Fault, request: Request) -> str:
    if rule.message is not None:
        return rule.message
    if rule.error == "UnauthorizedOperation":
        return "You are not authorized to perform this operation."
    if rule.error in _DENIALS:
        who = request.principal.arn if request.principal else "anonymous"
        return f"User: {who} is not authorized to perform: {request.action}"
    if rule.error in _THROTTLES:
        return "Rate exceeded"
    return f"The sandbox was told to answer {request.action} with {rule.error}"


def _status(rule: Fault) -> int:
    if rule.status is not None:
        return rule.status
    if rule.error in _DENIALS:
        return 403
    if rule.error in ("InternalError", "InternalFailure", "InternalServerError"):
        return 500
    if rule.error in ("ServiceUnavailable", "Unavailable", "ServiceUnavailableException"):
        return 503
    return 429 if rule.error == "TooManyRequestsException" else 400

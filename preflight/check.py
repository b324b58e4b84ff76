"""One question and its answers: what a check is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from preflight.aws import Aws
from preflight.errors import AwsError
from preflight.facts import Facts
from preflight.finding import EMPTY, Coverage, Severity, Status
from preflight.once import Once
from preflight.plan import Plan
from preflight.profile import Profile
from preflight.spec import ClusterSpec


@dataclass(frozen=True, kw_only=True)
class Context:
    """All that a check may use: what was asked, what the vendor wants, the plan, and AWS.

    `aws` acts as the principal that would build (the role when one is given); `caller` as whoever
    started the command. `once` shares fetched values between checks.
    """

    spec: ClusterSpec
    profile: Profile
    plan: Plan
    facts: Facts
    aws: Aws
    caller: Aws
    #: Why the role could not be assumed; `aws` is then the caller.
    role_error: AwsError | None = None
    once: Once = field(default_factory=Once)
    #: All checks of this run: what they look with has to be allowed before anything else.
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a check says about one subject: `message` what is, `hint` what to do about it."""

    status: Status
    subject: str
    message: str
    hint: str | None = None
    severity: Severity | None = None
    url: str | None = None
    data: Mapping[str, Any] = field(default_factory=lambda: EMPTY)


Ask = Callable[[Context], Iterable[Answer | Coverage]]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A question about an account, answered without changing anything.

    `id` is kebab-case and unique, `title` a sentence that is true when the check passes. `why` says
    what happens to those who skip it and `fix` what to do when it fails; both are shown by
    `preflight explain`. `url` is the page of AWS or of the vendor that the check rests on.
    `actions` are the IAM actions that asking needs: they are checked first. `limit` is after how
    many seconds without an answer it is given up; checks of plugins have one.
    """

    id: str
    title: str
    ask: Ask
    why: str
    fix: str
    url: str
    actions: frozenset[str] = frozenset()
    limit: float | None = None


def check(
    id: str,
    title: str,
    *,
    why: str,
    fix: str,
    url: str,
    actions: Iterable[str] = (),
) -> Callable[[Ask], Check]:
    """Make a `Check` of a function that takes a Context and yields Answers (and Coverage)."""

    def made(ask: Ask) -> Check:
        return Check(
            id=id, title=title, ask=ask, why=why, fix=fix, url=url, actions=frozenset(actions)
        )

    return made

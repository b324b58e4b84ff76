"""What the permissions check says: one answer an action denied, one for all that is allowed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from checks.principal import Entity
from checks.rulings import Denial, Layer
from preflight.check import Answer
from preflight.finding import Status

_RANK = (Status.FAIL, Status.UNKNOWN, Status.WARN)
_WHY = {"explicitDeny": "a statement denies it", "implicitDeny": "nothing allows it"}
_HINTS: Mapping[Layer, str] = MappingProxyType(
    {
        Layer.IDENTITY: "allow it: `preflight permissions` prints the policy to attach",
        Layer.BOUNDARY: (
            "widen the permissions boundary; a policy attached to the principal does not help"
        ),
        Layer.SCP: (
            "ask whoever runs the organization to let its service control policies allow it; if"
            " they do for real requests, waive with --waive permissions=REASON"
        ),
        Layer.UNKNOWN: "run the check again",
    }
)
_WORDS: Mapping[Layer, str] = MappingProxyType(
    {
        Layer.IDENTITY: "in the policies attached to it",
        Layer.BOUNDARY: "in its permissions boundary",
        Layer.SCP: "in the organization's service control policies",
        Layer.UNKNOWN: "by what is not known",
    }
)


def denied(behind: Entity, denials: Iterable[Denial]) -> Iterator[Answer]:
    """Give one answer for each action, the worst of its resources and contexts first."""
    by_action: defaultdict[str, list[Denial]] = defaultdict(list)
    for denial in denials:
        by_action[denial.ruling.question.action].append(denial)
    for action, group in sorted(by_action.items()):
        group.sort(key=lambda one: (_RANK.index(one.status), one.ruling.question))
        yield _answer(behind, action, group)


def _answer(behind: Entity, action: str, group: Sequence[Denial]) -> Answer:
    worst = group[0]
    ruling, resource = worst.ruling, worst.ruling.question.resource
    resources = sorted({one.ruling.question.resource for one in group})
    return Answer(
        status=worst.status,
        subject=action,
        message=_message(behind, action, worst, len(resources) - 1),
        hint=_hint(worst),
        data={
            "action": action,
            "resource": resource,
            "resources": resources,
            "decision": ruling.decision or "unknown",
            "layer": str(worst.layer),
            "statements": list(ruling.statements),
            "missing_keys": list(worst.missing),
        },
    )


def _message(behind: Entity, action: str, worst: Denial, others: int) -> str:
    ruling, more = worst.ruling, f" and {others} more" if others else ""
    what = f"{action} on {ruling.question.resource}{more}"
    if ruling.error is not None:
        return f"not known whether {behind.arn} may do {what}: {ruling.error}"
    if worst.missing:
        keys = ", ".join(worst.missing)
        asking = f" in {', '.join(ruling.statements)}" if ruling.statements else ""
        return f"not known whether {behind.arn} may do {what}: policies ask for {keys}{asking}"
    statements = f" ({', '.join(ruling.statements)})" if ruling.statements else ""
    text = f"{behind.arn} may not do {what}: {_WHY.get(ruling.decision, ruling.decision)}"
    text += f" {_WORDS[worst.layer]}{statements}"
    doubt = "; a conditional SCP may still allow it" if worst.status is Status.WARN else ""
    return text + doubt


def _hint(worst: Denial) -> str | None:
    ruling = worst.ruling
    if ruling.error is not None and ruling.error.hint:
        return ruling.error.hint
    if worst.missing:
        return (
            "only a real request carries these keys: compare them with the policy, then waive with"
            " --waive permissions=REASON"
        )
    if worst.layer is Layer.IDENTITY and ruling.statements and ruling.decision == "explicitDeny":
        return f"narrow the Deny statement at {ruling.statements[0]}"
    return _HINTS[worst.layer]


def allowed(prefix: str, names: Sequence[str], guessed: bool) -> Answer:
    """Sum up one AWS product."""
    note = "; the path of the role was guessed, allow iam:GetRole to be sure" if guessed else ""
    plural = "actions" if len(names) > 1 else "action"
    return Answer(
        status=Status.PASS,
        subject=prefix,
        message=f"{prefix}: {len(names)} {plural} allowed{note}",
        data={"decision": "allowed", "actions": list(names)},
    )


def only_checks(denials: Sequence[Denial]) -> Answer:
    """Warn of reads that no cluster needs, but that checks look with."""
    names = sorted({denial.ruling.question.action for denial in denials})
    return Answer(
        status=Status.WARN,
        subject="actions of checks",
        message=f"building needs none of them, but checks look with: {', '.join(names)}",
        hint="allow them, so that the checks that need them can look as this principal too",
        data={"actions": names, "decision": "denied"},
    )

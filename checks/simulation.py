"""Asking the IAM policy simulator, and reading what it says.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from checks.batches import Batch, Question, batched
from checks.keys import of_principal
from preflight.aws import Aws
from preflight.errors import AwsError

WORKERS = 8

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What the simulator says to one question.

    `organizations` and `boundary` are None where no such policy is in force or none is reported.
    `error` stands where there is no ruling; `decision` is then empty.
    """

    question: Question
    decision: str = ""
    statements: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    organizations: bool | None = None
    boundary: bool | None = None
    error: AwsError | None = None

    @property
    def allowed(self) -> bool:
        """Whether the simulator allows it."""
        return self.decision == "allowed"


def ask(
    aws: Aws, principal: str, questions: Iterable[Question], exclude: Sequence[str] = ()
) -> dict[Question, Ruling]:
    """Put all questions about one user or role; `exclude` names policy types to leave out.

    Raises nothing: a call that fails is the `error` of the rulings it would have brought.
    """
    batches = batched(questions)
    if not batches:
        return {}
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(batches))) as pool:
        answers = pool.map(lambda batch: _rulings(aws, principal, batch, exclude), batches)
        return {ruling.question: ruling for rulings in answers for ruling in rulings}


def ask_sparingly(
    aws: Aws,
    principal: str,
    questions: Iterable[Question],
    boundary_keys: Callable[[], frozenset[str] | None] = lambda: None,
) -> dict[Question, Ruling]:
    """Put all questions, and those with keys of their own first without these keys.

    Each value of such a key costs a call, and most policies never ask for it: the simulator says
    which keys the policies ask for. What is allowed without a key that nothing asks for needs no
    second call. SCPs are never told, and boundaries may not be, so where these exist it does, but
    for what `boundary_keys` says: the keys (lower case) that the boundary asks for, as read from
    it, or None where it cannot be read. It is asked only where there is one.
    """
    bare = {question: replace(question, own=()) for question in questions}
    first = ask(aws, principal, bare.values())
    bounded = any(one.boundary is not None for one in first.values())
    edge = boundary_keys() if bounded else frozenset[str]()
    settled = {
        question: replace(first[plain], question=question)
        for question, plain in bare.items()
        if question == plain or _settled(question, first[plain], edge)
    }
    return settled | ask(aws, principal, bare.keys() - settled.keys())


def _settled(question: Question, plain: Ruling, boundary: frozenset[str] | None) -> bool:
    asked_for = {key.lower() for key in plain.missing} | (boundary or frozenset())
    needless = not any(key.lower() in asked_for for key, _ in question.own)
    unread = plain.boundary is not None and boundary is None
    return plain.allowed and needless and plain.organizations is None and not unread


def _rulings(aws: Aws, principal: str, batch: Batch, exclude: Sequence[str]) -> list[Ruling]:
    try:
        found = _simulate(aws, principal, batch, exclude)
    except AwsError as error:
        parts = _parts(error, batch.actions)
        if not parts:
            return [Ruling(question=question, error=error) for question in batch.questions]
        smaller = [batch.narrowed(part) for part in parts]
        return [ruling for one in smaller for ruling in _rulings(aws, principal, one, exclude)]
    return [_ruling(question, found) for question in batch.questions]


def _parts(error: AwsError, names: list[str]) -> list[set[str]]:
    """Part actions that cannot share a call: as the message says, else in halves.

    AWS answers `Invalid Input Actions: [a,b] and [c] require different authorization information`
    and documents nowhere which actions go together.
    """
    if error.code != "InvalidInput" or "Action" not in error.message or len(names) < 2:
        return []  # nothing that smaller calls would mend
    listed = [set(re.split(r"[,\s]+", text)) for text in re.findall(r"\[([^\]]*)\]", str(error))]
    parts = [part & set(names) for part in listed if part & set(names)]
    if len(parts) > 1 and sum(map(len, parts)) == len(names):
        return parts
    return [set(names[: len(names) // 2]), set(names[len(names) // 2 :])]


def _simulate(
    aws: Aws, principal: str, batch: Batch, exclude: Sequence[str]
) -> dict[Pair, Mapping[str, Any]]:
    resources = batch.resources
    request: dict[str, Any] = {
        "PolicySourceArn": principal,
        "ActionNames": batch.actions,
        "ResourceArns": resources,
        "ContextEntries": [
            _entry(key, value) for key, value in (*of_principal(principal), *batch.context)
        ],
        "MaxItems": 1000,
    }
    if exclude:
        request["PolicyExclusionList"] = [{"PolicyType": kind} for kind in exclude]
    found: dict[Pair, Mapping[str, Any]] = {}
    for result in aws.each("iam", "SimulatePrincipalPolicy", "EvaluationResults", **request):
        action = str(result["EvalActionName"]).lower()
        for one in result.get("ResourceSpecificResults") or ():
            found[action, str(one["EvalResourceName"])] = {
                **one,
                "EvalDecision": one["EvalResourceDecision"],
                "OrganizationsDecisionDetail": result.get("OrganizationsDecisionDetail"),
            }
        if len(resources) == 1:
            found.setdefault((action, resources[0]), result)
    return found


def _entry(key: str, value: str | tuple[str, ...]) -> dict[str, Any]:
    values = [value] if isinstance(value, str) else list(value)
    kind = "string" if isinstance(value, str) else "stringList"
    return {"ContextKeyName": key, "ContextKeyValues": values, "ContextKeyType": kind}


def _ruling(question: Question, found: Mapping[Pair, Mapping[str, Any]]) -> Ruling:
    result = found.get((question.action.lower(), question.resource))
    if result is None:
        message = f"the simulator gave no answer for {question.action} on {question.resource}"
        silent = AwsError(message, service="iam", operation="SimulatePrincipalPolicy")
        return Ruling(question=question, error=silent)
    organizations = result.get("OrganizationsDecisionDetail") or {}
    boundary = result.get("PermissionsBoundaryDecisionDetail") or {}
    return Ruling(
        question=question,
        decision=str(result["EvalDecision"]),
        statements=tuple(_place(each) for each in result.get("MatchedStatements") or ()),
        missing=tuple(result.get("MissingContextValues") or ()),
        organizations=organizations.get("AllowedByOrganizations"),
        boundary=boundary.get("AllowedByPermissionsBoundary"),
    )


def _place(statement: Mapping[str, Any]) -> str:
    """Say where a statement stands: policy, line and column."""
    start = statement.get("StartPosition") or {}
    place = f":{start['Line']}:{start['Column']}" if "Line" in start else ""
    return f"{statement.get('SourcePolicyId', 'unknown policy')}{place}"

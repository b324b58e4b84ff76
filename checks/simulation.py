"""Asking the IAM policy simulator, many questions in few calls.

One call asks every action on every resource in one context, so questions are put together where
only the answers asked for need to be read; nothing is assumed about the pairs that come for free.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from preflight.aws import Aws
from preflight.errors import AwsError

ACTIONS_A_CALL = 50
PAIRS_A_CALL = 600
WORKERS = 8

Pair = tuple[str, str]
Surroundings = tuple[tuple[str, str | tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True, order=True)
class Question:
    """May this action be done to this resource, with these condition keys and values?"""

    context: Surroundings
    resource: str
    action: str


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
    batches = list(batched(questions))
    if not batches:
        return {}
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(batches))) as pool:
        answers = pool.map(lambda batch: _rulings(aws, principal, batch, exclude), batches)
        return {ruling.question: ruling for rulings in answers for ruling in rulings}


def batched(questions: Iterable[Question]) -> Iterator[list[Question]]:
    """Put questions of one context together, within the size of one call."""
    batch: list[Question] = []
    actions: set[str] = set()
    resources: set[str] = set()
    for question in sorted(set(questions)):
        more = actions | {question.action}, resources | {question.resource}
        full = len(more[0]) > ACTIONS_A_CALL or len(more[0]) * len(more[1]) > PAIRS_A_CALL
        if batch and (full or batch[0].context != question.context):
            yield batch
            batch, more = [], ({question.action}, {question.resource})
        batch.append(question)
        actions, resources = more
    if batch:
        yield batch


def _rulings(
    aws: Aws, principal: str, batch: Sequence[Question], exclude: Sequence[str]
) -> list[Ruling]:
    names = sorted({question.action for question in batch})
    try:
        found = _simulate(aws, principal, batch, exclude)
    except AwsError as error:
        parts = _parts(error, names) if error.code == "InvalidInput" else []
        if not parts:
            return [Ruling(question=question, error=error) for question in batch]
        split = [[q for q in batch if q.action in part] for part in parts]
        return [ruling for part in split for ruling in _rulings(aws, principal, part, exclude)]
    return [_ruling(question, found) for question in batch]


def _parts(error: AwsError, names: list[str]) -> list[set[str]]:
    """Part actions that cannot share a call: as the message says, else in halves.

    AWS answers `Invalid Input Actions: [a,b] and [c] require different authorization information`
    and documents nowhere which actions go together.
    """
    if len(names) < 2:
        return []
    listed = [set(re.split(r"[,\s]+", text)) for text in re.findall(r"\[([^\]]*)\]", str(error))]
    parts = [part & set(names) for part in listed if part & set(names)]
    if len(parts) > 1 and sum(map(len, parts)) == len(names):
        return parts
    return [set(names[: len(names) // 2]), set(names[len(names) // 2 :])]


def _simulate(
    aws: Aws, principal: str, batch: Sequence[Question], exclude: Sequence[str]
) -> dict[Pair, Mapping[str, Any]]:
    resources = sorted({question.resource for question in batch})
    request: dict[str, Any] = {
        "PolicySourceArn": principal,
        "ActionNames": sorted({question.action for question in batch}),
        "ResourceArns": resources,
        "ContextEntries": [_entry(key, value) for key, value in batch[0].context],
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

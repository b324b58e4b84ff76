"""Putting many questions to the policy simulator into few calls.

One call asks every action on every resource in one context, so questions go together where the
pairs that come for free can be ignored. Each question keeps the condition keys of its own call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

ACTIONS_A_CALL = 50
PAIRS_A_CALL = 600

Keys = tuple[tuple[str, str | tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True, order=True)
class Question:
    """May this action be done to this resource?

    `common` are the condition keys that many calls carry, such as the Region and the tags, and
    `own` those of this action alone, such as iam:PassedToService.
    """

    common: Keys
    own: Keys = ()
    resource: str
    action: str


@dataclass(kw_only=True)
class Batch:
    """The questions of one call; `context` holds all keys of all of them."""

    common: Keys
    own: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)

    @property
    def actions(self) -> list[str]:
        """The actions asked about."""
        return sorted({question.action for question in self.questions})

    @property
    def resources(self) -> list[str]:
        """The resources asked about."""
        return sorted({question.resource for question in self.questions})

    @property
    def context(self) -> Keys:
        """The condition keys of the call, in a fixed order."""
        return tuple(sorted({**dict(self.common), **self.own}.items()))

    def takes(self, question: Question, carriers: Mapping[str, set[str]]) -> bool:
        """Say whether a question fits in without any question getting a key its call may carry."""
        own = dict(question.own)
        if bool(own) is not bool(self.own) or question.common != self.common:
            return False
        if self.questions and (question.resource == "*") is not (self.resources == ["*"]):
            return False  # whether AWS takes `*` beside ARNs is written nowhere
        if any(self.own.get(key, value) != value for key, value in own.items()):
            return False
        foreign = any(question.action in carriers[key] for key in self.own.keys() - own.keys())
        new = own.keys() - self.own.keys()
        if foreign or any(carriers[key] & set(self.actions) for key in new):
            return False
        actions = {*self.actions, question.action}
        pairs = len(actions) * len({*self.resources, question.resource})
        return len(actions) <= ACTIONS_A_CALL and pairs <= PAIRS_A_CALL

    def add(self, question: Question) -> None:
        """Put a question in."""
        self.own.update(question.own)
        self.questions.append(question)

    def narrowed(self, actions: set[str]) -> Batch:
        """Keep the questions about some of the actions."""
        kept = [question for question in self.questions if question.action in actions]
        own = {key: value for question in kept for key, value in question.own}
        return Batch(common=self.common, own=own, questions=kept)


def batched(questions: Iterable[Question]) -> list[Batch]:
    """Put all questions into batches, each question once, the first batch that takes it.

    A key that an action carries in none of the questions is taken to be foreign to it: it may be
    in the call, as no sensible policy asks an action for a key that its requests never have.
    """
    asked = sorted(set(questions))
    carriers: defaultdict[str, set[str]] = defaultdict(set)
    for question in asked:
        for key, _ in question.own:
            carriers[key].add(question.action)
    return [
        batch
        for _, alike in groupby(asked, key=lambda question: question.common)
        for batch in _packed(alike, carriers)
    ]


def _packed(questions: Iterable[Question], carriers: Mapping[str, set[str]]) -> Iterator[Batch]:
    batches: list[Batch] = []
    for question in questions:
        batch = next((one for one in batches if one.takes(question, carriers)), None)
        if batch is None:
            batch = Batch(common=question.common)
            batches.append(batch)
        batch.add(question)
    yield from batches

"""Batches: few calls, and no question asked in a context that its own call would not have."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from checks.batches import ACTIONS_A_CALL, PAIRS_A_CALL, Keys, Question, batched

COMMON: tuple[Keys, ...] = ((("aws:RequestedRegion", "us-west-2"),), (("aws:TagKeys", ("a",)),))
KEYS = ("ec2:CreateAction", "iam:PassedToService", "iam:PolicyARN")


@st.composite
def _questions(draw: st.DrawFn) -> Question:
    own = draw(st.dictionaries(st.sampled_from(KEYS), st.sampled_from("xyz"), max_size=2))
    return Question(
        common=draw(st.sampled_from(COMMON)),
        own=tuple(sorted(own.items())),
        resource=f"arn:aws:ec2:::thing/{draw(st.integers(0, 40))}",
        action=f"ec2:Do{draw(st.integers(0, 70))}",
    )


@given(questions=st.lists(_questions(), max_size=120))
def test_every_question_is_asked_once_within_limits_and_in_its_own_context(
    questions: list[Question],
) -> None:
    batches = batched(questions)

    asked = Counter(question for batch in batches for question in batch.questions)
    assert asked == Counter(set(questions))
    carriers = {key: {q.action for q in questions if key in dict(q.own)} for key in KEYS}
    for batch in batches:
        assert len(batch.actions) <= ACTIONS_A_CALL
        assert len(batch.actions) * len(batch.resources) <= PAIRS_A_CALL
        context = dict(batch.context)
        for question in batch.questions:
            wanted = {**dict(question.common), **dict(question.own)}
            assert wanted.items() <= context.items()
            foreign = context.keys() - wanted.keys()
            assert not any(question.action in carriers[key] for key in foreign)


def test_a_question_without_keys_of_its_own_gets_none_of_others() -> None:
    plain = Question(common=COMMON[0], resource="*", action="iam:GetRole")
    passing = Question(
        common=COMMON[0],
        own=(("iam:PassedToService", "eks.amazonaws.com"),),
        resource="*",
        action="iam:PassRole",
    )

    assert [batch.own for batch in batched([plain, passing])] == [
        {},
        {"iam:PassedToService": "eks.amazonaws.com"},
    ]


def test_values_of_one_key_are_asked_in_turn_and_keys_of_several_together() -> None:
    questions = [
        Question(common=COMMON[0], own=((key, value),), resource="*", action=f"a:{key}")
        for key in KEYS
        for value in "xyz"
    ]

    batches = batched(questions)

    assert [len(batch.questions) for batch in batches] == [3, 3, 3]

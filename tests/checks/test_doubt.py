"""Denials with condition keys missing: a denial whatever they are is one, and doubt is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.batches import Question
from checks.evaluation import judged
from checks.permissions import permissions
from preflight.actions import Action
from preflight.finding import Status
from preflight.policy import Context, Policy, Principal, Request, evaluate

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ROLE = "arn:aws:iam::111122223333:role/preflight/dev--us-west-2/node/dev--us-west-2-node"
ATTACH = Action(name="iam:AttachRolePolicy", on=(ROLE,))
SIMULATE = {"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*"}
READ = {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}
HOME = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
OTHERS = {"StringEquals": {"aws:ResourceTag/preflight:cluster": "prod"}}


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def without_attach(*more: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return ({"Effect": "Allow", "NotAction": "iam:AttachRolePolicy", "Resource": "*"}, *more)


def asked(bench: Any, *statements: dict[str, Any], **more: Any) -> Any:
    context = bench.needing(bench.as_builder(*statements, **more), ATTACH)
    found = bench.ask(permissions, context)
    return found.get("iam:AttachRolePolicy") or found["iam"]


@pytest.mark.parametrize("of_another", [HOME, OTHERS])
def test_a_key_of_a_statement_about_another_action_leaves_a_denial_one(
    bench: Any, of_another: dict[str, Any]
) -> None:
    found = asked(bench, SIMULATE, READ, allow("iam:CreateRole", Condition=of_another))

    assert (found.status, found.data["missing_keys"]) == (Status.FAIL, [])


def test_the_cluster_s_own_tag_needs_no_reading_to_be_settled(bench: Any) -> None:
    found = asked(bench, SIMULATE, allow("iam:AttachRolePolicy", Condition=OTHERS))

    assert found.status is Status.FAIL


def test_what_the_cluster_s_own_tag_would_allow_is_not_known(bench: Any) -> None:
    ours = {"StringEquals": {"aws:ResourceTag/preflight:cluster": "dev"}}

    found = asked(bench, SIMULATE, allow("iam:AttachRolePolicy", Condition=ours))

    assert found.status is Status.UNKNOWN
    assert found.data["missing_keys"] == ["aws:ResourceTag/preflight:cluster"]


def test_a_doubt_that_nobody_may_read_up_on_stays_one(bench: Any) -> None:
    found = asked(bench, SIMULATE, allow("iam:CreateRole", Condition=HOME))

    assert (found.status, found.data["missing_keys"]) == (Status.UNKNOWN, ["aws:SourceIp"])


def test_a_doubt_names_the_statement_that_asks_for_the_key_where_policies_can_be_read(
    bench: Any,
) -> None:
    found = asked(bench, *without_attach(allow("iam:AttachRolePolicy", Condition=HOME)))

    assert (found.status, found.data["missing_keys"]) == (Status.UNKNOWN, ["aws:SourceIp"])
    (statement,) = found.data["statements"]
    assert statement.startswith("statement 1 ")
    assert statement in found.message


def test_a_denial_that_hangs_on_a_key_beside_nothing_that_allows_is_one(bench: Any) -> None:
    found = asked(bench, *without_attach({**allow("iam:*", Condition=HOME), "Effect": "Deny"}))

    assert (found.status, found.data["layer"]) == (Status.FAIL, "identity")


def test_a_boundary_is_read_for_keys_that_the_simulator_does_not_tell(bench: Any) -> None:
    boundary = bench.document(SIMULATE, READ, allow("iam:AttachRolePolicy", Condition=HOME))

    found = asked(bench, ALL, boundary=boundary)

    assert (found.status, found.data["missing_keys"]) == (Status.UNKNOWN, ["aws:SourceIp"])


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:ViaAWSService": "false"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"aws:username": "alice"}},
        {"StringEquals": {"aws:PrincipalAccount": "111122223333"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/alice"}},
        {"StringEquals": {"aws:ResourceAccount": "111122223333"}},
    ],
    ids=lambda condition: str(next(iter(next(iter(condition.values()))))),
)
def test_keys_that_every_call_carries_are_given(bench: Any, condition: dict[str, Any]) -> None:
    found = asked(bench, SIMULATE, allow("iam:AttachRolePolicy", Condition=condition))

    assert found.status is Status.PASS, found.message


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:user/alice", Status.PASS),
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/admin", Status.FAIL),
        ("aws:ResourceAccount", "111122223333", Status.PASS),
    ],
)
def test_an_scp_that_spares_one_principal_or_account_is_asked_with_them(
    bench: Any, key: str, value: str, status: Status
) -> None:
    spared = {"StringNotEquals": {key: value}}
    denies = {"Effect": "Deny", "Action": "iam:Attach*", "Resource": "*", "Condition": spared}

    found = asked(bench, ALL, scps=[bench.document(denies)])

    assert found.status is status, found.message


VALUES = ("a", "b")
OPERATORS = ("StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringLike", "Null")


@st.composite
def _statement(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(OPERATORS))
    value = draw(st.sampled_from(("true", "false") if operator == "Null" else VALUES))
    key = draw(st.sampled_from(("aws:SourceVpc", "aws:SourceVpce")))
    condition = draw(st.sampled_from(({}, {"Condition": {operator: {key: value}}})))
    return {
        "Effect": draw(st.sampled_from(("Allow", "Deny"))),
        "Action": draw(st.sampled_from(("iam:*", "iam:AttachRolePolicy", "iam:CreateRole"))),
        "Resource": draw(st.sampled_from(("*", ROLE, ROLE + "s"))),
        **condition,
    }


@given(statements=st.lists(_statement(), min_size=1, max_size=4))
def test_what_documents_deny_without_the_keys_they_deny_with_any_value_of_them(
    statements: list[dict[str, Any]],
) -> None:
    policy = Policy.parse({"Version": "2012-10-17", "Statement": statements})
    alice = "arn:aws:iam::111122223333:user/alice"
    question = Question(common=(), resource=ROLE, action="iam:AttachRolePolicy")

    read = judged(question, alice, [policy], None)

    answers = {
        evaluate(
            Request(
                action=question.action,
                principal=Principal(arn=alice),
                resource=ROLE,
                context=Context.of({"aws:SourceVpc": vpc, "aws:SourceVpce": endpoint}),
            ),
            identity=[policy],
        ).allowed
        for vpc in ((), *VALUES, "c")
        for endpoint in ((), *VALUES, "c")
    }
    if read is None:
        assert answers == {True}
    elif read.status is Status.FAIL:
        assert answers == {False}
    else:
        assert read.missing

"""Every condition operator, the set operators, IfExists, Null, and variables in values."""

from __future__ import annotations

import pytest

from preflight.errors import SpecError
from preflight.policy import OPERATORS, Condition, Context

KEY = "aws:Key"


def holds(
    operator: str,
    wanted: str | list[str],
    given: str | list[str] | None = None,
    *,
    unknown: tuple[str, ...] = (),
) -> bool | None:
    values = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    context = Context.of({} if given is None else {KEY: given}, unknown=unknown)
    return Condition.parse(operator, KEY.upper(), values, variables=True).holds(context)


YES_NO: list[tuple[str, str | list[str], str, str]] = [
    ("StringEquals", "a", "a", "A"),
    ("StringEquals", "a*", "a*", "ab"),
    ("StringEquals", ["a", "b"], "b", "c"),
    ("StringNotEquals", ["a", "b"], "c", "b"),
    ("StringEqualsIgnoreCase", "Ab", "aB", "abc"),
    ("StringNotEqualsIgnoreCase", "Ab", "b", "AB"),
    ("StringLike", "a?c*", "abcdef", "acdef"),
    ("StringLike", "a.c", "a.c", "abc"),
    ("StringNotLike", "a*", "ba", "ab"),
    ("NumericEquals", "10", "10.0", "11"),
    ("NumericNotEquals", "10", "11", "10"),
    ("NumericLessThan", "10", "9.9", "10"),
    ("NumericLessThanEquals", "10", "10", "10.1"),
    ("NumericGreaterThan", "10", "11", "10"),
    ("NumericGreaterThanEquals", "10", "10", "9"),
    ("NumericLessThan", "10", "9", "nine"),
    ("DateEquals", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00", "2024-01-02T00:00:00Z"),
    ("DateNotEquals", "2024-01-01", "2024-01-02", "2024-01-01T00:00:00Z"),
    ("DateLessThan", "2024-01-01T00:00:00Z", "1704067199", "1704067200"),
    ("DateLessThanEquals", "2024-01", "2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z"),
    ("DateGreaterThan", "2024", "2024-01-01T00:00:01Z", "2024-01-01T00:00:00Z"),
    ("DateGreaterThanEquals", "2024-01-01T00:00:00Z", "2024-01-01", "2023-12-31"),
    ("Bool", "true", "True", "false"),
    ("Bool", "false", "false", "no"),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", "QmluYXJ6"),
    ("IpAddress", "203.0.113.0/24", "203.0.113.9", "203.0.114.9"),
    ("IpAddress", "203.0.113.9", "203.0.113.9", "2001:db8::1"),
    ("IpAddress", "2001:db8::/32", "2001:db8:1::2", "203.0.113.9"),
    ("NotIpAddress", ["10.0.0.0/8", "192.168.0.0/16"], "172.16.0.1", "192.168.3.4"),
    ("ArnLike", "arn:aws:iam::*:role/a*", "arn:aws:iam::1:role/a/b:c", "arn:aws:iam:x:1:role/a"),
    ("ArnEquals", "arn:aws:s3:::b/?", "arn:aws:s3:::b/k", "arn:aws:s3:::b/kk"),
    ("ArnLike", "arn:*:s3:::b", "arn:aws-cn:s3:::b", "arn:aws:x:s3:::b"),
    ("ArnNotLike", "arn:aws:iam::1:*", "arn:aws:iam::2:role/a", "arn:aws:iam::1:role/a"),
    ("ArnNotEquals", "arn:aws:iam::1:*", "arn:aws:iam::2:role/a", "arn:aws:iam::1:role/a"),
]


@pytest.mark.parametrize(("operator", "wanted", "yes", "no"), YES_NO)
def test_an_operator_tells_a_fitting_value_from_another(
    operator: str, wanted: str | list[str], yes: str, no: str
) -> None:
    assert holds(operator, wanted, yes) is True
    assert holds(operator, wanted, no) is False


def test_every_operator_but_null_stands_in_the_table() -> None:
    assert {row[0].lower() for row in YES_NO} | {"null"} == set(OPERATORS)


@pytest.mark.parametrize("operator", sorted({row[0] for row in YES_NO}))
def test_without_the_key_only_negated_and_if_exists_operators_hold(operator: str) -> None:
    assert holds(operator, "1") is ("Not" in operator)
    assert holds(operator + "IfExists", "1") is True
    assert holds(operator, "1", unknown=(KEY,)) is None


def test_if_exists_still_compares_a_value_that_is_there() -> None:
    assert holds("StringEqualsIfExists", "a", "b") is False
    assert holds("StringEqualsIfExists", "a", "a") is True


@pytest.mark.parametrize(
    ("operator", "given", "answer"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "x"], False),
        ("ForAllValues:StringEquals", [], True),
        ("ForAllValues:StringEquals", [""], True),
        ("ForAnyValue:StringEquals", ["x", "b"], True),
        ("ForAnyValue:StringEquals", ["x", "y"], False),
        ("ForAnyValue:StringEquals", [], False),
        ("ForAllValues:StringNotEquals", ["x", "y"], True),
        ("ForAllValues:StringNotEquals", ["x", "a"], False),
        ("ForAnyValue:StringNotEquals", ["x", "a"], True),
        ("ForAnyValue:StringNotEquals", ["b", "a"], False),
        ("ForAnyValue:StringNotEquals", [], False),
        ("ForAnyValue:StringLike", ["ax", "b"], True),
        ("ForAllValues:StringEqualsIfExists", [], True),
        ("ForAnyValue:StringEqualsIfExists", [], True),
    ],
)
def test_set_operators_compare_lists(operator: str, given: list[str], answer: bool) -> None:
    assert holds(operator, ["a", "b"], given) is answer


def test_null_asks_whether_the_key_is_there() -> None:
    assert holds("Null", "true") is True
    assert holds("Null", "true", "x") is False
    assert holds("Null", "false", "x") is True
    assert holds("Null", "false") is False
    assert holds("Null", "false", unknown=("aws:*",)) is None


@pytest.mark.parametrize("name", ["StringMatches", "ForSome:StringEquals", "NullIfExists", ""])
def test_an_operator_that_iam_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(SpecError, match="not a condition operator"):
        Condition.parse(name, KEY, ("x",), variables=True)


def test_a_variable_is_replaced_and_its_value_is_no_pattern() -> None:
    condition = Condition.parse("StringLike", KEY, ("home/${aws:username}/*",), variables=True)

    def with_user(name: str | None, given: str) -> bool | None:
        return condition.holds(Context.of({KEY: given} | ({"AWS:UserName": name} if name else {})))

    assert with_user("bob", "home/bob/x") is True
    assert with_user("b*", "home/bob/x") is False
    assert with_user("b*", "home/b*/x") is True
    assert with_user(None, "home/bob/x") is False


def test_a_variable_takes_its_default_only_when_the_key_is_absent() -> None:
    condition = Condition.parse(
        "StringEquals", KEY, ("${aws:PrincipalTag/team, 'all staff'}",), variables=True
    )
    assert condition.holds(Context.of({KEY: "all staff"})) is True
    assert condition.holds(Context.of({KEY: "all staff", "aws:principaltag/TEAM": "x"})) is False
    assert condition.holds(Context.of({KEY: "x"}, unknown=["aws:PrincipalTag/team"])) is None


def test_escapes_stand_for_the_characters_themselves() -> None:
    condition = Condition.parse("StringLike", KEY, ("a${*}b${?}c${$}{d}",), variables=True)
    assert condition.holds(Context.of({KEY: "a*b?c${d}"})) is True
    assert condition.holds(Context.of({KEY: "axbyc${d}"})) is False


def test_the_old_policy_language_has_no_variables() -> None:
    condition = Condition.parse("StringEquals", KEY, ("${aws:username}",), variables=False)
    assert condition.holds(Context.of({KEY: "${aws:username}", "aws:username": "bob"})) is True


def test_keys_name_the_variables_too() -> None:
    condition = Condition.parse("StringEquals", KEY, ("${aws:UserId}",), variables=True)
    assert condition.keys == (KEY, "aws:UserId")

"""What a policy document may look like, what matches, and where statements stand."""

from __future__ import annotations

import time
from collections.abc import Mapping
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight.errors import SpecError
from preflight.policy import Context, Policy, Principal, Request, evaluate, plain_tokens, regex

BOB = Principal(arn="arn:aws:iam::111122223333:user/bob")
ALPHABET = "ab:/[].*?\n"


def allows(
    statement: Mapping[str, object], action: str, resource: str | None = "*", **context: str
) -> str:
    policy = Policy.parse({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}})
    request = Request(action=action, principal=BOB, resource=resource, context=Context.of(context))
    return evaluate(request, identity=[policy]).outcome.value


@given(st.text(ALPHABET, max_size=8), st.text(ALPHABET, max_size=12))
def test_wildcards_agree_with_a_reference(pattern: str, text: str) -> None:
    expected = fnmatchcase(text, pattern.replace("[", "[[]"))
    assert (regex(plain_tokens(pattern)).fullmatch(text) is not None) is expected


@given(st.text("ab*?", max_size=6))
def test_a_pattern_without_wildcards_matches_only_itself(text: str) -> None:
    literal = text.replace("*", "").replace("?", "")
    assert regex(plain_tokens(literal)).fullmatch(literal)
    assert not regex(plain_tokens(literal)).fullmatch(literal + "a")


def test_many_wildcards_take_no_time() -> None:
    began = time.perf_counter()
    assert not regex(plain_tokens("*a" * 60 + "b")).fullmatch("a" * 5000)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("statement", "action", "resource", "outcome"),
    [
        ({"Action": "EC2:createvpc", "Resource": "*"}, "ec2:CreateVpc", "*", "allowed"),
        ({"Action": ["s3:*", "ec2:Create?pc"], "Resource": "*"}, "ec2:CreateVpc", "*", "allowed"),
        ({"Action": "ec2:Create", "Resource": "*"}, "ec2:CreateVpc", "*", "implicitDeny"),
        ({"Action": "ec2.CreateVpc", "Resource": "*"}, "ec2:CreateVpc", "*", "implicitDeny"),
        ({"NotAction": "iam:*", "Resource": "*"}, "ec2:CreateVpc", "*", "allowed"),
        ({"NotAction": "iam:*", "Resource": "*"}, "IAM:GetRole", "*", "implicitDeny"),
        ({"Action": "*", "NotResource": "arn:aws:s3:::b"}, "s3:X", "arn:aws:s3:::c", "allowed"),
        (
            {"Action": "*", "NotResource": "arn:aws:s3:::b*"},
            "s3:X",
            "arn:aws:s3:::bc",
            "implicitDeny",
        ),
        ({"Action": "*", "Resource": "arn:aws:s3:::B"}, "s3:X", "arn:aws:s3:::b", "implicitDeny"),
        ({"Action": "*", "Resource": "arn:aws:s3:::b"}, "s3:X", "*", "implicitDeny"),
        (
            {"Action": "*", "Resource": "arn:aws:sqs:*:1:a*"},
            "sqs:X",
            "arn:aws:sqs:us-west-2:1:ab:c",
            "allowed",
        ),
    ],
)
def test_actions_ignore_case_and_resources_do_not(
    statement: dict[str, object], action: str, resource: str, outcome: str
) -> None:
    assert allows(statement, action, resource) == outcome


def test_a_resource_may_hold_a_variable() -> None:
    statement = {"Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}/*"}
    assert allows(statement, "s3:X", "arn:aws:s3:::b/bob/k", **{"aws:username": "bob"}) == "allowed"
    assert allows(statement, "s3:X", "arn:aws:s3:::b/bob/k") == "implicitDeny"


@pytest.mark.parametrize(
    ("pattern", "outcome"),
    [
        ("*", "allowed"),
        ("arn:aws:ec2:*:*:*", "allowed"),
        ("arn:aws:ec2:*:*:vpc/*", "unknown"),
        ("arn:aws:s3:::*", "implicitDeny"),
        ("arn:*:e*:*:*:*", "allowed"),
    ],
)
def test_an_unknown_resource_is_matched_by_patterns_of_its_service(
    pattern: str, outcome: str
) -> None:
    assert allows({"Action": "*", "Resource": pattern}, "ec2:DeleteVpc", None) == outcome


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ({"Version": "2012-10-17", "Statement": []}, "at least one statement"),
        ({"Statement": ["x"]}, "JSON object"),
        ({"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}, "Allow or Deny"),
        ({"Statement": {"Effect": "Allow", "Resource": "*"}}, "Action or a NotAction"),
        (
            {"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}},
            "not both",
        ),
        ({"Statement": {"Effect": "Allow", "action": "*", "Resource": "*"}}, "'action'"),
        ({"Statement": {"Effect": "Allow", "Action": [{}], "Resource": "*"}}, "string"),
        ({"Statement": {"Effect": "Allow", "Action": [], "Resource": "*"}}, "one action"),
        ({"Statement": {"Effect": "Allow", "Action": "*", "Condition": []}}, "object"),
        (
            {"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Wrong": {"a": "b"}}}},
            "not a condition operator",
        ),
    ],
)
def test_a_document_that_iam_would_refuse_is_refused(document: object, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Policy.parse(document)  # type: ignore[arg-type]


def test_the_same_document_is_compiled_once() -> None:
    document = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    assert Policy.parse(document, id="p") is Policy.parse(dict(document), id="p")


def test_booleans_and_numbers_are_read_as_aws_writes_them() -> None:
    condition = {"Bool": {"aws:SecureTransport": True}, "NumericEquals": {"s3:max-keys": 10}}
    statement = {"Action": "*", "Resource": "*", "Condition": condition}
    given = {"aws:SecureTransport": "true", "s3:max-keys": "10"}
    assert allows(statement, "s3:ListBucket", **given) == "allowed"


def test_statements_know_where_they_stand() -> None:
    text = (
        '{\n  "Version": "2012-10-17",\n  "Statement": {\n    "Effect": "Allow",\n'
        '    "Action": "*",\n    "Resource": "*"\n  }\n}'
    )
    (statement,) = Policy.parse(text).statements
    assert (statement.span.start, statement.span.end) == ((3, 16), (7, 4))
    two = (
        '{"Id": {"Statement": 1}, "Statement": '
        '[{"Effect":"Allow","Action":"a:b"},\n {"Effect":"Deny","Action":"{}"} ]}'
    )
    assert [(one.span.start, one.span.end) for one in Policy.parse(two).statements] == [
        ((1, 40), (1, 73)),
        ((2, 2), (2, 33)),
    ]


def test_keys_are_listed_once_as_they_are_written() -> None:
    policy = Policy.parse(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "arn:aws:s3:::${aws:userName}",
                "Condition": {"StringLike": {"aws:RequestedRegion": "a", "AWS:username": "b"}},
            },
        }
    )
    assert policy.keys == ("aws:RequestedRegion", "AWS:username")

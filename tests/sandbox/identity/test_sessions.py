"""Sessions: how long, how narrow, with which tags, and what none of them may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha512
from typing import Any

import pytest

Admin = Any
Refusal = Any

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
QUEUES = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
TOPICS = {"Effect": "Allow", "Action": "sns:*", "Resource": "*"}
TEAM = [{"Key": "team", "Value": "red"}]


def seconds(answer: dict[str, Any]) -> float:
    return float((answer["Credentials"]["Expiration"] - datetime.now(UTC)).total_seconds())


# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
def test_a_session_lasts_as_long_as_the_role_allows_and_an_hour_if_nobody_says(
    admin: Admin, refusal: Refusal
) -> None:
    sts = admin.client("sts")
    long = {"RoleArn": admin.role(MaxSessionDuration=43200), "RoleSessionName": "me"}
    assert seconds(sts.assume_role(**long)) == pytest.approx(3600, abs=60)
    assert seconds(sts.assume_role(**long, DurationSeconds=43200)) == pytest.approx(43200, abs=60)
    code, status, message = refusal(sts.assume_role, **long, DurationSeconds=43201)
    assert (code, status) == ("ValidationError", 400)
    short = {"RoleArn": admin.role(), "RoleSessionName": "me"}
    message = refusal(sts.assume_role, **short, DurationSeconds=3601)[2]
    assert "exceeds the MaxSessionDuration set for this role" in message
    unchecked = admin.client("sts", parameter_validation=False).assume_role
    assert refusal(unchecked, **short, DurationSeconds=899)[0] == "ValidationError"


# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
def test_a_role_that_becomes_another_has_an_hour_whatever_that_one_allows(
    admin: Admin, refusal: Refusal
) -> None:
    long = admin.role(MaxSessionDuration=43200)
    chained = admin.assume(admin.role(EVERYTHING)).client("sts")
    wanted = {"RoleArn": long, "RoleSessionName": "me"}
    refused = refusal(chained.assume_role, **wanted, DurationSeconds=3601)
    assert refused[0] == "ValidationError"
    assert "1 hour session limit for roles assumed by role chaining" in refused[2]
    assert seconds(chained.assume_role(**wanted)) == pytest.approx(3600, abs=60)


def test_inline_and_managed_session_policies_are_one_limit(admin: Admin, refusal: Refusal) -> None:
    role = admin.role(EVERYTHING)
    both = admin.assume(
        role, Policy=admin.document(QUEUES), PolicyArns=[{"arn": admin.policy(TOPICS)}]
    )
    both.client("sqs").list_queues()
    both.client("sns").list_topics()
    assert "because no session policy allows" in refusal(both.client("eks").list_clusters)[2]


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
def test_session_policies_have_a_size(admin: Admin, refusal: Refusal) -> None:
    sts, wanted = admin.client("sts"), {"RoleArn": admin.role(), "RoleSessionName": "me"}
    plain = sts.assume_role(**wanted)
    assert "PackedPolicySize" not in plain
    small = sts.assume_role(**wanted, Policy=admin.document(QUEUES))["PackedPolicySize"]
    assert 0 < small < 100
    many = [f"arn:aws:s3:::bucket-{number}" for number in range(100)]
    large = admin.document({"Effect": "Allow", "Action": "s3:*", "Resource": many})
    assert len(large) > 2048
    assert refusal(sts.assume_role, **wanted, Policy=large)[0] == "ValidationError"
    eleven = [{"arn": f"arn:aws:iam::aws:policy/P{number}"} for number in range(11)]
    assert refusal(sts.assume_role, **wanted, PolicyArns=eleven)[0] == "ValidationError"
    tags = [{"Key": f"{number:0>100}", "Value": f"{number * 7919:0>200}"} for number in range(50)]
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}}
    taggable = admin.role(trust=admin.document({**trust, "Action": "sts:*"}))
    random = [{"Key": one["Key"], "Value": _mixed(one["Value"])} for one in tags]
    refused = refusal(sts.assume_role, RoleArn=taggable, RoleSessionName="me", Tags=random)
    assert refused[0] == "PackedPolicyTooLarge"
    assert "please use smaller policy" in refused[2]


def _mixed(text: str) -> str:
    """Make text that does not compress."""
    return sha512(text.encode()).hexdigest() + sha512(text[::-1].encode()).hexdigest()


# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
def test_tagging_a_session_must_be_allowed_on_both_sides(admin: Admin, refusal: Refusal) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    tagging = {**trust, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    closed, open_ = (admin.role(trust=admin.document(one)) for one in (trust, tagging))
    both = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"}
    user = admin.user(both)
    refused = refusal(
        user.client("sts").assume_role, RoleArn=closed, RoleSessionName="me", Tags=TEAM
    )
    assert refused[0] == "AccessDenied"
    assert "sts:TagSession" in refused[2]
    user.assume(closed)
    user.assume(open_, Tags=TEAM)


def test_the_tags_of_a_session_stand_for_those_of_its_role_and_some_are_passed_on(
    admin: Admin, refusal: Refusal
) -> None:
    ours = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}
    document = admin.document(trust)
    first = admin.role(EVERYTHING, trust=document)
    tags = [{"Key": "team", "Value": "blue"}]
    second = admin.role({**QUEUES, "Condition": ours}, trust=document, Tags=tags)
    plain = admin.assume(first, Tags=TEAM).assume(second)
    assert refusal(plain.client("sqs").list_queues)[0] == "AccessDenied"
    passed = admin.assume(first, Tags=TEAM, TransitiveTagKeys=["team"]).assume(second)
    passed.client("sqs").list_queues()


# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
def test_sessions_from_before_a_moment_can_be_shut_out(admin: Admin, refusal: Refusal) -> None:
    role = admin.role(EVERYTHING)
    session = admin.assume(role)
    session.client("sqs").list_queues()
    now = admin.sandbox.world.clock.now().isoformat()
    older = {"DateLessThan": {"aws:TokenIssueTime": now}}
    revoke = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": older}
    admin.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="AWSRevokeOlderSessions",
        PolicyDocument=admin.document(revoke),
    )
    assert "with an explicit deny" in refusal(session.client("sqs").list_queues)[2]
    admin.assume(role).client("sqs").list_queues()


# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
def test_a_session_of_a_user_is_the_user_but_for_iam(admin: Admin, refusal: Refusal) -> None:
    user = admin.user(EVERYTHING)
    session = user.with_keys(user.client("sts").get_session_token()["Credentials"])
    assert session.client("sts").get_caller_identity()["Arn"] == user.arn
    session.client("sqs").list_queues()
    assert refusal(session.client("iam").list_users)[0] == "InvalidClientTokenId"


def test_a_session_of_a_role_that_is_gone_may_do_nothing(admin: Admin, refusal: Refusal) -> None:
    role, iam = admin.role(EVERYTHING), admin.client("iam")
    session, name = admin.assume(role), role.rpartition("/")[2]
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    iam.delete_role(RoleName=name)
    assert refusal(session.client("sqs").list_queues)[0] == "AccessDenied"
    assert session.client("sts").get_caller_identity()["Arn"].endswith("/test")


def test_nobody_may_do_anything_with_a_session_that_has_expired(
    admin: Admin, refusal: Refusal
) -> None:
    answer = admin.client("sts").assume_role(RoleArn=admin.role(EVERYTHING), RoleSessionName="me")
    session, key = admin.with_keys(answer["Credentials"]), answer["Credentials"]["AccessKeyId"]
    sessions = admin.sandbox.world.sessions
    sessions[key] = replace(sessions[key], expires=0)
    assert refusal(session.client("sts").get_caller_identity)[0] == "ExpiredToken"
    assert refusal(session.client("sqs").list_queues)[0] in {
        "ExpiredToken",
        "ExpiredTokenException",
    }
    assert refusal(session.client("ec2").describe_vpcs)[0] == "RequestExpired"

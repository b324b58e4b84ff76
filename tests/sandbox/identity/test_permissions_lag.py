"""Permissions change late where the scenario says so: a grant, a removal, through any policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Admin = Any
Refusal = Any

LAG = 10
OLD_KEY = ("AKIAOLDOLDOLDOLDOLD1", "a-secret")
QUEUES = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
TOPICS = {"Effect": "Allow", "Action": "sns:*", "Resource": "*"}
SCENARIO = {
    "rates": "off",
    "consistency": {"iam_propagation": LAG},
    "principals": [
        {
            "user": "old",
            "access_key": list(OLD_KEY),
            "policies": [{"Version": "2012-10-17", "Statement": [QUEUES]}],
        }
    ],
}


@pytest.fixture
def wait(admin: Admin) -> Callable[[float], None]:
    return admin.sandbox.world.clock.advance


def may(caller: Any, service: str = "sqs") -> bool:
    calls = {"sqs": "list_queues", "sns": "list_topics"}
    try:
        getattr(caller.client(service), calls[service])()
    except ClientError:
        return False
    return True


def test_what_the_scenario_made_is_old(admin: Admin) -> None:
    assert may(type(admin)(admin.sandbox, *OLD_KEY))


def test_an_inline_policy_counts_late_and_stays_late(admin: Admin, wait: Any) -> None:
    user, iam = admin.user(), admin.client("iam")
    given = {"UserName": user.name, "PolicyName": "p"}
    iam.put_user_policy(**given, PolicyDocument=admin.document(QUEUES))
    assert not may(user)
    wait(LAG - 1)
    assert not may(user)
    wait(2)
    assert may(user)
    iam.delete_user_policy(**given)
    assert may(user)
    wait(LAG + 1)
    assert not may(user)


def test_changes_in_a_row_arrive_in_a_row(admin: Admin, wait: Any) -> None:
    user, iam = admin.user(), admin.client("iam")
    given = {"UserName": user.name, "PolicyName": "p"}
    iam.put_user_policy(**given, PolicyDocument=admin.document(QUEUES))
    wait(4)
    iam.put_user_policy(**given, PolicyDocument=admin.document(TOPICS))
    assert not may(user, "sqs")
    wait(7)
    assert (may(user, "sqs"), may(user, "sns")) == (True, False)
    wait(4)
    assert (may(user, "sqs"), may(user, "sns")) == (False, True)


def test_attached_policies_their_versions_and_boundaries_are_late_too(
    admin: Admin, wait: Any
) -> None:
    user, iam = admin.user(), admin.client("iam")
    arn = admin.policy(QUEUES)
    iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    assert not may(user)
    wait(LAG + 1)
    assert may(user)
    text = admin.document(TOPICS)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
    assert (may(user), may(user, "sns")) == (True, False)
    wait(LAG + 1)
    assert (may(user), may(user, "sns")) == (False, True)
    iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=admin.policy(QUEUES))
    assert may(user, "sns")
    wait(LAG + 1)
    assert not may(user, "sns")
    iam.delete_user_permissions_boundary(UserName=user.name)
    assert not may(user, "sns")
    wait(LAG + 1)
    assert may(user, "sns")


def test_a_group_gives_late_and_takes_late(admin: Admin, wait: Any) -> None:
    user, iam = admin.user(), admin.client("iam")
    group = f"of-{user.name}"
    iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=admin.document(QUEUES))
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    assert not may(user)
    wait(LAG + 1)
    assert may(user)
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=admin.document(TOPICS))
    assert may(user)
    wait(LAG + 1)
    assert not may(user)


def test_a_session_has_what_is_known_of_its_role(admin: Admin, wait: Any) -> None:
    role = admin.role()
    wait(LAG + 1)
    session = admin.assume(role)
    name = role.rpartition("/")[2]
    text = admin.document(QUEUES)
    admin.client("iam").put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=text)
    assert not may(session)
    wait(LAG + 1)
    assert may(session)

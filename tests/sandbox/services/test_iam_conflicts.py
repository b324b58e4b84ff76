"""What IAM refuses to delete because it is in use, in its words.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

Refusal = Any

ALLOW = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}],
    }
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "ec2.amazonaws.com"},
            }
        ],
    }
)
Undo = Callable[[], Any]


def entity(what: str) -> tuple[str, int, str]:
    return "DeleteConflict", 409, f"Cannot delete entity, must {what} first."


def refused_until_undone(
    refusal: Refusal, delete: Callable[[], Any], undo: Undo, what: str
) -> None:
    assert refusal(delete) == entity(what)
    undo()
    delete()


@pytest.fixture
def iam(client: Any) -> Any:
    """IAM with a role, a user, a group and a policy."""
    iam = client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    return iam


@pytest.fixture
def policy(iam: Any) -> str:
    return str(iam.create_policy(PolicyName="p", PolicyDocument=ALLOW)["Policy"]["Arn"])


def role_with_policy(iam: Any, policy: str) -> Undo:
    iam.attach_role_policy(RoleName="r", PolicyArn=policy)
    return lambda: iam.detach_role_policy(RoleName="r", PolicyArn=policy)


def role_with_inline(iam: Any, _: str) -> Undo:
    iam.put_role_policy(RoleName="r", PolicyName="i", PolicyDocument=ALLOW)
    return lambda: iam.delete_role_policy(RoleName="r", PolicyName="i")


def role_in_profile(iam: Any, _: str) -> Undo:
    at = {"InstanceProfileName": "ip", "RoleName": "r"}
    iam.create_instance_profile(InstanceProfileName="ip")
    iam.add_role_to_instance_profile(**at)
    return lambda: iam.remove_role_from_instance_profile(**at)


@pytest.mark.parametrize(
    ("hold", "what"),
    [
        (role_with_policy, "detach all policies"),
        (role_with_inline, "delete policies"),
        (role_in_profile, "remove roles from instance profile"),
    ],
)
def test_a_role_stays_while(
    iam: Any, policy: str, refusal: Refusal, hold: Callable[[Any, str], Undo], what: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html"""
    delete = partial(iam.delete_role, RoleName="r")
    refused_until_undone(refusal, delete, hold(iam, policy), what)


def test_an_instance_profile_stays_while_it_has_a_role(iam: Any, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html"""
    undo = role_in_profile(iam, "")
    delete = partial(iam.delete_instance_profile, InstanceProfileName="ip")
    refused_until_undone(refusal, delete, undo, "remove roles from instance profile")


def user_with_policy(iam: Any, policy: str) -> Undo:
    iam.attach_user_policy(UserName="u", PolicyArn=policy)
    return lambda: iam.detach_user_policy(UserName="u", PolicyArn=policy)


def user_with_inline(iam: Any, _: str) -> Undo:
    iam.put_user_policy(UserName="u", PolicyName="i", PolicyDocument=ALLOW)
    return lambda: iam.delete_user_policy(UserName="u", PolicyName="i")


def user_with_key(iam: Any, _: str) -> Undo:
    id = iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"]
    return lambda: iam.delete_access_key(UserName="u", AccessKeyId=id)


def user_with_password(iam: Any, _: str) -> Undo:
    iam.create_login_profile(UserName="u", Password="Correct-horse-7")
    return lambda: iam.delete_login_profile(UserName="u")


def user_in_group(iam: Any, _: str) -> Undo:
    iam.add_user_to_group(UserName="u", GroupName="g")
    return lambda: iam.remove_user_from_group(UserName="u", GroupName="g")


@pytest.mark.parametrize(
    ("hold", "what"),
    [
        (user_with_policy, "detach all policies"),
        (user_with_inline, "delete policies"),
        (user_with_key, "delete access keys"),
        (user_with_password, "delete login profile"),
        (user_in_group, "remove users from group"),
    ],
)
def test_a_user_stays_while(
    iam: Any, policy: str, refusal: Refusal, hold: Callable[[Any, str], Undo], what: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html"""
    delete = partial(iam.delete_user, UserName="u")
    refused_until_undone(refusal, delete, hold(iam, policy), what)


def group_with_policy(iam: Any, policy: str) -> Undo:
    iam.attach_group_policy(GroupName="g", PolicyArn=policy)
    return lambda: iam.detach_group_policy(GroupName="g", PolicyArn=policy)


def group_with_inline(iam: Any, _: str) -> Undo:
    iam.put_group_policy(GroupName="g", PolicyName="i", PolicyDocument=ALLOW)
    return lambda: iam.delete_group_policy(GroupName="g", PolicyName="i")


@pytest.mark.parametrize(
    ("hold", "what"),
    [
        (group_with_policy, "detach all policies"),
        (group_with_inline, "delete policies"),
        (user_in_group, "remove users from group"),
    ],
)
def test_a_group_stays_while(
    iam: Any, policy: str, refusal: Refusal, hold: Callable[[Any, str], Undo], what: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html"""
    delete = partial(iam.delete_group, GroupName="g")
    refused_until_undone(refusal, delete, hold(iam, policy), what)


def boundary_of_role(iam: Any, policy: str) -> Undo:
    iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=policy)
    return lambda: iam.delete_role_permissions_boundary(RoleName="r")


@pytest.mark.parametrize(
    "hold", [role_with_policy, user_with_policy, group_with_policy, boundary_of_role]
)
def test_a_policy_stays_while_somebody_has_it(
    iam: Any, policy: str, refusal: Refusal, hold: Callable[[Any, str], Undo]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html"""
    undo = hold(iam, policy)
    assert refusal(iam.delete_policy, PolicyArn=policy) == (
        "DeleteConflict",
        409,
        "Cannot delete a policy attached to entities.",
    )
    undo()
    iam.delete_policy(PolicyArn=policy)


def test_a_policy_stays_while_it_has_other_versions(
    iam: Any, policy: str, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html"""
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=ALLOW, SetAsDefault=True)
    assert refusal(iam.delete_policy, PolicyArn=policy) == (
        "DeleteConflict",
        409,
        "This policy has more than one version. Before you delete a policy, you must delete the"
        " policy's versions. The default version is deleted with the policy.",
    )
    assert refusal(iam.delete_policy_version, PolicyArn=policy, VersionId="v2") == (
        "DeleteConflict",
        409,
        "Cannot delete the default version of a policy.",
    )
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    iam.delete_policy(PolicyArn=policy)


def test_names_are_there_once(iam: Any, policy: str, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html"""
    assert policy
    iam.create_instance_profile(InstanceProfileName="ip")
    taken = [
        refusal(iam.create_role, RoleName="r", AssumeRolePolicyDocument=TRUST),
        refusal(iam.create_user, UserName="u"),
        refusal(iam.create_instance_profile, InstanceProfileName="ip"),
        refusal(iam.create_policy, PolicyName="p", PolicyDocument=ALLOW, Path="/other/"),
    ]
    assert [one[:2] for one in taken] == [("EntityAlreadyExists", 409)] * 4


def test_an_identity_provider_can_be_deleted_twice(iam: Any) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteOpenIDConnectProvider.html"""
    arn = iam.create_open_id_connect_provider(
        Url="https://oidc.eks.us-west-2.amazonaws.com/id/AA", ClientIDList=["sts.amazonaws.com"]
    )["OpenIDConnectProviderArn"]
    for _ in range(2):
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []

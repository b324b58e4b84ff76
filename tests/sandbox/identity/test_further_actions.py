"""What a request needs besides its own action: tags, passed roles, what services do for it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from botocore.exceptions import ClientError

Admin = Any
Refusal = Any

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NUMBERS = itertools.count(1)


def test_tags_on_creation_need_their_own_action_and_carry_their_keys(
    admin: Admin, refusal: Refusal
) -> None:
    untagged = {"Effect": "Allow", "Action": "ec2:CreateVpc", "Resource": "*"}
    tagging = {
        "Effect": "Allow",
        "Action": "ec2:CreateTags",
        "Resource": "arn:aws:ec2:*:*:vpc/*",
        "Condition": {
            "StringEquals": {"ec2:CreateAction": "CreateVpc", "aws:RequestTag/team": "a"}
        },
    }

    def tags(value: str) -> list[dict[str, Any]]:
        return [{"ResourceType": "vpc", "Tags": [{"Key": "team", "Value": value}]}]

    plain = admin.user(untagged).client("ec2")
    plain.create_vpc(CidrBlock="10.1.0.0/16", DryRun=False)
    refused = refusal(plain.create_vpc, CidrBlock="10.1.0.0/16", TagSpecifications=tags("a"))
    assert "is not authorized to perform: ec2:CreateTags on resource" in refused[2]
    allowed = admin.user(untagged, tagging).client("ec2")
    allowed.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=tags("a"))
    refusal(allowed.create_vpc, CidrBlock="10.1.0.0/16", TagSpecifications=tags("b"))


def test_a_role_may_only_be_passed_on_with_iam_pass_role(admin: Admin, refusal: Refusal) -> None:
    role = admin.role()
    eks = {"Effect": "Allow", "Action": "eks:*", "Resource": "*"}
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": role,
        "Condition": {"StringEquals": {"iam:PassedToService": "eks.amazonaws.com"}},
    }
    parameters: dict[str, Any] = {
        "name": f"cluster{next(NUMBERS)}",
        "roleArn": role,
        "resourcesVpcConfig": {"subnetIds": ["subnet-1", "subnet-2"]},
    }
    code, status, message = refusal(admin.user(eks).client("eks").create_cluster, **parameters)
    assert (code, status) == ("AccessDeniedException", 403)
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in message
    other = passing | {"Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}}
    refused = refusal(admin.user(eks, other).client("eks").create_cluster, **parameters)
    assert "iam:PassRole" in refused[2]
    refused = refusal(admin.user(eks, passing).client("eks").create_cluster, **parameters)
    assert "iam:PassRole" not in refused[2]


def test_what_eks_does_for_the_caller_he_must_be_allowed(admin: Admin, refusal: Refusal) -> None:
    role = admin.role()
    needed = [
        "eks:CreateNodegroup",
        "eks:TagResource",
        "iam:PassRole",
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "ec2:DescribeSubnets",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:RunInstances",
        "ec2:CreateTags",
        "iam:CreateServiceLinkedRole",
    ]
    parameters = {
        "clusterName": "nobody",
        "nodegroupName": "n",
        "nodeRole": role,
        "subnets": ["subnet-1"],
        "capacityType": "SPOT",
        "launchTemplate": {"id": "lt-1", "version": "1"},
        "tags": {"team": "a"},
    }
    iam, user, message = admin.client("iam"), admin.user(), ""
    create = user.client("eks").create_nodegroup
    for left_out in needed:
        rest = [action for action in needed if action != left_out]
        statement = {"Effect": "Allow", "Action": rest, "Resource": "*"}
        iam.put_user_policy(
            UserName=user.name, PolicyName="p", PolicyDocument=admin.document(statement)
        )
        code, _, message = refusal(create, **parameters)
        assert code == "AccessDeniedException"
        assert f"is not authorized to perform: {left_out} on resource" in message
    assert "aws-service-role/eks-nodegroup.amazonaws.com/AWSServiceRoleForAmazonEKSNodegroup" in (
        message
    )
    everything = {"Effect": "Allow", "Action": needed, "Resource": "*"}
    iam.put_user_policy(
        UserName=user.name, PolicyName="p", PolicyDocument=admin.document(everything)
    )
    assert refusal(create, **parameters)[0] == "ResourceNotFoundException"


def test_creating_a_service_linked_role_can_be_limited_to_a_service(
    admin: Admin, refusal: Refusal
) -> None:
    user = admin.user(
        {
            "Effect": "Allow",
            "Action": "iam:CreateServiceLinkedRole",
            "Resource": "*",
            "Condition": {"StringLike": {"iam:AWSServiceName": "guardduty.amazonaws.com"}},
        },
    ).client("iam")
    user.create_service_linked_role(AWSServiceName="guardduty.amazonaws.com")
    refused = refusal(user.create_service_linked_role, AWSServiceName="spotfleet.amazonaws.com")
    assert refused[0] == "AccessDenied"


def test_what_a_service_does_for_the_caller_is_told_apart_from_what_he_does_himself(
    admin: Admin, refusal: Refusal
) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
    role = admin.role()
    parameters = {
        "clusterName": "nobody",
        "nodegroupName": "n",
        "nodeRole": role,
        "subnets": ["subnet-1"],
    }
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}

    def denied(action: str, through: str) -> str:
        condition = {"Bool": {"aws:ViaAWSService": through}}
        deny = {"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition}
        caller = admin.user(everything, deny).client("eks")
        return str(refusal(caller.create_nodegroup, **parameters)[0])

    assert denied("ec2:DescribeSubnets", "true") == "AccessDeniedException"
    assert denied("ec2:DescribeSubnets", "false") == "ResourceNotFoundException"
    assert denied("eks:CreateNodegroup", "false") == "AccessDeniedException"
    assert denied("iam:PassRole", "true") == "ResourceNotFoundException"


VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
QUEUE = "arn:aws:sqs:us-west-2:111122223333:q"
ENDPOINT = "com.amazonaws.us-west-2.s3"
#: Action, key, the value in the request and another, and the rest of the request.
KEYS: list[tuple[str, str, str, str, dict[str, Any]]] = [
    (
        "iam:AttachRolePolicy",
        "iam:PolicyARN",
        READ_ONLY,
        "arn:aws:iam::aws:policy/AdministratorAccess",
        {"RoleName": "nobody", "PolicyArn": READ_ONLY},
    ),
    (
        "events:PutTargets",
        "events:TargetArn",
        QUEUE,
        f"{QUEUE}2",
        {"Rule": "r", "Targets": [{"Id": "1", "Arn": QUEUE}]},
    ),
    (
        "ec2:CreateVpcEndpoint",
        "ec2:VpceServiceName",
        ENDPOINT,
        f"{ENDPOINT}2",
        {"VpcId": "vpc-1", "ServiceName": ENDPOINT},
    ),
    (
        "eks:AssociateAccessPolicy",
        "eks:policyArn",
        VIEW,
        ADMIN,
        {
            "clusterName": "c",
            "principalArn": "arn:aws:iam::111122223333:role/nobody",
            "policyArn": VIEW,
            "accessScope": {"type": "cluster"},
        },
    ),
    (
        "iam:CreateServiceLinkedRole",
        "iam:AWSServiceName",
        "spotfleet.amazonaws.com",
        "spot.amazonaws.com",
        {"AWSServiceName": "spotfleet.amazonaws.com"},
    ),
]


@pytest.mark.parametrize(("action", "key", "right", "wrong", "given"), KEYS)
def test_keys_of_a_service_come_from_the_request(
    admin: Admin, action: str, key: str, right: str, wrong: str, given: dict[str, Any]
) -> None:
    service, _, operation = action.partition(":")

    def code(value: str) -> str:
        condition = {"StringEquals": {key: value}}
        allow = {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}
        try:
            admin.user(allow).client(service)._make_api_call(operation, given)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    denials = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
    assert code(right) not in denials
    assert code(wrong) in denials


def test_changing_a_role_can_be_limited_to_those_with_a_boundary(
    admin: Admin, refusal: Refusal
) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    boundary = admin.policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    condition = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    actions = ["iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy"]
    user = admin.user(
        {"Effect": "Allow", "Action": actions, "Resource": "*", "Condition": condition}
    ).client("iam")
    name = f"bounded{next(NUMBERS)}"
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    given = {"RoleName": name, "AssumeRolePolicyDocument": admin.document(trust)}
    assert refusal(user.create_role, **given)[0] == "AccessDenied"
    user.create_role(**given, PermissionsBoundary=boundary)
    everything = admin.document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    user.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=everything)
    free = admin.role().rpartition("/")[2]
    inline = {"PolicyName": "p", "PolicyDocument": everything}
    assert refusal(user.put_role_policy, RoleName=free, **inline)[0] == "AccessDenied"

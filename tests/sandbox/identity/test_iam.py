"""IAM of the sandbox through real clients: enforcement, simulation, trials, AWS's own roles."""

from __future__ import annotations

import itertools
import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

NUMBERS = itertools.count(1)
SESSION = boto3.Session()  # one for all clients: the models are loaded once
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SCPS = [
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}},
        },
    },
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Deny", "Action": "sqs:PurgeQueue", "Resource": "*"},
    },
]


@pytest.fixture(scope="module")
def account(sandbox_server: Sandbox) -> Sandbox:
    """One account for all tests of this file: each makes its own principals in it."""
    sandbox_server.reset({"scps": SCPS, "rates": "off"})
    return sandbox_server


class Caller:
    """Clients that sign with one key."""

    def __init__(self, sandbox: Sandbox, key: str, secret: str, token: str | None = None) -> None:
        self.sandbox = sandbox
        self.arn = ""
        self.name = ""
        self._keys = {
            "aws_access_key_id": key,
            "aws_secret_access_key": secret,
            "aws_session_token": token,
        }

    def client(self, service: str, region: str = "us-west-2") -> Any:
        return SESSION.client(
            service,
            region_name=region,
            endpoint_url=self.sandbox.endpoint,
            config=Config(retries={"total_max_attempts": 1}),
            **self._keys,
        )


@pytest.fixture(scope="module")
def admin(account: Sandbox) -> Caller:
    return Caller(account, account.access_key_id, account.secret_access_key)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def make_user(admin: Caller, *statements: dict[str, Any], boundary: str | None = None) -> Caller:
    iam = admin.client("iam")
    name = f"user{next(NUMBERS)}"
    extra = {"PermissionsBoundary": boundary} if boundary else {}
    arn = iam.create_user(UserName=name, **extra)["User"]["Arn"]
    if statements:
        iam.put_user_policy(
            UserName=name, PolicyName="inline", PolicyDocument=document(*statements)
        )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    user = Caller(admin.sandbox, key["AccessKeyId"], key["SecretAccessKey"])
    user.arn, user.name = arn, name
    return user


def make_policy(admin: Caller, *statements: dict[str, Any]) -> str:
    name = f"policy{next(NUMBERS)}"
    made = admin.client("iam").create_policy(PolicyName=name, PolicyDocument=document(*statements))
    return str(made["Policy"]["Arn"])


def make_role(
    admin: Caller, *statements: dict[str, Any], trusts: str = "*", path: str = "/"
) -> str:
    iam = admin.client("iam")
    name = f"role{next(NUMBERS)}"
    trust = {"Effect": "Allow", "Principal": {"AWS": trusts}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document(trust))
    if statements:
        iam.put_role_policy(
            RoleName=name, PolicyName="inline", PolicyDocument=document(*statements)
        )
    return str(arn["Role"]["Arn"])


def refusal(call: Any, **parameters: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response
    return (
        error["Error"]["Code"],
        error["ResponseMetadata"]["HTTPStatusCode"],
        error["Error"]["Message"],
    )


def test_a_user_without_policies_may_only_ask_who_he_is(admin: Caller) -> None:
    user = make_user(admin)
    assert user.client("sts").get_caller_identity()["Arn"] == user.arn
    code, status, message = refusal(user.client("iam").list_roles)
    assert (code, status) == ("AccessDenied", 403)
    assert message == (
        f"User: {user.arn} is not authorized to perform: iam:ListRoles on resource: * "
        "because no identity-based policy allows the iam:ListRoles action"
    )


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "status"),
    [
        ("autoscaling", "describe_auto_scaling_groups", {}, "AccessDenied", 403),
        ("ec2", "describe_vpcs", {}, "UnauthorizedOperation", 403),
        ("ecr", "describe_repositories", {}, "AccessDeniedException", 400),
        ("eks", "list_clusters", {}, "AccessDeniedException", 403),
        ("elbv2", "describe_load_balancers", {}, "AccessDenied", 403),
        ("events", "list_rules", {}, "AccessDeniedException", 400),
        ("kms", "list_keys", {}, "AccessDeniedException", 400),
        ("logs", "describe_log_groups", {}, "AccessDeniedException", 400),
        ("resourcegroupstaggingapi", "get_resources", {}, "AccessDeniedException", 400),
        ("s3", "list_buckets", {}, "AccessDenied", 403),
        ("sns", "list_topics", {}, "AuthorizationError", 403),
        ("sqs", "list_queues", {}, "AccessDenied", 403),
    ],
)
def test_each_service_refuses_with_its_own_code(
    admin: Caller, service: str, operation: str, parameters: dict[str, Any], code: str, status: int
) -> None:
    user = make_user(admin)
    assert refusal(getattr(user.client(service), operation), **parameters)[:2] == (code, status)
    admin.client("iam").put_user_policy(
        UserName=user.name, PolicyName="all", PolicyDocument=document(EVERYTHING)
    )
    getattr(user.client(service), operation)(**parameters)


def test_policies_of_groups_and_attached_policies_count(admin: Caller) -> None:
    iam = admin.client("iam")
    user = make_user(admin)
    group = f"group{next(NUMBERS)}"
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    iam.attach_group_policy(
        GroupName=group, PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess"
    )
    iam.attach_user_policy(
        UserName=user.name,
        PolicyArn=make_policy(admin, {"Effect": "Allow", "Action": "sns:*", "Resource": "*"}),
    )
    user.client("sqs").list_queues()
    user.client("sns").list_topics()
    assert refusal(user.client("s3").list_buckets)[0] == "AccessDenied"


def test_an_explicit_deny_is_named_as_one(admin: Caller) -> None:
    deny = {"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}
    user = make_user(admin, EVERYTHING, deny)
    message = refusal(user.client("iam").list_users)[2]
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_scps_bind_users_but_not_the_admin_of_the_sandbox(admin: Caller) -> None:
    user = make_user(admin, EVERYTHING)
    user.client("ec2").describe_vpcs()
    message = refusal(user.client("ec2", "eu-central-1").describe_vpcs)[2]
    assert "with an explicit deny in a service control policy" in message
    admin.client("ec2", "eu-central-1").describe_vpcs()


def test_a_boundary_limits_a_user_until_it_is_taken_away(admin: Caller) -> None:
    only_sns = make_policy(admin, {"Effect": "Allow", "Action": "sns:*", "Resource": "*"})
    user = make_user(admin, EVERYTHING, boundary=only_sns)
    iam = admin.client("iam")
    shown = iam.get_user(UserName=user.name)["User"]["PermissionsBoundary"]
    assert shown["PermissionsBoundaryArn"] == only_sns
    user.client("sns").list_topics()
    message = refusal(user.client("sqs").list_queues)[2]
    assert message.endswith("because no permissions boundary allows the sqs:ListQueues action")
    iam.delete_user_permissions_boundary(UserName=user.name)
    user.client("sqs").list_queues()
    iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=only_sns)
    assert refusal(user.client("sqs").list_queues)[0] == "AccessDenied"


def test_a_role_session_has_the_rights_of_its_role_and_session_policy(admin: Caller) -> None:
    role = make_role(admin, {"Effect": "Allow", "Action": ["sqs:*", "sns:*"], "Resource": "*"})
    user = make_user(admin, EVERYTHING)

    def assume(**extra: str) -> Caller:
        given = user.client("sts").assume_role(RoleArn=role, RoleSessionName="test", **extra)
        keys = given["Credentials"]
        return Caller(
            admin.sandbox, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        )

    session = assume()
    session.client("sqs").list_queues()
    code, _, message = refusal(session.client("s3").list_buckets)
    assert code == "AccessDenied"
    name = role.rpartition("/")[2]
    assert f"User: arn:aws:sts::{admin.sandbox.account}:assumed-role/{name}/test" in message
    only_sns = {"Effect": "Allow", "Action": "sns:*", "Resource": "*"}
    narrow = assume(Policy=document(only_sns))
    narrow.client("sns").list_topics()
    assert "because no session policy allows" in refusal(narrow.client("sqs").list_queues)[2]


def test_assuming_a_role_needs_the_caller_allowed_or_named(admin: Caller) -> None:
    user = make_user(admin)
    to_account = make_role(admin, trusts=f"arn:aws:iam::{admin.sandbox.account}:root")
    code, status, message = refusal(
        user.client("sts").assume_role, RoleArn=to_account, RoleSessionName="test"
    )
    assert (code, status) == ("AccessDenied", 403)
    assert message == (
        f"User: {user.arn} is not authorized to perform: sts:AssumeRole on resource: {to_account}"
    )
    by_name = make_role(admin, trusts=user.arn)
    user.client("sts").assume_role(RoleArn=by_name, RoleSessionName="test")


def test_resources_are_told_apart_where_the_request_names_them(admin: Caller) -> None:
    account = admin.sandbox.account
    buckets = ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]
    roles = f"arn:aws:iam::{account}:role/a/*"
    user = make_user(
        admin,
        {"Effect": "Allow", "Action": "s3:*", "Resource": buckets},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": f"arn:aws:sqs:*:{account}:mine-*"},
        {"Effect": "Allow", "Action": "iam:GetRole", "Resource": roles},
    )
    s3 = user.client("s3")
    where = {"LocationConstraint": "us-west-2"}
    s3.create_bucket(Bucket="mine", CreateBucketConfiguration=where)
    s3.put_object(Bucket="mine", Key="a/b", Body=b"x")
    refused = refusal(s3.create_bucket, Bucket="other", CreateBucketConfiguration=where)
    assert "on resource: arn:aws:s3:::other" in refused[2]
    user.client("sqs").create_queue(QueueName="mine-1")
    assert refusal(user.client("sqs").create_queue, QueueName="other")[0] == "AccessDenied"
    within = make_role(admin, path="/a/")
    user.client("iam").get_role(RoleName=within.rpartition("/")[2])
    outside = make_role(admin)
    assert refusal(user.client("iam").get_role, RoleName=outside.rpartition("/")[2])[0] == (
        "AccessDenied"
    )


NAMED: list[tuple[str, str, dict[str, Any], str]] = [
    ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}, "arn:aws:ec2:us-west-2:{a}:vpc/*"),
    ("ec2", "delete_vpc", {"VpcId": "vpc-1"}, "arn:aws:ec2:us-west-2:{a}:vpc/vpc-1"),
    ("ec2", "describe_vpcs", {}, "*"),
    (
        "ecr",
        "create_repository",
        {"repositoryName": "a/b"},
        "arn:aws:ecr:us-west-2:{a}:repository/a/b",
    ),
    ("eks", "describe_cluster", {"name": "c"}, "arn:aws:eks:us-west-2:{a}:cluster/c"),
    ("eks", "list_clusters", {}, "*"),
    (
        "eks",
        "delete_nodegroup",
        {"clusterName": "c", "nodegroupName": "n"},
        "arn:aws:eks:us-west-2:{a}:nodegroup/c/n/*",
    ),
    ("events", "delete_rule", {"Name": "r"}, "arn:aws:events:us-west-2:{a}:rule/r"),
    ("events", "list_rules", {}, "arn:aws:events:us-west-2:{a}:rule/*"),
    ("events", "list_targets_by_rule", {"Rule": "r"}, "arn:aws:events:us-west-2:{a}:rule/r"),
    (
        "iam",
        "create_policy",
        {"PolicyName": "p", "PolicyDocument": "{}"},
        "arn:aws:iam::{a}:policy/p",
    ),
    ("iam", "delete_role", {"RoleName": "r"}, "arn:aws:iam::{a}:role/r"),
    (
        "iam",
        "create_service_linked_role",
        {"AWSServiceName": "eks.amazonaws.com"},
        "arn:aws:iam::{a}:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS",
    ),
    (
        "iam",
        "create_service_linked_role",
        {"AWSServiceName": "spot.amazonaws.com"},
        "arn:aws:iam::{a}:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot",
    ),
    ("kms", "describe_key", {"KeyId": "k"}, "arn:aws:kms:us-west-2:{a}:key/k"),
    ("logs", "create_log_group", {"logGroupName": "g"}, "arn:aws:logs:us-west-2:{a}:log-group:g:*"),
    ("s3", "put_bucket_tagging", {"Bucket": "b", "Tagging": {"TagSet": []}}, "arn:aws:s3:::b"),
    (
        "service-quotas",
        "request_service_quota_increase",
        {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE", "DesiredValue": 9},
        "arn:aws:servicequotas:us-west-2:{a}:vpc/L-F678F1CE",
    ),
    ("sns", "create_topic", {"Name": "t"}, "arn:aws:sns:us-west-2:{a}:t"),
    ("sns", "list_topics", {}, "arn:aws:sns:us-west-2:{a}:*"),
    ("sqs", "create_queue", {"QueueName": "q"}, "arn:aws:sqs:us-west-2:{a}:q"),
    ("ssm", "get_parameter", {"Name": "/a/b"}, "arn:aws:ssm:us-west-2:{a}:parameter/a/b"),
]


def test_a_denial_names_the_resource_as_aws_does(admin: Caller) -> None:
    user = make_user(admin)
    for service, operation, parameters, resource in NAMED:
        message = refusal(getattr(user.client(service), operation), **parameters)[2]
        expected = resource.format(a=admin.sandbox.account)
        assert f" on resource: {expected} because no identity-based policy" in message


def test_a_resource_the_sandbox_cannot_name_is_matched_by_its_service_alone(
    admin: Caller,
) -> None:
    here = f"arn:aws:ec2:us-west-2:{admin.sandbox.account}:key-pair/x"
    only = {"Effect": "Allow", "Action": "ec2:*", "Resource": here}
    elsewhere = {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::*"}
    denied = {"Effect": "Deny", "Action": "ec2:*", "Resource": here}
    make_user(admin, only).client("ec2").create_key_pair(KeyName=f"key{next(NUMBERS)}")
    make_user(admin, EVERYTHING, denied).client("ec2").create_key_pair(KeyName="another")
    refused = refusal(make_user(admin, elsewhere).client("ec2").create_key_pair, KeyName="x")
    assert refused[0] == "UnauthorizedOperation"


def test_tags_on_creation_need_their_own_action_and_carry_their_keys(admin: Caller) -> None:
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

    plain = make_user(admin, untagged).client("ec2")
    plain.create_vpc(CidrBlock="10.1.0.0/16", DryRun=False)
    refused = refusal(plain.create_vpc, CidrBlock="10.1.0.0/16", TagSpecifications=tags("a"))
    assert "is not authorized to perform: ec2:CreateTags on resource" in refused[2]
    allowed = make_user(admin, untagged, tagging).client("ec2")
    allowed.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=tags("a"))
    refusal(allowed.create_vpc, CidrBlock="10.1.0.0/16", TagSpecifications=tags("b"))


def test_a_role_may_only_be_passed_on_with_iam_pass_role(admin: Caller) -> None:
    role = make_role(admin)
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
    code, status, message = refusal(
        make_user(admin, eks).client("eks").create_cluster, **parameters
    )
    assert (code, status) == ("AccessDeniedException", 403)
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in message
    other = passing | {"Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}}
    refused = refusal(make_user(admin, eks, other).client("eks").create_cluster, **parameters)
    assert "iam:PassRole" in refused[2]
    refused = refusal(make_user(admin, eks, passing).client("eks").create_cluster, **parameters)
    assert "iam:PassRole" not in refused[2]


def test_what_eks_does_for_the_caller_he_must_be_allowed(admin: Caller) -> None:
    role = make_role(admin)
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
    iam, user, message = admin.client("iam"), make_user(admin), ""
    create = user.client("eks").create_nodegroup
    for left_out in needed:
        rest = [action for action in needed if action != left_out]
        statement = {"Effect": "Allow", "Action": rest, "Resource": "*"}
        iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=document(statement))
        code, _, message = refusal(create, **parameters)
        assert code == "AccessDeniedException"
        assert f"is not authorized to perform: {left_out} on resource" in message
    assert "aws-service-role/eks-nodegroup.amazonaws.com/AWSServiceRoleForAmazonEKSNodegroup" in (
        message
    )
    everything = {"Effect": "Allow", "Action": needed, "Resource": "*"}
    iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=document(everything))
    assert refusal(create, **parameters)[0] == "ResourceNotFoundException"


def test_a_policy_that_iam_could_not_read_is_refused(admin: Caller) -> None:
    wrong = document(
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Is": {"a": "b"}}}
    )
    iam, sts = admin.client("iam"), make_user(admin, EVERYTHING).client("sts")
    assert refusal(iam.create_policy, PolicyName="wrong", PolicyDocument=wrong)[0] == (
        "MalformedPolicyDocument"
    )
    token = refusal(sts.get_federation_token, Name="someone", Policy="{")
    assert token[0] == "MalformedPolicyDocument"


def test_a_federated_user_has_what_both_policies_allow(admin: Caller) -> None:
    user = make_user(admin, {"Effect": "Allow", "Action": ["sqs:*", "sts:*"], "Resource": "*"})
    both = document({"Effect": "Allow", "Action": ["sqs:*", "sns:*"], "Resource": "*"})

    def federated(**policy: str) -> Caller:
        keys = user.client("sts").get_federation_token(Name="guest", **policy)["Credentials"]
        return Caller(
            admin.sandbox, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        )

    federated(Policy=both).client("sqs").list_queues()
    refused = refusal(federated(Policy=both).client("sns").list_topics)[2]
    assert refused.endswith("because no identity-based policy allows the sns:ListTopics action")
    assert "because no session policy" in refusal(federated().client("sqs").list_queues)[2]


def test_a_trial_creates_nothing_and_says_what_a_real_call_would(admin: Caller) -> None:
    ec2 = admin.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    code, status, message = refusal(ec2.create_vpc, CidrBlock="10.2.0.0/16", DryRun=True)
    assert (code, status) == ("DryRunOperation", 412)
    assert message == "Request would have succeeded, but DryRun flag is set."
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    user = make_user(admin).client("ec2")
    refused = refusal(user.create_vpc, CidrBlock="10.2.0.0/16", DryRun=True)
    assert refused[0] == "UnauthorizedOperation"


def test_an_encoded_denial_can_be_decoded_by_who_may(admin: Caller) -> None:
    deny = {"Sid": "NoVpcs", "Effect": "Deny", "Action": "ec2:CreateVpc", "Resource": "*"}
    user = make_user(admin, EVERYTHING, deny)
    message = refusal(user.client("ec2").create_vpc, CidrBlock="10.3.0.0/16")[2]
    encoded = message.rpartition("Encoded authorization failure message: ")[2]
    sts = user.client("sts")
    decoded = json.loads(sts.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert decoded["explicitDeny"] is True
    assert decoded["context"]["action"] == "ec2:CreateVpc"
    assert decoded["context"]["principal"]["arn"] == user.arn
    assert decoded["matchedStatements"]["items"][0]["statementId"] == "NoVpcs"
    assert refusal(sts.decode_authorization_message, EncodedMessage="nonsense")[0] == (
        "InvalidAuthorizationMessageException"
    )
    stranger = make_user(admin).client("sts")
    assert refusal(stranger.decode_authorization_message, EncodedMessage=encoded)[0] == (
        "AccessDenied"
    )


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"),
        ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
        ("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
        ("route53resolver.amazonaws.com", "AWSServiceRoleForRoute53Resolver"),
    ],
)
def test_service_linked_roles_have_the_names_aws_gives_them(
    admin: Caller, service: str, name: str
) -> None:
    iam = admin.client("iam")
    made = iam.create_service_linked_role(AWSServiceName=service)["Role"]
    assert (made["RoleName"], made["Path"]) == (name, f"/aws-service-role/{service}/")
    assert iam.get_role(RoleName=name)["Role"]["Arn"] == made["Arn"]
    code, _, message = refusal(iam.create_service_linked_role, AWSServiceName=service)
    assert (code, "has been taken" in message) == ("InvalidInput", True)


def test_creating_a_service_linked_role_can_be_limited_to_a_service(admin: Caller) -> None:
    user = make_user(
        admin,
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


def simulate(admin: Caller, arn: str, *actions: str, **more: Any) -> list[dict[str, Any]]:
    answer = admin.client("iam").simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=list(actions), **more
    )
    return list(answer["EvaluationResults"])


def test_simulation_says_what_is_allowed_and_by_which_statement(admin: Caller) -> None:
    role = make_role(
        admin,
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "*"},
    )
    allowed, denied, nothing = simulate(
        admin, role, "ec2:CreateVpc", "ec2:DeleteVpc", "eks:ListClusters"
    )
    decisions = [one["EvalDecision"] for one in (allowed, denied, nothing)]
    assert decisions == ["allowed", "explicitDeny", "implicitDeny"]
    (statement,) = denied["MatchedStatements"]
    assert statement["SourcePolicyId"] == f"role_{role.rpartition('/')[2]}_inline"
    assert statement["SourcePolicyType"] == "role"
    text = document(
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "*"},
    )
    start = text.index('{"Effect": "Deny"') + 1
    assert statement["StartPosition"] == {"Line": 1, "Column": start}
    assert allowed["EvalResourceName"] == "*"
    assert allowed["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}
    assert "PermissionsBoundaryDecisionDetail" not in allowed
    assert nothing["MatchedStatements"] == []


def test_simulation_agrees_with_enforcement(admin: Caller) -> None:
    boundary = make_policy(admin, {"Effect": "Allow", "NotAction": ["sns:*"], "Resource": "*"})
    user = make_user(
        admin,
        EVERYTHING,
        {"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"},
        boundary=boundary,
    )
    calls = {
        "iam:ListUsers": user.client("iam").list_users,
        "iam:ListRoles": user.client("iam").list_roles,
        "sns:ListTopics": user.client("sns").list_topics,
        "sqs:ListQueues": user.client("sqs").list_queues,
    }
    region = {
        "ContextKeyName": "aws:RequestedRegion",
        "ContextKeyValues": ["us-west-2"],
        "ContextKeyType": "string",
    }
    for result in simulate(admin, user.arn, *calls, ContextEntries=[region]):
        call = calls[result["EvalActionName"]]
        if result["EvalDecision"] == "allowed":
            call()
        else:
            assert refusal(call)[1] == 403


def test_simulation_shows_scps_and_boundaries_and_can_leave_them_out(admin: Caller) -> None:
    boundary = make_policy(admin, {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})
    user = make_user(admin, EVERYTHING, boundary=boundary)
    (by_scp,) = simulate(admin, user.arn, "sqs:PurgeQueue")
    assert by_scp["EvalDecision"] == "implicitDeny"
    assert by_scp["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    assert by_scp["MatchedStatements"] == []
    without_scp = [{"PolicyType": "scp"}]
    (by_boundary,) = simulate(admin, user.arn, "sqs:PurgeQueue", PolicyExclusionList=without_scp)
    assert by_boundary["EvalDecision"] == "implicitDeny"
    assert by_boundary["PermissionsBoundaryDecisionDetail"] == {
        "AllowedByPermissionsBoundary": False
    }
    assert "OrganizationsDecisionDetail" not in by_boundary
    without_both = [*without_scp, {"PolicyType": "permission-boundary"}]
    (free,) = simulate(admin, user.arn, "sqs:PurgeQueue", PolicyExclusionList=without_both)
    assert free["EvalDecision"] == "allowed"
    (no_policies,) = simulate(
        admin, user.arn, "ec2:RunInstances", PolicyExclusionList=[{"PolicyType": "inline"}]
    )
    assert no_policies["EvalDecision"] == "implicitDeny"


def test_a_single_policy_can_be_left_out_by_arn_or_name(admin: Caller) -> None:
    user = make_user(admin, {"Effect": "Allow", "Action": "sns:*", "Resource": "*"})
    arn = make_policy(admin, {"Effect": "Allow", "Action": "kms:*", "Resource": "*"})
    admin.client("iam").attach_user_policy(UserName=user.name, PolicyArn=arn)

    def decisions(*excluded: dict[str, Any]) -> list[str]:
        results = simulate(
            admin, user.arn, "sns:Publish", "kms:Decrypt", PolicyExclusionList=list(excluded)
        )
        return [one["EvalDecision"] for one in results]

    inline = {"PolicyName": "inline", "AttachmentType": "user", "AttachmentName": "user*"}
    assert decisions() == ["allowed", "allowed"]
    assert decisions({"PolicyArn": arn[:-1] + "?"}) == ["allowed", "implicitDeny"]
    assert decisions({"InlinePolicyIdentifier": inline}) == ["implicitDeny", "allowed"]
    refused = refusal(
        admin.client("iam").simulate_principal_policy,
        PolicySourceArn=user.arn,
        ActionNames=["sns:Publish"],
        PolicyExclusionList=[{"PolicyArn": "arn:aws:iam::*:policy/x"}],
    )
    assert refused[0] == "InvalidInput"


def test_simulation_reports_each_resource(admin: Caller) -> None:
    mine, other = "arn:aws:s3:::mine-x", "arn:aws:s3:::other-x"
    role = make_role(admin, {"Effect": "Allow", "Action": "s3:*", "Resource": mine})
    (result,) = simulate(admin, role, "s3:ListBucket", ResourceArns=[mine, other])
    assert result["EvalDecision"] == "implicitDeny"
    assert result["EvalResourceName"] == "arn:${Partition}:s3:::${Id}"
    specific = {
        one["EvalResourceName"]: one["EvalResourceDecision"]
        for one in result["ResourceSpecificResults"]
    }
    assert specific == {mine: "allowed", other: "implicitDeny"}


def test_missing_context_keys_are_named_but_never_those_of_scps(admin: Caller) -> None:
    role = make_role(
        admin,
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:PassedToService": "eks.amazonaws.com"}},
        },
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"},
    )
    (result,) = simulate(admin, role, "iam:PassRole")
    assert result["EvalDecision"] == "implicitDeny"
    assert result["MissingContextValues"] == ["iam:PassedToService", "aws:username"]
    key = {
        "ContextKeyName": "IAM:passedtoservice",
        "ContextKeyValues": ["eks.amazonaws.com"],
        "ContextKeyType": "string",
    }
    (given,) = simulate(admin, role, "iam:PassRole", ContextEntries=[key])
    assert given["EvalDecision"] == "allowed"
    assert given["MissingContextValues"] == ["aws:username"]
    keys = admin.client("iam").get_context_keys_for_principal_policy(PolicySourceArn=role)
    assert keys["ContextKeyNames"] == ["iam:PassedToService", "aws:username"]


def test_simulation_pages_through_actions(admin: Caller) -> None:
    role = make_role(admin, EVERYTHING)
    actions = [f"ec2:Describe{number}" for number in range(7)]
    pages = (
        admin.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(PolicySourceArn=role, ActionNames=actions, PaginationConfig={"PageSize": 3})
    )
    found = [[one["EvalActionName"] for one in page["EvaluationResults"]] for page in pages]
    assert found == [actions[:3], actions[3:6], actions[6:]]


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:sts::{account}:assumed-role/role1/session", "InvalidInput"),
        ("arn:aws:iam::{account}:root", "InvalidInput"),
        ("arn:aws:iam::{account}:role/nobody", "NoSuchEntity"),
        ("arn:aws:iam::{account}:user/nobody", "NoSuchEntity"),
    ],
)
def test_simulation_refuses_who_it_does_not_know(admin: Caller, arn: str, code: str) -> None:
    arn = arn.format(account=admin.sandbox.account)
    refused = refusal(
        admin.client("iam").simulate_principal_policy,
        PolicySourceArn=arn,
        ActionNames=["ec2:RunInstances"],
    )
    assert refused[0] == code


def test_a_role_is_found_by_its_whole_arn_only(admin: Caller) -> None:
    arn = make_role(admin, EVERYTHING, path="/team/")
    assert simulate(admin, arn, "ec2:RunInstances")[0]["EvalDecision"] == "allowed"
    refused = refusal(
        admin.client("iam").simulate_principal_policy,
        PolicySourceArn=arn.replace("/team/", "/"),
        ActionNames=["ec2:RunInstances"],
    )
    assert refused[0] == "NoSuchEntity"


def test_action_names_have_no_wildcards(admin: Caller) -> None:
    refused = refusal(
        admin.client("iam").simulate_principal_policy,
        PolicySourceArn=make_role(admin),
        ActionNames=["ec2:*"],
    )
    assert refused[0] == "InvalidInput"


def test_custom_policies_are_simulated_with_boundary_and_scp_levels(admin: Caller) -> None:
    iam = admin.client("iam")
    allow = document(EVERYTHING)
    only_ec2 = document({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})

    def decide(**more: Any) -> dict[str, Any]:
        answer = iam.simulate_custom_policy(
            PolicyInputList=[allow], ActionNames=["sqs:ListQueues"], **more
        )
        (result,) = answer["EvaluationResults"]
        return dict(result)

    plain = decide()
    assert plain["EvalDecision"] == "allowed"
    assert plain["MatchedStatements"][0]["SourcePolicyId"] == "PolicyInputList.1"
    bounded = decide(PermissionsBoundaryPolicyInputList=[only_ec2])
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    levels = [
        {"ServiceControlPolicyInputList": [allow]},
        {"ServiceControlPolicyInputList": [only_ec2]},
    ]
    governed = decide(OrderedOrganizationPolicyInputList=levels)
    assert governed["EvalDecision"] == "implicitDeny"
    assert governed["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    with_variable = document(
        {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username}"}
    )
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[with_variable])
    assert keys["ContextKeyNames"] == ["aws:username"]
    refused = refusal(
        iam.simulate_custom_policy, PolicyInputList=["{"], ActionNames=["sqs:ListQueues"]
    )
    assert refused[0] == "InvalidInput"


def test_who_may_not_simulate_is_told_so(admin: Caller) -> None:
    user = make_user(admin)
    code, _, message = refusal(
        user.client("iam").simulate_principal_policy,
        PolicySourceArn=user.arn,
        ActionNames=["ec2:RunInstances"],
    )
    assert code == "AccessDenied"
    assert f"iam:SimulatePrincipalPolicy on resource: {user.arn}" in message

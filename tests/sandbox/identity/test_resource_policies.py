"""Policies on keys, queues, topics, repositories and buckets judge beside those of IAM."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

Admin = Any
Refusal = Any

NUMBERS = itertools.count(1)
Client = Any


def allow(who: Any, *actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": who, "Action": list(actions), "Resource": "*"} | more


def deny(who: Any, *actions: str) -> dict[str, Any]:
    return {**allow(who, *actions), "Effect": "Deny"}


def key(admin: Admin, *statements: dict[str, Any]) -> str:
    kms = admin.client("kms")
    made = kms.create_key(Policy=admin.document(*statements))
    return str(made["KeyMetadata"]["KeyId"])


def root(admin: Admin) -> dict[str, str]:
    return {"AWS": f"arn:aws:iam::{admin.sandbox.account}:root"}


def test_iam_decides_of_a_key_where_its_policy_leaves_it_to_the_account(
    admin: Admin, refusal: Refusal
) -> None:
    # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    delegated = key(admin, allow(root(admin), "kms:*"))
    own = admin.client("kms").create_key()["KeyMetadata"]["KeyId"]
    may = admin.user({"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*"})
    for one in (delegated, own):
        may.client("kms").describe_key(KeyId=one)
        message = refusal(admin.user().client("kms").describe_key, KeyId=one)[2]
        assert "because no identity-based policy allows the kms:DescribeKey action" in message


def test_iam_counts_for_nothing_where_the_key_policy_does_not_let_the_account_decide(
    admin: Admin, refusal: Refusal
) -> None:
    # https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
    named = admin.user()
    closed = key(admin, allow({"AWS": named.arn}, "kms:DescribeKey"))
    everything = admin.user({"Effect": "Allow", "Action": "*", "Resource": "*"})
    code, _, message = refusal(everything.client("kms").describe_key, KeyId=closed)
    assert code == "AccessDeniedException"
    assert message.endswith("because no resource-based policy allows the kms:DescribeKey action")
    named.client("kms").describe_key(KeyId=closed)
    assert "kms:DisableKey" in refusal(named.client("kms").disable_key, KeyId=closed)[2]


def test_a_key_policy_denies_whatever_iam_allows(admin: Admin, refusal: Refusal) -> None:
    guarded = key(admin, allow(root(admin), "kms:*"), deny("*", "kms:ScheduleKeyDeletion"))
    user = admin.user({"Effect": "Allow", "Action": "*", "Resource": "*"}).client("kms")
    user.describe_key(KeyId=guarded)
    message = refusal(user.schedule_key_deletion, KeyId=guarded)[2]
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_an_alias_is_judged_by_the_policy_of_the_key_behind_it(
    admin: Admin, refusal: Refusal
) -> None:
    # https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html
    closed = key(admin, allow({"AWS": admin.user().arn}, "kms:*"))
    open_ = key(admin, allow(root(admin), "kms:*"))
    user = admin.user({"Effect": "Allow", "Action": "kms:*", "Resource": "*"}).client("kms")
    name = f"alias/one{next(NUMBERS)}"
    message = refusal(user.create_alias, AliasName=name, TargetKeyId=closed)[2]
    assert f"kms:CreateAlias on resource: arn:aws:kms:us-west-2:111122223333:key/{closed}" in (
        message
    )
    user.create_alias(AliasName=name, TargetKeyId=open_)
    user.describe_key(KeyId=name)
    user.delete_alias(AliasName=name)


def queue(admin: Admin, *statements: dict[str, Any]) -> str:
    attributes = {"Policy": admin.document(*statements)}
    made = admin.client("sqs").create_queue(QueueName=f"q{next(NUMBERS)}", Attributes=attributes)
    return str(made["QueueUrl"])


def topic(admin: Admin, *statements: dict[str, Any]) -> str:
    attributes = {"Policy": admin.document(*statements)} if statements else {}
    made = admin.client("sns").create_topic(Name=f"t{next(NUMBERS)}", Attributes=attributes)
    return str(made["TopicArn"])


def repository(admin: Admin, *statements: dict[str, Any]) -> str:
    ecr, name = admin.client("ecr"), f"r{next(NUMBERS)}"
    ecr.create_repository(repositoryName=name)
    rows = [{k: v for k, v in one.items() if k != "Resource"} for one in statements]
    ecr.set_repository_policy(repositoryName=name, policyText=admin.document(*rows))
    return name


def bucket(admin: Admin, *statements: dict[str, Any]) -> str:
    s3, name = admin.client("s3"), f"bucket-{next(NUMBERS)}"
    where = {"LocationConstraint": "us-west-2"}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    on = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    rows = [{**one, "Resource": on} for one in statements]
    s3.put_bucket_policy(Bucket=name, Policy=admin.document(*rows))
    return name


def send(client: Client, url: str) -> None:
    client.send_message(QueueUrl=url, MessageBody="hello")


def publish(client: Client, arn: str) -> None:
    client.publish(TopicArn=arn, Message="hello")


def describe_images(client: Client, name: str) -> None:
    client.list_images(repositoryName=name)


def put(client: Client, name: str) -> None:
    client.put_object(Bucket=name, Key="a", Body=b"hello")


KINDS = [
    ("sqs", queue, send, "sqs:SendMessage"),
    ("sns", topic, publish, "sns:Publish"),
    ("ecr", repository, describe_images, "ecr:ListImages"),
    ("s3", bucket, put, "s3:PutObject"),
]


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
@pytest.mark.parametrize(("service", "make", "use", "action"), KINDS)
def test_within_the_account_the_policy_of_a_thing_allows_by_itself_and_denies_whatever_allows(
    admin: Admin, refusal: Refusal, service: str, make: Any, use: Any, action: str
) -> None:
    stranger, named = admin.user(), admin.user()
    powerful = admin.user({"Effect": "Allow", "Action": f"{service}:*", "Resource": "*"})
    shared = make(admin, allow({"AWS": named.arn}, action), deny({"AWS": powerful.arn}, action))
    use(named.client(service), shared)
    refused = refusal(lambda: use(stranger.client(service), shared))
    assert f"{action} on resource" in refused[2]
    assert "because no identity-based policy allows" in refused[2]
    refused = refusal(lambda: use(powerful.client(service), shared))
    assert refused[2].endswith("with an explicit deny in a resource-based policy")


def test_the_policy_that_a_topic_has_from_the_start_lets_nobody_in_without_iam(
    admin: Admin, refusal: Refusal
) -> None:
    # It asks for AWS:SourceOwner, which only services fill that publish for an account.
    # https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    plain = topic(admin)
    policy = admin.client("sns").get_topic_attributes(TopicArn=plain)["Attributes"]["Policy"]
    assert "AWS:SourceOwner" in policy
    assert refusal(lambda: publish(admin.user().client("sns"), plain))[0] == "AuthorizationError"


def test_a_policy_of_a_thing_can_ask_for_keys(admin: Admin, refusal: Refusal) -> None:
    condition = {"StringNotEquals": {"aws:PrincipalAccount": admin.sandbox.account}}
    shared = bucket(admin, {**deny("*", "s3:*"), "Condition": condition})
    user = admin.user({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    put(user.client("s3"), shared)
    insecure = {**deny("*", "s3:*"), "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    put(user.client("s3"), bucket(admin, insecure))
    only_vpc = {**deny("*", "s3:*"), "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}
    closed = bucket(admin, only_vpc)
    assert "with an explicit deny" in refusal(lambda: put(user.client("s3"), closed))[2]

"""Logs that come late, queue names that rest, keys that wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

Account = Any

LOGGING = {"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]}


def test_the_log_group_comes_back_while_the_cluster_lives(account: Account) -> None:
    account.cluster(logging=LOGGING)
    assert account.log_groups() == ["/aws/eks/prod/cluster"]
    account.logs.delete_log_group(logGroupName="/aws/eks/prod/cluster")
    assert account.log_groups() == []
    account.advance(61)
    assert account.log_groups() == ["/aws/eks/prod/cluster"]


@pytest.mark.parametrize("late", [False, True])
def test_the_log_group_comes_back_after_the_cluster_only_if_asked(
    account: Account, late: bool
) -> None:
    if late:
        account.post("faults", [{"action": "sandbox:ReviveLogGroup", "delay_ms": 120_000}])
    account.cluster(logging=LOGGING)
    account.eks.delete_cluster(name="prod")
    account.advance(155)
    account.logs.delete_log_group(logGroupName="/aws/eks/prod/cluster")
    account.advance(100)
    assert account.log_groups() == []
    account.advance(100)
    assert account.log_groups() == (["/aws/eks/prod/cluster"] if late else [])


def test_a_queue_name_rests_for_a_minute(client: Any, advance: Any) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="interruptions")["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)
    advance(50)
    with pytest.raises(ClientError) as caught:
        sqs.create_queue(QueueName="interruptions")
    code = caught.value.response["Error"]["Code"]
    assert code == "AWS.SimpleQueueService.QueueDeletedRecently"
    advance(11)
    assert sqs.create_queue(QueueName="interruptions")["QueueUrl"] == url


def test_a_key_waits_seven_days_at_least_and_is_then_gone(client: Any, advance: Any) -> None:
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]
    with pytest.raises(ClientError, match="ValidationException"):
        kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=1)
    answer = kms.schedule_key_deletion(KeyId=key["Arn"], PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion"
    with pytest.raises(ClientError, match="KMSInvalidStateException"):
        kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    advance(6 * 86_400)
    described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert abs(described["DeletionDate"] - answer["DeletionDate"]) < timedelta(seconds=1)
    advance(86_400)
    with pytest.raises(ClientError, match="NotFoundException"):
        kms.describe_key(KeyId=key["KeyId"])


def test_a_key_whose_deletion_was_cancelled_stays(client: Any, advance: Any) -> None:
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.cancel_key_deletion(KeyId=key)
    advance(8 * 86_400)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key

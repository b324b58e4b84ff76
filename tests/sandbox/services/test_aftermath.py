"""Logs that come late, queue names that rest."""

from __future__ import annotations

from typing import Any

import pytest

Account = Any
Refusal = Any

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


def test_a_queue_name_rests_for_a_minute(client: Any, advance: Any, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html"""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="interruptions")["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)
    advance(50)
    assert refusal(sqs.create_queue, QueueName="interruptions") == (
        "AWS.SimpleQueueService.QueueDeletedRecently",
        400,
        "You must wait 60 seconds after deleting a queue before you can create another with the"
        " same name.",
    )
    advance(11)
    assert sqs.create_queue(QueueName="interruptions")["QueueUrl"] == url


def test_a_queue_s_name_with_other_attributes_is_taken(client: Any, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="interruptions")["QueueUrl"]
    assert sqs.create_queue(QueueName="interruptions")["QueueUrl"] == url
    other = {"QueueName": "interruptions", "Attributes": {"DelaySeconds": "7"}}
    assert refusal(sqs.create_queue, **other)[:2] == ("QueueAlreadyExists", 400)


def test_a_log_group_is_there_once_and_gone_once(client: Any, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"""
    logs, at = client("logs"), {"logGroupName": "/aws/eks/prod/cluster"}
    logs.create_log_group(**at)
    assert refusal(logs.create_log_group, **at)[:2] == ("ResourceAlreadyExistsException", 400)
    logs.delete_log_group(**at)
    assert refusal(logs.delete_log_group, **at)[:2] == ("ResourceNotFoundException", 400)

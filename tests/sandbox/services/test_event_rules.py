"""Rules of EventBridge and their targets."""

from __future__ import annotations

from typing import Any

import pytest

Account = Any
Refusal = Any

QUEUE = "arn:aws:sqs:us-west-2:111122223333:q"


@pytest.fixture
def events(client: Any) -> Any:
    """EventBridge with a rule that has a target."""
    events = client("events")
    client("sqs").create_queue(QueueName="q")
    events.put_rule(Name="r", EventPattern='{"source": ["aws.ec2"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": QUEUE}, {"Id": "2", "Arn": QUEUE}])
    return events


def test_a_rule_stays_while_it_has_targets(events: Any, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html"""
    assert refusal(events.delete_rule, Name="r") == (
        "ValidationException",
        400,
        "Rule can't be deleted since it has targets.",
    )
    assert events.remove_targets(Rule="r", Ids=["1", "2"])["FailedEntryCount"] == 0
    for _ in range(2):  # deleting what is not there succeeds
        events.delete_rule(Name="r")


def test_a_call_takes_ten_entries(events: Any, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemoveTargets.html"""
    ids = [str(number) for number in range(11)]
    targets = [{"Id": id, "Arn": QUEUE} for id in ids]
    assert refusal(events.remove_targets, Rule="r", Ids=ids)[:2] == ("ValidationException", 400)
    assert refusal(events.put_targets, Rule="r", Targets=targets)[:2] == (
        "ValidationException",
        400,
    )
    assert events.remove_targets(Rule="r", Ids=ids[:10])["FailedEntryCount"] == 0


def test_an_entry_can_fail_in_a_call_that_succeeds(account: Account, events: Any) -> None:
    fault = {"action": "sandbox:FailedEntry", "error": "ConcurrentModificationException"}
    account.post("faults", [{**fault, "count": 1}])
    answer = events.remove_targets(Rule="r", Ids=["1", "2"])
    assert answer["FailedEntryCount"] == 1
    (failed,) = answer["FailedEntries"]
    assert (failed["TargetId"], failed["ErrorCode"]) == ("1", "ConcurrentModificationException")
    left = events.list_targets_by_rule(Rule="r")["Targets"]
    assert [one["Id"] for one in left] == ["1"]
    assert events.remove_targets(Rule="r", Ids=["1"])["FailedEntryCount"] == 0

    account.post("faults", [{**fault, "count": 1}])
    assert (
        events.put_targets(Rule="r", Targets=[{"Id": "3", "Arn": QUEUE}])["FailedEntryCount"] == 1
    )
    assert events.list_targets_by_rule(Rule="r")["Targets"] == []

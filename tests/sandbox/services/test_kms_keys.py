"""Keys that wait for their deletion.

https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

Refusal = Any

DAY = 86_400
ALIAS = "alias/eks/prod"


@pytest.fixture
def kms(client: Any) -> Any:
    return client("kms")


@pytest.fixture
def key(kms: Any) -> Any:
    """A key with an alias."""
    made = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=ALIAS, TargetKeyId=made["KeyId"])
    return made


def schedule(kms: Any, key: Any, days: int = 7) -> Any:
    return kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=days)


@pytest.mark.parametrize("days", [6, 31])
def test_the_window_is_seven_to_thirty_days(
    kms: Any, key: Any, refusal: Refusal, days: int
) -> None:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html"""
    asked = {"KeyId": key["KeyId"], "PendingWindowInDays": days}
    assert refusal(kms.schedule_key_deletion, **asked)[:2] == ("ValidationException", 400)


def test_a_key_waits_and_is_then_gone_with_its_alias(
    kms: Any, key: Any, advance: Any, refusal: Refusal
) -> None:
    answer = schedule(kms, key)
    assert answer["KeyState"] == "PendingDeletion"
    advance(6 * DAY)
    described = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert (described["KeyId"], described["KeyState"]) == (key["KeyId"], "PendingDeletion")
    assert abs(described["DeletionDate"] - answer["DeletionDate"]) < timedelta(seconds=1)
    advance(DAY)
    assert refusal(kms.describe_key, KeyId=key["KeyId"])[:2] == ("NotFoundException", 400)
    assert ALIAS not in {one["AliasName"] for one in kms.list_aliases()["Aliases"]}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("schedule_key_deletion", {"PendingWindowInDays": 7}),
        ("enable_key", {}),
        ("disable_key", {}),
        ("enable_key_rotation", {}),
        ("encrypt", {"Plaintext": b"x"}),
        ("generate_data_key", {"KeySpec": "AES_256"}),
        ("tag_resource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ("update_key_description", {"Description": "x"}),
    ],
)
def test_a_key_that_waits_can_do_next_to_nothing(
    kms: Any, key: Any, refusal: Refusal, operation: str, parameters: dict[str, Any]
) -> None:
    schedule(kms, key)
    assert refusal(getattr(kms, operation), KeyId=key["KeyId"], **parameters) == (
        "KMSInvalidStateException",
        400,
        f"{key['Arn']} is pending deletion.",
    )


def test_an_alias_is_taken_until_it_is_deleted_or_its_key_is_gone(
    kms: Any, key: Any, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html"""
    schedule(kms, key)
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    taken = refusal(kms.create_alias, AliasName=ALIAS, TargetKeyId=other)
    assert taken[:2] == ("AlreadyExistsException", 400)
    kms.delete_alias(AliasName=ALIAS)
    assert refusal(kms.create_alias, AliasName=ALIAS, TargetKeyId=key["KeyId"])[0] == (
        "KMSInvalidStateException"
    )
    kms.create_alias(AliasName=ALIAS, TargetKeyId=other)


def test_a_key_whose_deletion_was_cancelled_stays_and_is_switched_off(
    kms: Any, key: Any, advance: Any, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html"""
    at = {"KeyId": key["KeyId"]}
    schedule(kms, key)
    kms.cancel_key_deletion(**at)
    assert refusal(kms.cancel_key_deletion, **at) == (
        "KMSInvalidStateException",
        400,
        f"{key['Arn']} is not pending deletion.",
    )
    advance(8 * DAY)
    assert kms.describe_key(**at)["KeyMetadata"]["KeyState"] == "Disabled"
    assert refusal(kms.encrypt, **at, Plaintext=b"x") == (
        "DisabledException",
        400,
        f"{key['Arn']} is disabled.",
    )
    kms.enable_key(**at)
    kms.encrypt(**at, Plaintext=b"x")

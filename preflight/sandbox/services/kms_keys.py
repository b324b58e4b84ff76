"""Keys of KMS that wait for their deletion, and what may be done with them meanwhile.

https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
The words: https://github.com/hashicorp/terraform-provider-aws (internal/service/kms/key.go).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request

WINDOW_DAYS = (7, 30)
DAY_SECONDS = 86_400.0
PENDING = "PendingDeletion"
# What fails with a key that waits, by the parameter that names the key.
IMPOSSIBLE = {
    **dict.fromkeys(
        """
        CreateGrant Decrypt DisableKey DisableKeyRotation EnableKey EnableKeyRotation Encrypt
        GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext
        GenerateDataKeyWithoutPlaintext GenerateMac GetPublicKey ReplicateKey RotateKeyOnDemand
        ScheduleKeyDeletion Sign TagResource UntagResource UpdateKeyDescription Verify VerifyMac
        """.split(),
        "KeyId",
    ),
    "CreateAlias": "TargetKeyId",
    "ReEncrypt": "DestinationKeyId",
    "UpdateAlias": "TargetKeyId",
}
# What a key is needed for that is switched off.
CRYPTOGRAPHIC = frozenset(
    """
    Decrypt Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext
    GenerateDataKeyWithoutPlaintext GenerateMac ReEncrypt Sign Verify VerifyMac
    """.split()
)


def find(request: Request, named: str) -> Any:
    """Find a key by id, ARN or alias, or None."""
    keys = request.world.backend("kms", request.region).keys
    name = named.partition(":alias/")[2] or named.removeprefix("alias/")
    if ":alias/" in named or named.startswith("alias/"):
        return next((key for key in keys.values() if f"alias/{name}" in key.aliases), None)
    return keys.get(named.rpartition("/")[2])


def refuse_by_state(request: Request) -> None:
    """Refuse what the state of a key does not allow."""
    named = request.parameters.get(IMPOSSIBLE[request.operation])
    key = find(request, str(named)) if named else None
    if key is None:
        return
    if key.key_state == PENDING:
        raise AwsFault("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if key.key_state == "Disabled" and request.operation in CRYPTOGRAPHIC:
        raise AwsFault("DisabledException", f"{key.arn} is disabled.")


def refuse_cancelling(request: Request) -> None:
    """Only a deletion that was asked for can be cancelled."""
    key = find(request, request.parameters["KeyId"])
    if key is not None and key.key_state != PENDING:
        raise AwsFault("KMSInvalidStateException", f"{key.arn} is not pending deletion.")


def schedule(request: Request) -> dict[str, Any]:
    """ScheduleKeyDeletion: at the end of the window key and aliases go, unless cancelled."""
    low, high = WINDOW_DAYS
    days = request.parameters.get("PendingWindowInDays") or high
    if not low <= days <= high:
        message = f"PendingWindowInDays must be between {low} and {high}, not {days}"
        raise AwsFault("ValidationException", message)
    id = str(request.parameters["KeyId"]).rpartition("/")[2]
    keys = request.world.backend("kms", request.region).keys
    key = keys.get(id)
    if key is None:
        raise AwsFault("NotFoundException", f"Key '{request.parameters['KeyId']}' does not exist")
    ends = agenda(request.world).now() + timedelta(days=days)
    key.enabled, key.key_state = False, PENDING
    key.deletion_date = moto_date = ends.replace(tzinfo=None)

    def gone() -> None:
        if key.key_state == PENDING and key.deletion_date is moto_date:
            keys.pop(id, None)

    agenda(request.world).after(days * DAY_SECONDS, gone)
    return {
        "KeyId": key.arn,
        "DeletionDate": ends,
        "KeyState": PENDING,
        "PendingWindowInDays": days,
    }


RULES = {
    **{("kms", operation): refuse_by_state for operation in IMPOSSIBLE},
    ("kms", "CancelKeyDeletion"): refuse_cancelling,
}
OPERATIONS = {("kms", "ScheduleKeyDeletion"): schedule}

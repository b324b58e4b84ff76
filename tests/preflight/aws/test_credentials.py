"""Credentials that AWS does not take: each says what to do about it."""

from __future__ import annotations

import pytest

from preflight import errors
from preflight.aws import partition_of, translate


@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        (
            "ExpiredToken",
            "The security token included in the request is expired",
            "session has end",
        ),
        ("ExpiredTokenException", "The security token included in the request is expired", "ended"),
        ("RequestExpired", "Request has expired.", "session has ended"),
        ("InvalidClientTokenId", "The security token included is invalid.", "another partition"),
        ("UnrecognizedClientException", "The security token is invalid.", "another partition"),
        ("AuthFailure", "AWS was not able to validate the provided access", "not enabled the Reg"),
        ("RequestTimeTooSkewed", "The difference between the request time and", "clock"),
        (
            "SignatureDoesNotMatch",
            "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z",
            "clock",
        ),
        ("InvalidSignatureException", "Signature not yet current: 20260101T000000Z", "clock"),
        ("SignatureDoesNotMatch", "The request signature we calculated does not", "secret key"),
    ],
)
def test_a_refusal_of_credentials_says_what_to_do(code: str, message: str, hint: str) -> None:
    response = {"Error": {"Code": code, "Message": message}}

    error = translate.from_response("sts", "GetCallerIdentity", response)

    assert isinstance(error, errors.CredentialsError)
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-2", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
    ],
)
def test_a_region_tells_its_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition

"""How a call can end without an answer, and whether it may be made again."""

from __future__ import annotations

import botocore.exceptions
import botocore.parsers

from preflight import errors
from preflight.aws import translate

#: Operations that only look: asking twice changes nothing, so any failure may be retried.
READS = ("Describe", "List", "Get", "Head", "Simulate", "Lookup", "Search")
#: What a call can end with beside its answer; half an answer is a parser's error.
ANSWERS = (
    botocore.exceptions.ClientError,
    botocore.exceptions.BotoCoreError,
    botocore.parsers.ResponseParserError,
)
_SIGN_IN = "sign in: `aws configure`, `aws sso login`, --profile NAME or the AWS_* variables"
BOTOCORE: tuple[tuple[tuple[type[Exception], ...], type[errors.AwsError], str], ...] = (
    (
        (
            botocore.exceptions.NoCredentialsError,
            botocore.exceptions.PartialCredentialsError,
            botocore.exceptions.CredentialRetrievalError,
            botocore.exceptions.TokenRetrievalError,
            botocore.exceptions.SSOError,
        ),
        errors.CredentialsError,
        _SIGN_IN,
    ),
    (
        (
            botocore.exceptions.HTTPClientError,
            botocore.exceptions.ConnectionError,
            botocore.exceptions.EndpointConnectionError,
            botocore.exceptions.ReadTimeoutError,
            botocore.exceptions.ConnectTimeoutError,
            botocore.parsers.ResponseParserError,
        ),
        errors.Unreachable,
        "check the network, the Region's name and AWS_ENDPOINT_URL",
    ),
)


def is_repeatable(operation: str, error: errors.AwsError, status: int) -> bool:
    """Say whether a call may be repeated: it only looks, or AWS says that it did nothing."""
    if isinstance(error, errors.Throttled):
        return True
    lost = isinstance(error, errors.Unreachable) or status >= 500
    return lost and operation.startswith(READS)


def translated(service: str, operation: str, error: Exception) -> tuple[errors.AwsError, int]:
    """Give the error of a call in our words, and the HTTP status; 0 when AWS did not answer."""
    if isinstance(error, botocore.exceptions.ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return translate.from_response(service, operation, error.response), status
    for types, kind, hint in BOTOCORE:
        if isinstance(error, types):
            return kind(str(error), service=service, operation=operation, hint=hint), 0
    return errors.AwsError(str(error), service=service, operation=operation), 0

"""The only place that reads AWS's error codes: every answer becomes one class of `errors`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from preflight import errors
from preflight.actions import action_of

CREDENTIALS = frozenset(
    """
    ExpiredToken ExpiredTokenException RequestExpired InvalidClientTokenId InvalidAccessKeyId
    UnrecognizedClientException SignatureDoesNotMatch AuthFailure InvalidToken
    RequestTimeTooSkewed InvalidSignatureException IncompleteSignature MissingAuthenticationToken
    """.split()
)
DENIED = frozenset(
    """
    AccessDenied AccessDeniedException UnauthorizedOperation UnauthorizedException
    AuthorizationError AuthorizationErrorException NotAuthorized Forbidden 403
    """.split()
)
THROTTLED = frozenset(
    """
    Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException
    RequestLimitExceeded TooManyRequestsException TooManyRequests BandwidthLimitExceeded SlowDown
    PriorRequestNotComplete ProvisionedThroughputExceededException TransactionInProgressException
    EC2ThrottledException KMSThrottlingException
    """.split()
)
#: Waiting does not help against these, although their names look like throttling.
#: `LimitExceededException` is a used-up quota in KMS, Logs, EventBridge, ECR and Route 53 Resolver.
QUOTA = frozenset(
    """
    LimitExceeded LimitExceededException ResourceLimitExceeded ResourceLimitExceededException
    ServiceQuotaExceededException VpcLimitExceeded InternetGatewayLimitExceeded
    NatGatewayLimitExceeded AddressLimitExceeded SubnetLimitExceeded SecurityGroupLimitExceeded
    RulesPerSecurityGroupLimitExceeded NetworkInterfaceLimitExceeded RouteTableLimitExceeded
    RouteLimitExceeded VpcEndpointLimitExceeded VcpuLimitExceeded MaxSpotInstanceCountExceeded
    InstanceLimitExceeded TooManyBuckets QuotaExceededException OverLimit VolumeLimitExceeded
    MaxIOPSLimitExceeded SnapshotLimitExceeded TopicLimitExceeded TooManyLoadBalancers
    SecurityGroupsPerInterfaceLimitExceeded TooManyTargetGroups
    """.split()
)
BUSY = frozenset(
    """
    ConcurrentModificationException ConcurrentModification OperationAbortedException
    OperationAborted ScalingActivityInProgress ResourceContention QueueDeletedRecently
    AWS.SimpleQueueService.QueueDeletedRecently IncorrectState
    """.split()
)
DEPENDENCY = frozenset(
    """
    DependencyViolation DeleteConflict BucketNotEmpty RepositoryNotEmptyException VolumeInUse
    InvalidIPAddress.InUse InvalidNetworkInterface.InUse InvalidPlacementGroup.InUse
    CannotDelete ResourceInUseFault
    """.split()
)
EXISTS = frozenset(
    """
    EntityAlreadyExists AlreadyExistsException ResourceAlreadyExistsException
    BucketAlreadyOwnedByYou RepositoryAlreadyExistsException RouteAlreadyExists
    InvalidPermission.Duplicate Resource.AlreadyAssociated InvalidGroup.Duplicate
    InvalidLaunchTemplateName.AlreadyExistsException AlreadyExistsFault ResourceExistsException
    QueueAlreadyExists DuplicateLoadBalancerName
    """.split()
)
MISSING = frozenset(
    """
    NoSuchEntity NoSuchBucket NotFoundException ResourceNotFoundException NotFound 404
    RepositoryNotFoundException NatGatewayNotFound Gateway.NotAttached LoadBalancerNotFound
    TargetGroupNotFound QueueDoesNotExist AWS.SimpleQueueService.NonExistentQueue
    NoSuchResourceException NoSuchLifecycleConfiguration NoSuchTagSet UnknownResourceException
    """.split()
)

#: Messages of codes that mean several things; read in order, first match wins.
#: The EKS ones are what a role not yet known everywhere looks like for some seconds.
BY_MESSAGE: tuple[tuple[str, str, type[errors.AwsError]], ...] = (
    (
        "InvalidParameterException|InvalidRequestException",
        r"role.* (does not exist|cannot be found)|error in role params"
        r"|trusted entity is not correct|following required service principals"
        r"|invalid principal|(must include|doesn't have) .*polic",
        errors.Propagating,
    ),
    ("MalformedPolicyDocument(Exception)?", r"invalid principal", errors.Propagating),
    ("ResourcePropagationDelayException", r"", errors.Propagating),
    # EC2's words for an address that a NAT gateway still holds, or that was released before.
    ("AuthFailure", r"permission to access the specified resource", errors.Dependency),
    ("ResourceInUse(Exception)?", r"in progress|deleting|currently has", errors.Busy),
    ("ResourceInUse(Exception)?", r"already exists", errors.AlreadyExists),
    ("ResourceInUse(Exception)?", r"", errors.Dependency),
    ("InvalidRequestException", r"not in ACTIVE|in progress", errors.Busy),
    ("InvalidRequestException", r"already (exists|associated)", errors.AlreadyExists),
    ("BadRequestException", r"detector already exists", errors.AlreadyExists),
    ("BadRequestException", r"detectorId is not owned|not found", errors.NotFound),
    ("ValidationException", r"since it has targets", errors.Dependency),
    ("InvalidParameterValue", r"is currently in use", errors.Dependency),
    ("ClientException", r"no cluster found", errors.NotFound),
    (r"Invalid.*\.(NotFound|Malformed)", r"", errors.NotFound),
    (r".*NotFound(Exception|Fault)?|NoSuch.*", r"", errors.NotFound),
)

BY_CODE: tuple[tuple[frozenset[str], type[errors.AwsError]], ...] = (
    (CREDENTIALS, errors.CredentialsError),
    (DENIED, errors.AccessDenied),
    (THROTTLED, errors.Throttled),
    (QUOTA, errors.QuotaExceeded),
    (BUSY, errors.Busy),
    (DEPENDENCY, errors.Dependency),
    (EXISTS, errors.AlreadyExists),
    (MISSING, errors.NotFound),
    (frozenset({"RegionDisabledException"}), errors.RegionDisabled),
)


def classify(code: str, message: str) -> type[errors.AwsError]:
    """Sort an error of AWS by its code, and by its message where the code is ambiguous."""
    for pattern, text, kind in BY_MESSAGE:
        if re.fullmatch(pattern, code) and re.search(text, message, re.IGNORECASE):
            return kind
    for codes, kind in BY_CODE:
        if code in codes:
            return kind
    return errors.AwsError


def from_response(service: str, operation: str, response: Mapping[str, Any]) -> errors.AwsError:
    """Translate botocore's `ClientError.response`."""
    error = response.get("Error", {})
    code = str(error.get("Code", ""))
    message = str(error.get("Message", "")) or "no message"
    kind = classify(code, message)
    details = {
        "service": service,
        "operation": operation,
        "code": code,
        "request_id": str(response.get("ResponseMetadata", {}).get("RequestId", "")),
    }
    if kind is errors.AccessDenied:
        action = missing_action(message) or action_of(service, operation)
        return errors.AccessDenied(
            message, action=action, hint=f"allow {action} for this principal", **details
        )
    hint = _sign_in(code, message) if kind is errors.CredentialsError else HINTS.get(kind)
    return kind(message, hint=hint, **details)


def _sign_in(code: str, message: str) -> str:
    """Tell what is wrong with credentials: the clock, their age, or that nobody knows them."""
    for pattern, hint in CREDENTIAL_HINTS:
        if re.search(pattern, f"{code} {message}", re.IGNORECASE):
            return hint
    return HINTS[errors.CredentialsError]


def missing_action(message: str) -> str | None:
    """Read the action out of AWS's own words: it can differ from the call, as PassRole does."""
    found = re.search(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z0-9*]+)", message)
    return found.group(1) if found else None


#: What to do about credentials, by code and message; read in order, first match wins.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
CREDENTIAL_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"RequestTimeTooSkewed|signature (expired|not yet current)|difference between the request",
        "set the clock of this machine: AWS takes no request that is five minutes off",
    ),
    (
        r"ExpiredToken|RequestExpired|token.* expired",
        "the session has ended: `aws sso login`, or assume the role again",
    ),
    (
        r"InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|AuthFailure",
        "AWS does not know these keys here: they were deleted, they belong to another partition"
        " (China and GovCloud have keys of their own), or the account has not enabled the Region",
    ),
    (
        r"SignatureDoesNotMatch|InvalidSignature|IncompleteSignature",
        "the secret key is not the one of this access key: set both anew",
    ),
)
HINTS: Mapping[type[errors.AwsError], str] = {
    errors.CredentialsError: (
        "sign in again (`aws sso login`, `aws configure`, or new AWS_* variables) and check the"
        " clock of this machine"
    ),
    errors.Throttled: "other tools use up the request rate of this account; try again later",
}

"""Which errors time heals, and how long it may take: the executor's only list of retries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from preflight import errors


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a class of error may last: first and longest pause, and the end, in seconds."""

    first: float
    longest: float
    at_most: float

    def pause(self, attempt: int, elapsed: float) -> float | None:
        """Give the seconds to wait before try number `attempt + 1`; None to give up."""
        if elapsed >= self.at_most:
            return None
        return min(self.longest, self.first * 2.0 ** (attempt - 1))


#: IAM is known everywhere after seconds, seldom after two minutes.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html
PROPAGATION = Patience(first=1, longest=8, at_most=120)
#: EC2 may not know for some seconds what it has just made.
#: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
READ_AFTER_WRITE = Patience(first=1, longest=5, at_most=60)
#: An EKS update or a queue name that was just in use.
BUSY = Patience(first=2, longest=15, at_most=1200)
THROTTLED = Patience(first=2, longest=30, at_most=600)
LOST = Patience(first=1, longest=30, at_most=300)
#: What is there already is ours when an answer was lost, and then soon found; else it stays there.
TAKEN = Patience(first=1, longest=5, at_most=2)

CREATING: Mapping[type[errors.AwsError], Patience] = {
    errors.Propagating: PROPAGATION,
    errors.NotFound: READ_AFTER_WRITE,
    errors.Busy: BUSY,
    errors.Throttled: THROTTLED,
    errors.Unreachable: LOST,
}
#: While deleting, what is missing is gone and what is in use is asked again by the caller.
DELETING: Mapping[type[errors.AwsError], Patience] = {
    errors.Busy: BUSY,
    errors.Throttled: THROTTLED,
    errors.Unreachable: LOST,
}


def pause(
    patience: Mapping[type[errors.AwsError], Patience],
    error: errors.AwsError,
    attempt: int,
    elapsed: float,
) -> float | None:
    """Say how long to wait before trying again; None when waiting will not help."""
    found = patience.get(type(error))
    if found is None and is_server_fault(error):
        found = LOST
    return None if found is None else found.pause(attempt, elapsed)


def is_server_fault(error: errors.AwsError) -> bool:
    """Say whether AWS itself failed, so that the outcome of the call is not known."""
    return error.code in {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalException",
        "ServiceException",
        "ServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Unavailable",
        "500",
        "502",
        "503",
        "504",
    }

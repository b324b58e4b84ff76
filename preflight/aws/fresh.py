"""A role that was made a moment ago: STS may not know it yet, or its trust policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from preflight.aws.account import Aws
from preflight.errors import AccessDenied, AwsError

T = TypeVar("T")

#: Seconds after which a role is taken to be known everywhere; AWS gives no number.
KNOWN_AFTER = 10.0
PAUSE = 1.0


def while_fresh(aws: Aws, role_arn: str, ask: Callable[[], T]) -> T:
    """Ask; what is denied is asked again as long as the role is young.

    Raises what `ask` raises in the end. Whoever may not look at the role does not wait.
    """
    left = None
    while True:
        try:
            return ask()
        except AccessDenied:
            left = _young(aws, role_arn) if left is None else left - PAUSE
            if left <= 0:
                raise
        aws.clock.sleep(PAUSE)


def _young(aws: Aws, role_arn: str) -> float:
    """Give the seconds until a role is old enough; 0 where it is, or where nobody can tell."""
    try:
        role = aws.call("iam", "GetRole", RoleName=role_arn.rpartition("/")[2])["Role"]
    except AwsError:
        return 0.0
    if role["Arn"] != role_arn:
        return 0.0
    age: float = (aws.clock.now() - role["CreateDate"]).total_seconds()
    return KNOWN_AFTER - age if 0 <= age < KNOWN_AFTER else 0.0

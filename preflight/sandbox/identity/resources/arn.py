"""ARNs in the account and Region of a request."""

from __future__ import annotations

from collections.abc import Sequence

from preflight.sandbox.request import Request

#: For actions without a resource type: policies have to say `"Resource": "*"`.
ANY = "*"
#: What a request acts on; None stands for an ARN that the sandbox cannot tell.
Arns = Sequence[str | None]


def arn(request: Request, service: str, tail: str, *, region: str | None = None) -> str:
    """Write an ARN in the account and Region of the request."""
    place = request.region if region is None else region
    return f"arn:{partition(request.region)}:{service}:{place}:{request.account}:{tail}"


def partition(region: str) -> str:
    """Tell the partition from the name of a Region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"

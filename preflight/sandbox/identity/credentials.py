"""What each service says of credentials that it does not take."""

from __future__ import annotations

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request


def not_taken(request: Request, fault: AwsFault) -> AwsFault:
    """Say "I do not know this key" in the words each service has for it."""
    if fault.code == "ExpiredToken":
        if request.service == "ec2":
            return AwsFault("RequestExpired", "Request has expired.", 400)
        is_json = request.service not in ("iam", "sts", "s3", "autoscaling", "elb", "elbv2")
        return AwsFault("ExpiredTokenException", fault.message, 403) if is_json else fault
    if request.service == "ec2":
        message = "AWS was not able to validate the provided access credentials"
        return AwsFault("AuthFailure", message, 401)
    if request.service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return AwsFault("InvalidAccessKeyId", message, 403)
    if request.environ.get("CONTENT_TYPE", "").startswith("application/x-www-form"):
        return fault
    return AwsFault("UnrecognizedClientException", fault.message, fault.http_status)

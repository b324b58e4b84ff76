"""Refuses what AWS would not even look at: operations it does not have, input its models forbid.

boto3 holds some of this against the model before it sends anything; clients of other languages do
not, and nor does boto3 hold lengths and patterns. AWS does not document whether it reads the input
before it judges the caller; here it does. Members that are unknown are ignored in JSON, and in the
forms of services other than EC2: no page says that AWS refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import UnknownServiceError

from preflight.sandbox import models, wire
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.input.constraints import absent, broken, missing, together
from preflight.sandbox.input.ec2_parameters import refuse_parameters
from preflight.sandbox.input.json_types import refuse_types
from preflight.sandbox.request import Request

#: The code for input that the model forbids, in services whose words are known.
_CODES: Mapping[str, str] = {
    **dict.fromkeys(("autoscaling", "elb", "elbv2", "iam", "sts"), "ValidationError"),
    **dict.fromkeys(("account", "events", "kms", "route53resolver", "ssm"), "ValidationException"),
    **dict.fromkeys(("logs", "resourcegroupstaggingapi"), "InvalidParameterException"),
}
#: The same in services of which only the code is known, by the errors of their operations. They
#: are asked for what is missing alone: their rules for values are their own.
_CODES_ALONE: Mapping[str, str] = {
    "ecr": "InvalidParameterException",
    "eks": "InvalidParameterException",
    "organizations": "InvalidInputException",
    "pricing": "InvalidParameterException",
    "service-quotas": "IllegalArgumentException",
    "sns": "InvalidParameter",
}


def validate(request: Request) -> None:
    """Raise the fault with which AWS refuses a request that its model does not allow."""
    model = wire.operation_model(request.service, request.operation)
    if model is None:
        _refuse_operation(request)
    elif model.input_shape is not None:
        if request.service == "ec2":
            refuse_parameters(request, model.input_shape)
            return
        if wire.protocol_of(request, model) == "json":
            refuse_types(request, model.input_shape)
        _refuse_values(request, model.input_shape)


def _refuse_operation(request: Request) -> None:
    """Say that there is no such operation, where it is known which service was asked.

    https://github.com/cognitect-labs/aws-api/issues/6 has the words of EC2,
    https://github.com/fog/fog-aws/issues/368 those of IAM and its like. The code for JSON:
    https://docs.rs/crate/aws-smithy-legacy-http-server/latest/source/src/protocol/aws_json_10/router.rs
    """
    name = request.operation
    try:
        version = models.service_model(request.service).api_version
    except UnknownServiceError:
        return
    if not name:
        return
    if request.service == "ec2":
        raise AwsFault("InvalidAction", f"The action {name} is not valid for this web service.")
    if "HTTP_X_AMZ_TARGET" in request.environ:
        raise AwsFault("UnknownOperationException", "")
    raise AwsFault("InvalidAction", f"Could not find operation {name} for version {version}")


def _refuse_values(request: Request, shape: Any) -> None:
    """Hold the input against what the model demands of it."""
    code = _CODES.get(request.service) or _CODES_ALONE.get(request.service)
    if code is None:
        return
    found = [absent(place) for place in missing(shape, request.parameters)]
    if request.service in _CODES:
        found += broken(shape, request.parameters)
    if found:
        raise AwsFault(code, together(found))

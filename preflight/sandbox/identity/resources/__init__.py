"""The ARNs on which AWS judges a request: for each AWS service a file, or a part of one.

A request is judged once on each of them, and must be allowed on all. None stands for an ARN that
the sandbox cannot tell, `*` for an action without a resource type.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable

from preflight.sandbox.identity.resources import (
    balancing,
    ec2,
    eks,
    iam,
    logs,
    messages,
    plain,
    storage,
)
from preflight.sandbox.identity.resources.arn import ANY, Arns, arn, partition
from preflight.sandbox.request import Request

__all__ = ["ANY", "Arns", "arn", "partition", "resources_of"]


def resources_of(request: Request) -> Arns:
    """Name what the request's main action is judged on."""
    rule = _RULES.get(request.service)
    return list(dict.fromkeys(rule(request))) or [None] if rule else [None]


_RULES: dict[str, Callable[[Request], Arns]] = {
    "account": plain.account,
    "autoscaling": balancing.scaling,
    "cloudwatch": plain.cloudwatch,
    "ec2": ec2.ec2,
    "ecr": storage.ecr,
    "eks": eks.eks,
    "elb": balancing.classic,
    "elbv2": balancing.elbv2,
    "events": messages.events,
    "guardduty": plain.guardduty,
    "iam": iam.iam,
    "kms": plain.kms,
    "logs": logs.logs,
    "organizations": plain.organizations,
    "pricing": plain.nothing,
    "resourcegroupstaggingapi": plain.nothing,
    "route53resolver": plain.resolver,
    "s3": storage.s3,
    "service-quotas": plain.quotas,
    "sns": messages.sns,
    "sqs": messages.sqs,
    "ssm": plain.ssm,
    "sts": plain.sts,
}

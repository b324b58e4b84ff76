"""The quotas of a new account, as far as the sandbox knows them, and padding to AWS's size.

The values are AWS's published defaults; they change, and differ by Region for some services.
https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

# EC2 has more than a thousand quotas, so that every listing has many pages. The sandbox makes the
# missing ones up; their names say so.
FILLER_ROWS = 1000

SERVICE_NAMES = {
    "autoscaling": "Amazon EC2 Auto Scaling",
    "ebs": "Amazon Elastic Block Store (Amazon EBS)",
    "ec2": "Amazon Elastic Compute Cloud (Amazon EC2)",
    "ecr": "Amazon Elastic Container Registry (Amazon ECR)",
    "eks": "Amazon Elastic Kubernetes Service (Amazon EKS)",
    "elasticloadbalancing": "Elastic Load Balancing (ELB)",
    "events": "Amazon EventBridge (CloudWatch Events)",
    "fargate": "AWS Fargate",
    "iam": "AWS Identity and Access Management (IAM)",
    "kms": "AWS Key Management Service (AWS KMS)",
    "logs": "Amazon CloudWatch Logs",
    "route53resolver": "Amazon Route 53 Resolver",
    "s3": "Amazon Simple Storage Service (Amazon S3)",
    "sns": "Amazon Simple Notification Service (Amazon SNS)",
    "vpc": "Amazon Virtual Private Cloud (Amazon VPC)",
}


@dataclass(frozen=True, kw_only=True)
class QuotaDefault:
    """One quota as AWS publishes it; `is_applied` is false where AWS shows no applied value."""

    service: str
    code: str
    name: str
    value: float
    is_adjustable: bool
    is_global: bool = False
    is_applied: bool = True


QuotaKey = tuple[str, str]


@functools.cache
def defaults() -> Mapping[QuotaKey, QuotaDefault]:
    """Give all quotas by service and code, in the order in which AWS lists them: by code."""
    file = resources.files("preflight.sandbox.quotas") / "default_quotas.json"
    rows = [
        QuotaDefault(
            service=row["service"],
            code=row["code"],
            name=row["name"],
            value=float(row["value"]),
            is_adjustable=row["adjustable"],
            is_global=row.get("global", False),
            is_applied=row.get("applied", True),
        )
        for row in json.loads(file.read_text(encoding="utf-8"))
    ]
    rows += [_filler(number) for number in range(1, FILLER_ROWS + 1)]
    rows.sort(key=lambda row: (row.service, row.code))
    return MappingProxyType({(row.service, row.code): row for row in rows})


def service_name(code: str) -> str:
    """Give a service's name as Service Quotas shows it."""
    return SERVICE_NAMES.get(code, code)


def _filler(number: int) -> QuotaDefault:
    digest = hashlib.sha256(f"filler {number}".encode()).hexdigest()
    return QuotaDefault(
        service="ec2",
        code=f"L-{digest[:8].upper()}",
        name=f"Sandbox filler {number:04} (no quota of AWS)",
        value=float(number % 50),
        is_adjustable=number % 3 != 0,
    )

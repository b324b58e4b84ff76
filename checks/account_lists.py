"""Lists of the account that several checks look at, each read once in a run."""

from __future__ import annotations

from typing import Any

from checks.quotas import sources
from preflight.check import Context
from preflight.quotas import looks
from preflight.quotas.usage import Look

#: Every role with its path, service-linked ones too: one call for a thousand of them.
#: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
ROLES = Look("iam", "ListRoles", "Roles[].{RoleName: RoleName, Arn: Arn}", {"MaxItems": 1000})
CLUSTERS, BUCKETS, VPCS = looks.CLUSTERS, looks.BUCKETS, looks.VPCS


def rows(context: Context, look: Look) -> list[dict[str, Any]]:
    """Give a list of the account, shared with whoever counts it. Raises `AwsError`."""
    return sources(context)[0].rows(look)

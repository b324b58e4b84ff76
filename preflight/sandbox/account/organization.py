"""The organization that the account is a member of, or manages, where the scenario names one.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
"""

from __future__ import annotations

from typing import Any

from preflight.sandbox.identity import iam
from preflight.sandbox.request import Request, Response

# Who manages the organization, unless the scenario says it.
MANAGEMENT_ACCOUNT = "999988887777"


def describe_organization(request: Request) -> dict[str, Any] | Response:
    """DescribeOrganization: without an organization moto says so, in AWS's words."""
    id = iam.organization(request.world)
    if not id:
        if request.world.scenario.get("scps"):
            # It is in one then, of which nobody told.
            raise NotImplementedError("the scenario has scps and no account.organization")
        return request.forward()
    management = iam.management_account(request.world) or MANAGEMENT_ACCOUNT
    arn = f"arn:aws:organizations::{management}"
    return {
        "Organization": {
            "Id": id,
            "Arn": f"{arn}:organization/{id}",
            "FeatureSet": "ALL",
            "MasterAccountArn": f"{arn}:account/{id}/{management}",
            "MasterAccountId": management,
            "MasterAccountEmail": "management@example.com",
            "AvailablePolicyTypes": [],
        }
    }


OPERATIONS = {("organizations", "DescribeOrganization"): describe_organization}

"""What EC2 does and moto does not, short of life cycles and dependencies."""

from __future__ import annotations

from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response


def honour_dry_run(request: Request) -> None:
    """Stop an allowed request that only asked whether it is allowed.

    moto carries some of them out. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DryRun
    """
    if b"DryRun=true" in request.body and request.parameters.get("DryRun"):
        message = "Request would have succeeded, but DryRun flag is set."
        raise AwsFault("DryRunOperation", message, 412)


def describe_capacity_reservations(_: Request) -> dict[str, Any]:
    """DescribeCapacityReservations: the sandbox has none, and cannot make any."""
    return {"CapacityReservations": []}


def filter_gateways_by_owner(request: Request, response: Response) -> dict[str, Any] | None:
    """DescribeInternetGateways: the owner-id filter."""
    filters = request.parameters.get("Filters", [])
    owners = [one["Values"] for one in filters if one["Name"] == "owner-id"]
    if not owners:
        return None
    gateways = response.result.get("InternetGateways", [])
    kept = [g for g in gateways if all(g.get("OwnerId") in values for values in owners)]
    return {"InternetGateways": kept}


OPERATIONS = {("ec2", "DescribeCapacityReservations"): describe_capacity_reservations}
RULES = {("ec2", "*"): honour_dry_run}
EFFECTS = {("ec2", "DescribeInternetGateways"): filter_gateways_by_owner}

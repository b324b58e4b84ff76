"""Which Regions this account may use: opt-in status, as `account` and EC2 tell it, and its teeth.

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""

from __future__ import annotations

from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity.credentials import not_taken
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# Enabled in every account, and not to be disabled.
DEFAULT_REGIONS = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)
OPT_IN_REGIONS = (
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
)
ALL_REGIONS = frozenset(DEFAULT_REGIONS + OPT_IN_REGIONS)


def is_opt_in(region: str) -> bool:
    """Whether a Region must be enabled by hand before it can be used."""
    return region in OPT_IN_REGIONS


def opt_in_status(world: World, region: str) -> str:
    """Give a Region's status in EC2's words."""
    setting = world.scenario.get("regions", {}).get(region, {}).get("opt_in")
    if not is_opt_in(region):
        # A default Region needs no opt-in; a scenario can only take it away, as no account can.
        return "not-opted-in" if setting == "not-opted-in" else "opt-in-not-required"
    return setting or "not-opted-in"


def is_enabled(world: World, region: str) -> bool:
    """Whether requests to a Region are answered at all."""
    return opt_in_status(world, region) != "not-opted-in"


def is_sts_active(world: World, region: str) -> bool:
    """Whether STS makes credentials for this account in a Region."""
    setting = world.scenario.get("regions", {}).get(region, {}).get("sts", "active")
    return region == "us-east-1" or setting == "active"


def refuse_disabled_region(request: Request) -> None:
    """Answer from a Region that is not opted in as AWS does: it does not know the keys there."""
    if is_enabled(request.world, request.region):
        return
    message = "The security token included in the request is invalid"
    raise not_taken(request, AwsFault("InvalidClientTokenId", message, 403))


def _account_status(world: World, region: str) -> str:
    status = opt_in_status(world, region)
    return {
        "opt-in-not-required": "ENABLED_BY_DEFAULT",
        "opted-in": "ENABLED",
        "not-opted-in": "DISABLED",
    }[status]


def get_region_opt_status(request: Request) -> dict[str, Any]:
    """`account` GetRegionOptStatus."""
    region = request.parameters["RegionName"]
    if region not in ALL_REGIONS:
        raise AwsFault("ValidationException", f"{region} is not a valid Region name.")
    return {"RegionName": region, "RegionOptStatus": _account_status(request.world, region)}


def list_regions(request: Request) -> dict[str, Any]:
    """`account` ListRegions."""
    wanted = request.parameters.get("RegionOptStatusContains")
    rows = [
        {"RegionName": region, "RegionOptStatus": _account_status(request.world, region)}
        for region in sorted(ALL_REGIONS)
    ]
    rows = [row for row in rows if not wanted or row["RegionOptStatus"] in wanted]
    start = int(request.parameters.get("NextToken") or 0)
    size = int(request.parameters.get("MaxResults") or 50)
    answer: dict[str, Any] = {"Regions": rows[start : start + size]}
    if start + size < len(rows):
        answer["NextToken"] = str(start + size)
    return answer


def describe_regions(request: Request) -> dict[str, Any] | Response:
    """EC2 DescribeRegions: the enabled ones, or all; filters by name, endpoint and status."""
    wanted = request.parameters
    names = wanted.get("RegionNames")
    for name in names or []:
        if name not in ALL_REGIONS:
            message = f"The region '[{name}]' does not exist."
            raise AwsFault("InvalidParameterValue", message)
    rows = [
        {
            "RegionName": region,
            "Endpoint": f"ec2.{region}.amazonaws.com",
            "OptInStatus": opt_in_status(request.world, region),
        }
        for region in sorted(names or ALL_REGIONS)
        if names or wanted.get("AllRegions") or is_enabled(request.world, region)
    ]
    fields = {"region-name": "RegionName", "endpoint": "Endpoint", "opt-in-status": "OptInStatus"}
    for one in wanted.get("Filters", []):
        field = fields.get(one["Name"])
        if field is None:
            message = f"The filter '{one['Name']}' is invalid"
            raise AwsFault("InvalidParameterValue", message)
        rows = [row for row in rows if row[field] in one["Values"]]
    return {"Regions": rows}


AUTHORISERS = (refuse_disabled_region,)
OPERATIONS = {
    ("account", "GetRegionOptStatus"): get_region_opt_status,
    ("account", "ListRegions"): list_regions,
    ("ec2", "DescribeRegions"): describe_regions,
}

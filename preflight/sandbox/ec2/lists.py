"""Lists of EC2 that moto does not filter or page as AWS does.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
"""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from preflight.sandbox.account import remains
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response

# Where AWS's name of a resource type is not moto's; by the prefix of the ids.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TagSpecification.html
RESOURCE_TYPES = {
    "eipalloc": "elastic-ip",
    "fl": "vpc-flow-log",
    "h": "dedicated-host",
    "nat": "natgateway",
    "pl": "prefix-list",
    "sir": "spot-instances-request",
}
TAG_FILTERS = {
    "key": "Key",
    "value": "Value",
    "resource-id": "ResourceId",
    "resource-type": "ResourceType",
}
# Rows of a page when nobody says how many.
MOST, MOST_LAUNCH_TEMPLATES = 1000, 200
PAGING = frozenset({"MaxResults", "NextToken"})

Row = Mapping[str, Any]
# From a row and the name of a filter to the values it may match.
ValuesOf = Callable[[Row, str], list[str] | None]


def _filters(request: Request) -> list[Mapping[str, Any]]:
    """Give the filters of a request, which NAT gateways alone call by another name."""
    return [*(request.parameters.get("Filters") or request.parameters.get("Filter") or ())]


def _ask_without(request: Request, names: Collection[str]) -> Response:
    """Ask moto for all pages, and without the filters of some names."""
    number = itertools.count(1)
    fields = parse_qsl(request.body.decode(), keep_blank_values=True)
    kept = [(n, v) for n, v in fields if not n.startswith("Filter.") and n not in PAGING]
    for one in _filters(request):
        if one["Name"] not in names:
            prefix = f"Filter.{next(number)}"
            kept.append((f"{prefix}.Name", one["Name"]))
            kept += [(f"{prefix}.Value.{n}", v) for n, v in enumerate(one["Values"], 1)]
    request.body = urlencode(kept).encode()
    return request.forward()


def _any_matches(values: Iterable[str], patterns: Iterable[str]) -> bool:
    wanted = list(patterns)
    return any(fnmatch.fnmatchcase(value, pattern) for value in values for pattern in wanted)


def _keep(request: Request, rows: Iterable[Row], value_of: ValuesOf) -> list[Row]:
    """Keep the rows that pass all filters; where `value_of` says None, moto has judged."""
    return [
        row
        for row in rows
        if all(
            values is None or _any_matches(values, one["Values"])
            for one in _filters(request)
            for values in [value_of(row, one["Name"])]
        )
    ]


def _of_tags(row: Row, name: str) -> list[str] | None:
    """Give the values of a filter on tags."""
    tags = row.get("Tags", [])
    if name == "tag-key":
        return [tag["Key"] for tag in tags]
    if name.startswith("tag:"):
        return [tag["Value"] for tag in tags if tag["Key"] == name.removeprefix("tag:")]
    return None


def _page(request: Request, member: str, rows: list[Any], most: int) -> dict[str, Any]:
    """Cut one page out of all rows; the token is where the next one begins."""
    token = request.parameters.get("NextToken") or "0"
    if not token.isdecimal():
        raise AwsFault("InvalidParameterValue", f"Invalid value '{token}' for nextToken.")
    start = int(token)
    end = start + int(request.parameters.get("MaxResults") or most)
    answer: dict[str, Any] = {member: rows[start:end]}
    if end < len(rows):
        answer["NextToken"] = str(end)
    return answer


def describe_internet_gateways(request: Request) -> dict[str, Any] | Response:
    """DescribeInternetGateways with the owner-id filter, which moto refuses, and in pages."""

    def value_of(_: Row, name: str) -> list[str] | None:
        return [request.account] if name == "owner-id" else None

    return _filtered(request, "InternetGateways", {"owner-id"}, value_of)


def describe_launch_templates(request: Request) -> dict[str, Any] | Response:
    """DescribeLaunchTemplates in pages; moto gives the first 15 and no token.

    It refuses ids that are not there.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    fields = parse_qsl(request.body.decode(), keep_blank_values=True)
    kept = [field for field in fields if field[0] not in PAGING]
    request.body = urlencode([*kept, ("MaxResults", str(10**6))]).encode()
    response = request.forward()
    if response.is_error:
        return response
    rows = response.result.get("LaunchTemplates", [])
    there = request.world.backend("ec2", request.region).launch_templates
    missing = {*request.parameters.get("LaunchTemplateIds", ())} - {*there}
    if missing:
        message = f"The specified launch template ID '{min(missing)}' does not exist."
        raise AwsFault("InvalidLaunchTemplateId.NotFound", message)
    return _page(request, "LaunchTemplates", rows, MOST_LAUNCH_TEMPLATES)


def describe_nat_gateways(request: Request) -> dict[str, Any] | Response:
    """DescribeNatGateways with filters on tags, which moto passes over, and in pages."""
    return _filtered(request, "NatGateways", (), _of_tags)


def describe_vpc_endpoints(request: Request) -> dict[str, Any] | Response:
    """DescribeVpcEndpoints with a filter on ids, which moto refuses, and in pages."""

    def value_of(row: Row, name: str) -> list[str] | None:
        return [row["VpcEndpointId"]] if name == "vpc-endpoint-id" else None

    return _filtered(request, "VpcEndpoints", {"vpc-endpoint-id"}, value_of)


def _filtered(
    request: Request, member: str, own: Collection[str], value_of: ValuesOf
) -> dict[str, Any] | Response:
    response = _ask_without(request, own)
    if response.is_error:
        return response
    rows = _keep(request, response.result.get(member, []), value_of)
    return _page(request, member, rows, MOST)


def describe_tags(request: Request) -> dict[str, Any]:
    """DescribeTags with AWS's names of types, filters on pairs, and in pages."""
    ec2 = request.world.backend("ec2", request.region)
    gone = remains.gone(ec2)
    rows: list[Row] = [
        {"ResourceId": id, "ResourceType": _type(id), "Key": key, "Value": value}
        for id, pairs in ec2.tags.items()
        if id not in gone
        for key, value in sorted(pairs.items())
    ]
    return _page(request, "Tags", _keep(request, rows, _of_a_tag), MOST)


def _of_a_tag(row: Row, name: str) -> list[str]:
    """Give the values of a filter on one tag of one thing."""
    if name in TAG_FILTERS:
        return [row[TAG_FILTERS[name]]]
    if name.startswith("tag:"):
        return [row["Value"]] if row["Key"] == name.removeprefix("tag:") else []
    raise AwsFault("InvalidParameterValue", f"The filter '{name}' is invalid")


def _type(id: str) -> str:
    from moto.ec2 import utils

    prefix = utils.get_prefix(id)
    return RESOURCE_TYPES.get(prefix) or utils.EC2_PREFIX_TO_RESOURCE.get(prefix, "")


OPERATIONS = {
    ("ec2", "DescribeInternetGateways"): describe_internet_gateways,
    ("ec2", "DescribeLaunchTemplates"): describe_launch_templates,
    ("ec2", "DescribeNatGateways"): describe_nat_gateways,
    ("ec2", "DescribeTags"): describe_tags,
    ("ec2", "DescribeVpcEndpoints"): describe_vpc_endpoints,
}

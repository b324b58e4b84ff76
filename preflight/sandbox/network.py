"""What EC2 does and moto does not, short of life cycles and dependencies."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import parse_qsl, urlencode

from preflight.sandbox.request import Request, Response


def describe_capacity_reservations(_: Request) -> dict[str, Any]:
    """DescribeCapacityReservations: the sandbox has none, and cannot make any."""
    return {"CapacityReservations": []}


def describe_internet_gateways(request: Request) -> dict[str, Any] | Response:
    """DescribeInternetGateways with the owner-id filter, which moto refuses."""
    filters = request.parameters.get("Filters", [])
    owners = [set(one["Values"]) for one in filters if one["Name"] == "owner-id"]
    if not owners:
        return request.forward()
    number = itertools.count(1)
    fields = parse_qsl(request.body.decode(), keep_blank_values=True)
    kept = [field for field in fields if not field[0].startswith("Filter.")]
    for one in filters:
        if one["Name"] != "owner-id":
            prefix = f"Filter.{next(number)}"
            kept.append((f"{prefix}.Name", one["Name"]))
            kept += [(f"{prefix}.Value.{n}", v) for n, v in enumerate(one["Values"], 1)]
    request.body = urlencode(kept).encode()
    response = request.forward()
    if response.is_error or all(request.account in wanted for wanted in owners):
        return response
    return {"InternetGateways": []}


def drop_network_acls(request: Request, _: Response) -> None:
    """DeleteVpc takes the VPC's network ACL along; moto leaves it behind."""
    backend = request.world.backend("ec2", request.region)
    for identifier, acl in list(backend.network_acls.items()):
        if acl.vpc_id == request.parameters["VpcId"]:
            del backend.network_acls[identifier]
            backend.tags.pop(identifier, None)


OPERATIONS = {
    ("ec2", "DescribeCapacityReservations"): describe_capacity_reservations,
    ("ec2", "DescribeInternetGateways"): describe_internet_gateways,
}
EFFECTS = {("ec2", "DeleteVpc"): drop_network_acls}

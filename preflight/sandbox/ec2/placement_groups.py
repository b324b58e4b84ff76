"""Placement groups, which moto does not have: made, described, and kept while instances use them.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-groups.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeletePlacementGroup.html
The words: https://github.com/scylladb/scylla-cluster-tests/issues/6742 (in use),
https://github.com/FDio/csit/issues/1721 (duplicate).
"""

from __future__ import annotations

import secrets
from typing import Any

from preflight.sandbox.ec2.instances import instances
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

STRATEGIES = ("cluster", "partition", "spread")
DEFAULT_PARTITIONS = 2


class PlacementGroups:
    """The placement groups of an account, by Region and name."""

    def __init__(self, _: World) -> None:
        self.groups: dict[tuple[str, str], dict[str, Any]] = {}

    def in_region(self, region: str) -> list[dict[str, Any]]:
        """List the groups of a Region by name."""
        return [row for (where, _), row in sorted(self.groups.items()) if where == region]

    def snapshot(self) -> list[dict[str, Any]]:
        """Describe them as JSON values."""
        return [{"region": region, **row} for (region, _), row in sorted(self.groups.items())]


def _unknown(name: str) -> AwsFault:
    return AwsFault("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")


def create(request: Request) -> dict[str, Any]:
    """CreatePlacementGroup."""
    given, groups = request.parameters, request.world.part(PlacementGroups).groups
    name = given.get("GroupName") or f"pg-{secrets.token_hex(9)[:17]}"
    strategy = given.get("Strategy") or "cluster"
    if strategy not in STRATEGIES:
        message = f"Value ({strategy}) for parameter strategy is invalid."
        raise AwsFault("InvalidParameterValue", message)
    if (request.region, name) in groups:
        message = f"The placement group '{name}' already exists."
        raise AwsFault("InvalidPlacementGroup.Duplicate", message)
    id = f"pg-{secrets.token_hex(9)[:17]}"
    row = {
        "GroupName": name,
        "State": "available",
        "Strategy": strategy,
        "GroupId": id,
        "GroupArn": f"arn:aws:ec2:{request.region}:{request.account}:placement-group/{name}",
    }
    if strategy == "partition":
        row["PartitionCount"] = given.get("PartitionCount") or DEFAULT_PARTITIONS
    if strategy == "spread":
        row["SpreadLevel"] = given.get("SpreadLevel") or "rack"
    tags = {
        tag["Key"]: tag.get("Value", "")
        for one in given.get("TagSpecifications") or ()
        for tag in one.get("Tags") or ()
    }
    groups[request.region, name] = row
    ec2 = request.world.backend("ec2", request.region)
    if tags:
        ec2.create_tags([id], tags)
    return {"PlacementGroup": _told(ec2, row)}


def _told(ec2: Any, row: dict[str, Any]) -> dict[str, Any]:
    tags = ec2.tags.get(row["GroupId"], {})
    return {**row, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def describe(request: Request) -> dict[str, Any]:
    """DescribePlacementGroups, by names, ids, and the filters that are about groups and tags."""
    given, ec2 = request.parameters, request.world.backend("ec2", request.region)
    rows = [
        _told(ec2, row) for row in request.world.part(PlacementGroups).in_region(request.region)
    ]
    for member, key in (("GroupNames", "GroupName"), ("GroupIds", "GroupId")):
        wanted = given.get(member) or ()
        for one in wanted:
            if one not in {row[key] for row in rows}:
                raise _unknown(one)
        rows = [row for row in rows if not wanted or row[key] in wanted]
    for one in given.get("Filters") or ():
        rows = [row for row in rows if set(_values(row, one["Name"])) & set(one["Values"])]
    return {"PlacementGroups": rows}


def _values(row: dict[str, Any], name: str) -> list[str]:
    tags = {tag["Key"]: tag["Value"] for tag in row["Tags"]}
    if name == "tag-key":
        return list(tags)
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return [tags[key]] if key in tags else []
    members = {"group-name": "GroupName", "state": "State", "strategy": "Strategy"}
    if name not in members:
        raise AwsFault("InvalidParameterValue", f"The filter '{name}' is invalid")
    return [row[members[name]]]


def delete(request: Request) -> dict[str, Any]:
    """DeletePlacementGroup: refused until all its instances are terminated."""
    name, part = request.parameters["GroupName"], request.world.part(PlacementGroups)
    row = part.groups.get((request.region, name))
    if row is None:
        raise _unknown(name)
    ec2 = request.world.backend("ec2", request.region)
    if any(one.state != "terminated" and _group_of(one) == name for one in instances(ec2)):
        message = f"The placement group '{name}' is in use and may not be deleted."
        raise AwsFault("InvalidPlacementGroup.InUse", message)
    del part.groups[request.region, name]
    ec2.tags.pop(row["GroupId"], None)
    return {}


def _group_of(instance: Any) -> str:
    return str(instance.placement.group_name or "")


def must_exist(request: Request) -> None:
    """RunInstances into a group that is not there is refused."""
    name = (request.parameters.get("Placement") or {}).get("GroupName")
    if name and (request.region, name) not in request.world.part(PlacementGroups).groups:
        raise _unknown(name)


def instances_run(request: Request, response: Response) -> None:
    """Keep the placement group asked for."""
    name = (request.parameters.get("Placement") or {}).get("GroupName")
    made = {one["InstanceId"] for one in response.result.get("Instances", [])}
    for instance in instances(request.world.backend("ec2", request.region)):
        if name and instance.id in made:
            instance.placement.group_name = name


RULES = {("ec2", "RunInstances"): must_exist}
OPERATIONS = {
    ("ec2", "CreatePlacementGroup"): create,
    ("ec2", "DeletePlacementGroup"): delete,
    ("ec2", "DescribePlacementGroups"): describe,
}
EFFECTS = {("ec2", "RunInstances"): instances_run}

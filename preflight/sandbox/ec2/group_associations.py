"""Security groups in other VPCs than their own: associations, which keep the group from going.

https://docs.aws.amazon.com/vpc/latest/userguide/security-group-assoc.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateSecurityGroupVpc.html
"""

from __future__ import annotations

from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request
from preflight.sandbox.world import World

# Virtual seconds for each of the two ways; AWS names no number.
SECONDS = 5.0
Key = tuple[str, str, str]


class GroupAssociations:
    """The state of each association, by Region, group and VPC."""

    def __init__(self, _: World) -> None:
        self.states: dict[Key, str] = {}

    def of_group(self, region: str, group: str) -> list[str]:
        """Name the VPCs a group is associated with."""
        return [vpc for where, one, vpc in self.states if (where, one) == (region, group)]

    def snapshot(self) -> list[dict[str, str]]:
        """Describe them as JSON values."""
        return [
            {"region": region, "group": group, "vpc": vpc, "state": state}
            for (region, group, vpc), state in sorted(self.states.items())
        ]


def _key(request: Request) -> Key:
    ec2, given = request.world.backend("ec2", request.region), request.parameters
    group = ec2.get_security_group_from_id(given["GroupId"])
    if group is None:
        message = f"The security group '{given['GroupId']}' does not exist"
        raise AwsFault("InvalidGroup.NotFound", message)
    if given["VpcId"] not in ec2.vpcs:
        raise AwsFault("InvalidVpcID.NotFound", f"The vpc ID '{given['VpcId']}' does not exist")
    if group.is_default or group.vpc_id == given["VpcId"]:
        message = "A default security group, or the VPC of the group, cannot be associated"
        raise AwsFault("InvalidParameterValue", message)
    return request.region, group.id, given["VpcId"]


def associate(request: Request) -> dict[str, Any]:
    """AssociateSecurityGroupVpc."""
    key, states = _key(request), request.world.part(GroupAssociations).states
    if key not in states:
        states[key] = "associating"
        agenda(request.world).after(SECONDS, partial(_become, states, key))
    return {"State": states[key]}


def _become(states: dict[Key, str], key: Key) -> None:
    if states.get(key) == "associating":
        states[key] = "associated"


def _end(states: dict[Key, str], key: Key) -> None:
    states.pop(key, None)


def disassociate(request: Request) -> dict[str, Any]:
    """DisassociateSecurityGroupVpc: refused while an interface in that VPC has the group."""
    key, states = _key(request), request.world.part(GroupAssociations).states
    _, group, vpc = key
    if key not in states:
        message = f"The security group '{group}' is not associated with the vpc '{vpc}'"
        raise AwsFault("InvalidParameterValue", message)
    enis = request.world.backend("ec2", request.region).enis.values()
    if any(eni.vpc_id == vpc and group in {one.id for one in eni.group_set} for eni in enis):
        raise AwsFault("DependencyViolation", f"resource {group} has a dependent object")
    if states[key] != "disassociating":
        states[key] = "disassociating"
        agenda(request.world).after(SECONDS, partial(_end, states, key))
    return {"State": "disassociating"}


def describe(request: Request) -> dict[str, Any]:
    """DescribeSecurityGroupVpcAssociations."""
    values = {
        "group-id": lambda row: row["GroupId"],
        "vpc-id": lambda row: row["VpcId"],
        "state": lambda row: row["State"],
    }
    rows = [
        {
            "GroupId": group,
            "VpcId": vpc,
            "VpcOwnerId": request.account,
            "GroupOwnerId": request.account,
            "State": state,
        }
        for (region, group, vpc), state in request.world.part(GroupAssociations).states.items()
        if region == request.region
    ]
    for one in request.parameters.get("Filters") or ():
        if one["Name"] not in values:
            message = f"The filter '{one['Name']}' is invalid"
            raise AwsFault("InvalidParameterValue", message)
        rows = [row for row in rows if values[one["Name"]](row) in one["Values"]]
    return {"SecurityGroupVpcAssociations": rows}


OPERATIONS = {
    ("ec2", "AssociateSecurityGroupVpc"): associate,
    ("ec2", "DescribeSecurityGroupVpcAssociations"): describe,
    ("ec2", "DisassociateSecurityGroupVpc"): disassociate,
}

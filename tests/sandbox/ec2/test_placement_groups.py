"""Placement groups: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-groups.html"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Account = Any
Refusal = Any


def run(account: Account) -> Callable[[], Any]:
    """Start an instance in the group by itself, and say how to end it."""
    made = account.ec2.run_instances(
        ImageId="ami-0", InstanceType="c5.large", MinCount=1, MaxCount=1,
        SubnetId=account.subnets[0], Placement={"GroupName": "pg"},
    )["Instances"][0]  # fmt: skip
    assert made["InstanceId"]
    return lambda: account.ec2.terminate_instances(InstanceIds=[made["InstanceId"]])


def scale(account: Account) -> Callable[[], Any]:
    """Start one by an Auto Scaling group whose launch template names the group."""
    account.template(InstanceType="c5.large", ImageId="ami-0", Placement={"GroupName": "pg"})
    account.scaling.create_auto_scaling_group(
        AutoScalingGroupName="g", MinSize=0, MaxSize=1, DesiredCapacity=1,
        LaunchTemplate={"LaunchTemplateName": "mine"}, VPCZoneIdentifier=account.subnets[0],
    )  # fmt: skip
    return lambda: account.scaling.delete_auto_scaling_group(
        AutoScalingGroupName="g", ForceDelete=True
    )


@pytest.mark.parametrize("start", [run, scale])
def test_a_group_stays_until_its_instances_are_terminated(
    account: Account, refusal: Refusal, start: Any
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeletePlacementGroup.html"""
    ec2 = account.ec2
    ec2.create_placement_group(GroupName="pg", Strategy="cluster")
    end = start(account)
    (reservation,) = ec2.describe_instances()["Reservations"]
    assert reservation["Instances"][0]["Placement"]["GroupName"] == "pg"
    assert refusal(ec2.delete_placement_group, GroupName="pg") == (
        "InvalidPlacementGroup.InUse",
        400,
        "The placement group 'pg' is in use and may not be deleted.",
    )
    end()
    ec2.delete_placement_group(GroupName="pg")
    assert refusal(ec2.delete_placement_group, GroupName="pg")[:2] == (
        "InvalidPlacementGroup.Unknown",
        400,
    )


def test_a_name_is_there_once(account: Account, refusal: Refusal) -> None:
    account.ec2.create_placement_group(GroupName="pg", Strategy="spread")
    assert refusal(account.ec2.create_placement_group, GroupName="pg", Strategy="spread") == (
        "InvalidPlacementGroup.Duplicate",
        400,
        "The placement group 'pg' already exists.",
    )


def test_groups_are_described_by_name_strategy_and_tag(account: Account) -> None:
    ec2 = account.ec2
    tags = [{"ResourceType": "placement-group", "Tags": [{"Key": "team", "Value": "a"}]}]
    ec2.create_placement_group(GroupName="one", Strategy="cluster", TagSpecifications=tags)
    ec2.create_placement_group(GroupName="two", Strategy="partition", PartitionCount=3)

    def names(**asked: Any) -> list[str]:
        return [g["GroupName"] for g in ec2.describe_placement_groups(**asked)["PlacementGroups"]]

    assert names() == ["one", "two"]
    assert names(GroupNames=["two"]) == ["two"]
    assert names(Filters=[{"Name": "strategy", "Values": ["cluster"]}]) == ["one"]
    assert names(Filters=[{"Name": "tag:team", "Values": ["a"]}]) == ["one"]
    assert names(Filters=[{"Name": "tag-key", "Values": ["other"]}]) == []


def test_instances_cannot_start_in_a_group_that_is_not_there(
    account: Account, refusal: Refusal
) -> None:
    asked = {"ImageId": "ami-0", "InstanceType": "c5.large", "MinCount": 1, "MaxCount": 1}
    code, *_ = refusal(account.ec2.run_instances, **asked, Placement={"GroupName": "no"})
    assert code == "InvalidPlacementGroup.Unknown"

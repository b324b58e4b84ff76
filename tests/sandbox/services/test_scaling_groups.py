"""Auto Scaling groups: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/"""

from __future__ import annotations

from typing import Any

import pytest

Account = Any
Refusal = Any


@pytest.fixture
def group(account: Account) -> dict[str, Any]:
    """A group with one instance, from a launch template."""
    template = account.template(InstanceType="t3.micro", ImageId="ami-0")
    asked = {
        "AutoScalingGroupName": "g", "MinSize": 0, "MaxSize": 1, "DesiredCapacity": 1,
        "LaunchTemplate": {"LaunchTemplateId": template}, "VPCZoneIdentifier": account.subnets[0],
    }  # fmt: skip
    account.scaling.create_auto_scaling_group(**asked)
    return asked


def test_a_group_with_instances_goes_only_by_force(
    account: Account, group: dict[str, Any], refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html"""
    at = {"AutoScalingGroupName": group["AutoScalingGroupName"]}
    assert refusal(account.scaling.delete_auto_scaling_group, **at) == (
        "ResourceInUse",
        400,
        "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance"
        " request(s) still in the group.",
    )
    account.scaling.delete_auto_scaling_group(**at, ForceDelete=True)
    account.ec2.delete_subnet(SubnetId=account.subnets[0])


def test_a_group_scaled_to_nothing_goes_without(account: Account, group: dict[str, Any]) -> None:
    at = {"AutoScalingGroupName": group["AutoScalingGroupName"]}
    account.scaling.update_auto_scaling_group(**at, MinSize=0, DesiredCapacity=0)
    account.scaling.delete_auto_scaling_group(**at)
    assert account.scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_a_name_is_there_once(account: Account, group: dict[str, Any], refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html"""
    assert refusal(account.scaling.create_auto_scaling_group, **group) == (
        "AlreadyExists",
        400,
        "AutoScalingGroup by this name already exists - A group with the name g already exists",
    )


def test_the_launch_template_of_a_group_is_deleted_all_the_same(
    account: Account, group: dict[str, Any]
) -> None:
    """EC2 does not ask who uses a launch template:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplate.html
    """
    id = group["LaunchTemplate"]["LaunchTemplateId"]
    account.ec2.delete_launch_template(LaunchTemplateId=id)
    (left,) = account.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert left["LaunchTemplate"]["LaunchTemplateId"] == id

"""Managed node groups: how they come and go, and what makes them sick."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

Account = Any
Refusal = Any


def test_nodes_come_with_their_scaling_group_and_go_with_it(
    account: Account, refusal: Refusal
) -> None:
    assert refusal(account.create_nodes)[0] == "ResourceNotFoundException"
    account.create()
    assert refusal(account.create_nodes) == (
        "InvalidRequestException",
        400,
        "Cluster 'prod' is not in ACTIVE status",
    )
    account.advance(600)
    made = account.create_nodes()
    account.advance(205)
    (scaling,) = account.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    instances = account.instances()
    tags = {tag["Key"]: tag["Value"] for tag in instances[0]["Tags"]}
    assert (made["status"], account.nodes()["status"]) == ("CREATING", "ACTIVE")
    assert account.nodes()["resources"]["autoScalingGroups"] == [
        {"name": scaling["AutoScalingGroupName"]}
    ]
    assert re.fullmatch(r"eks-workers-[0-9a-f-]{36}", scaling["AutoScalingGroupName"])
    assert {one["SubnetId"] for one in instances} == set(account.subnets)
    assert (tags["eks:cluster-name"], tags["eks:nodegroup-name"]) == ("prod", "workers")
    assert tags["kubernetes.io/cluster/prod"] == "owned"
    assert refusal(account.eks.delete_cluster, name="prod") == (
        "ResourceInUseException",
        409,
        "Cluster has nodegroups attached",
    )

    account.eks.delete_nodegroup(clusterName="prod", nodegroupName="workers")
    account.advance(300)
    assert account.nodes()["status"] == "DELETING"
    account.advance(85)
    assert account.eks.list_nodegroups(clusterName="prod")["nodegroups"] == []
    assert account.scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert account.instances() == []
    assert account.ec2.describe_volumes()["Volumes"] == []
    assert account.ec2.describe_launch_templates()["LaunchTemplates"] == []
    account.eks.delete_cluster(name="prod")


def test_a_node_group_has_an_instance_profile_that_keeps_its_role(
    account: Account, refusal: Refusal
) -> None:
    """https://github.com/hashicorp/terraform-provider-aws/issues/44853"""
    account.cluster()
    account.create_nodes()
    account.advance(205)
    (profile,) = account.iam.list_instance_profiles_for_role(RoleName="nodes")["InstanceProfiles"]
    assert re.fullmatch(r"eks-[0-9a-f-]{36}", profile["InstanceProfileName"])
    assert refusal(account.iam.delete_role, RoleName="nodes") == (
        "DeleteConflict",
        409,
        "Cannot delete entity, must remove roles from instance profile first.",
    )
    account.eks.delete_nodegroup(clusterName="prod", nodegroupName="workers")
    account.advance(400)
    account.iam.delete_role(RoleName="nodes")


def test_a_node_group_has_a_launch_template_of_eks_s_own(account: Account) -> None:
    """https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html"""
    account.cluster()
    account.create_nodes()
    account.advance(205)
    (template,) = account.ec2.describe_launch_templates()["LaunchTemplates"]
    assert re.fullmatch(r"eks-[0-9a-f-]{36}", template["LaunchTemplateName"])
    tags = {tag["Key"]: tag["Value"] for tag in template["Tags"]}
    assert tags == {"eks:cluster-name": "prod", "eks:nodegroup-name": "workers"}


def test_names_are_there_once(account: Account, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html"""
    account.cluster()
    account.create_nodes()
    assert refusal(account.create_nodes) == (
        "ResourceInUseException",
        409,
        "NodeGroup already exists with name workers and cluster name prod",
    )


@pytest.mark.parametrize(
    ("more", "least", "most"),
    [
        ({"scalingConfig": {"minSize": 0, "maxSize": 1, "desiredSize": 0}}, 50, 65),
        ({}, 85, 210),
        ({"amiType": "AL2023_x86_64_NVIDIA", "instanceTypes": ["g5.xlarge"]}, 175, 245),
    ],
)
def test_nodes_take_as_long_as_their_kind_takes(
    new_account: Callable[[], Account],
    sandbox: Any,
    more: dict[str, Any],
    least: float,
    most: float,
) -> None:
    """https://docs.aws.amazon.com/eks/latest/userguide/create-managed-node-group.html"""
    quota = {"service": "ec2", "region": "us-west-2", "applied": 64}
    codes = ("L-1216C47A", "L-DB2E81BA")
    sandbox.reset({"rates": "off", "quotas": [{**quota, "code": code} for code in codes]})
    account = new_account()
    account.cluster()
    account.create_nodes(**more)
    account.advance(least)
    assert account.nodes()["status"] == "CREATING"
    account.advance(most - least)
    assert account.nodes()["status"] == "ACTIVE"

"""Managed node groups: how they come and go, and what makes them sick."""

from __future__ import annotations

import re
from typing import Any

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


def test_a_node_group_is_degraded_without_its_template_or_role(account: Account) -> None:
    account.cluster()
    id = account.template(InstanceType="m5.large")
    account.create_nodes(launchTemplate={"id": id})
    account.advance(205)
    account.ec2.delete_launch_template(LaunchTemplateId=id)
    account.iam.delete_role(RoleName="nodes")
    found = account.nodes()
    assert found["status"] == "DEGRADED"
    assert {issue["code"] for issue in found["health"]["issues"]} == {
        "SourceEc2LaunchTemplateNotFound",
        "IamNodeRoleNotFound",
    }

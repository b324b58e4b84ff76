"""What a cluster has in a VPC, and what of it stays."""

from __future__ import annotations

import re
from typing import Any

Account = Any
Refusal = Any


def test_a_cluster_has_a_security_group_and_interfaces_in_its_subnets(
    account: Account, refusal: Refusal
) -> None:
    cluster = account.cluster()
    id = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    (group,) = account.ec2.describe_security_groups(GroupIds=[id])["SecurityGroups"]
    tags = {tag["Key"]: tag["Value"] for tag in group["Tags"]}
    interfaces = account.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert re.fullmatch(r"eks-cluster-sg-prod-\d+", group["GroupName"])
    assert tags["aws:eks:cluster-name"] == "prod"
    assert tags["kubernetes.io/cluster/prod"] == "owned"
    assert {i["SubnetId"] for i in interfaces} == set(account.subnets)
    assert {(i["Description"], i["RequesterManaged"]) for i in interfaces} == {
        ("Amazon EKS prod", True)
    }
    assert refusal(account.ec2.delete_security_group, GroupId=id)[0] == "DependencyViolation"


def test_the_security_group_stays_when_something_else_uses_it(account: Account) -> None:
    cluster = account.cluster()
    group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    account.leave(cluster="prod", what=["eni"])
    account.eks.delete_cluster(name="prod")
    account.advance(200)
    assert account.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]

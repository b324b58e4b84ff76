"""What is wrong with node groups, by itself and by fault: every code EKS has.

https://docs.aws.amazon.com/eks/latest/APIReference/API_Issue.html
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import get_session

Account = Any
Refusal = Any

MODEL = get_session().get_service_model("eks")
CODES = MODEL.shape_for("NodegroupIssueCode").enum
NONE = {"minSize": 0, "maxSize": 3, "desiredSize": 0}


def issues(account: Account) -> list[str]:
    return [one["code"] for one in account.nodes()["health"]["issues"]]


def test_a_node_group_is_degraded_without_what_it_needs(account: Account) -> None:
    account.cluster()
    id = account.template(InstanceType="m5.large")
    account.create_nodes(launchTemplate={"id": id})
    account.advance(205)
    assert (account.nodes()["status"], issues(account)) == ("ACTIVE", [])
    account.ec2.delete_launch_template(LaunchTemplateId=id)
    (mine,) = account.iam.list_instance_profiles_for_role(RoleName="nodes")["InstanceProfiles"]
    profile = {"InstanceProfileName": mine["InstanceProfileName"]}
    account.iam.remove_role_from_instance_profile(**profile, RoleName="nodes")
    account.iam.delete_instance_profile(**profile)
    account.iam.delete_role(RoleName="nodes")
    assert account.nodes()["status"] == "DEGRADED"
    assert set(issues(account)) == {
        "SourceEc2LaunchTemplateNotFound",
        "IamNodeRoleNotFound",
        "IamInstanceProfileNotFound",
    }


def test_a_node_group_is_degraded_without_eks_s_own_template_or_its_scaling_group(
    account: Account,
) -> None:
    account.cluster()
    account.create_nodes()
    account.advance(205)
    (template,) = account.ec2.describe_launch_templates()["LaunchTemplates"]
    account.ec2.delete_launch_template(LaunchTemplateId=template["LaunchTemplateId"])
    (group,) = account.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    account.scaling.delete_auto_scaling_group(
        AutoScalingGroupName=group["AutoScalingGroupName"], ForceDelete=True
    )
    assert account.nodes()["status"] == "DEGRADED"
    assert set(issues(account)) == {"Ec2LaunchTemplateNotFound", "AutoScalingGroupNotFound"}


@pytest.mark.parametrize("code", CODES)
def test_a_group_can_fail_degrade_and_stay_for_any_reason_that_eks_has(
    account: Account, code: str
) -> None:
    account.cluster()
    account.post("faults", [{"action": "sandbox:NodegroupIssue", "error": code, "count": 1}])
    account.create_nodes("failing")
    account.create_nodes(scalingConfig=NONE)
    account.advance(1500)
    failed = account.nodes("failing")
    assert (failed["status"], failed["health"]["issues"][0]["code"]) == ("CREATE_FAILED", code)
    assert account.nodes()["status"] == "ACTIVE"

    account.post("faults", [{"action": "sandbox:NodegroupHealth", "error": code}])
    assert (account.nodes()["status"], issues(account)) == ("DEGRADED", [code])
    account.post("faults", [{"action": "sandbox:NodegroupDeletion", "error": code, "count": 1}])
    assert account.nodes()["status"] == "ACTIVE"
    account.eks.delete_nodegroup(clusterName="prod", nodegroupName="workers")
    account.advance(100)
    assert (account.nodes()["status"], issues(account)) == ("DELETE_FAILED", [code])
    account.eks.delete_nodegroup(clusterName="prod", nodegroupName="workers")
    account.advance(100)
    assert account.eks.list_nodegroups(clusterName="prod")["nodegroups"] == ["failing"]


@pytest.mark.parametrize("code", MODEL.shape_for("ErrorCode").enum)
def test_an_update_can_fail_for_any_reason_that_eks_has_and_changes_nothing(
    account: Account, code: str
) -> None:
    """https://docs.aws.amazon.com/eks/latest/APIReference/API_ErrorDetail.html"""
    account.cluster()
    account.create_nodes(scalingConfig=NONE)
    account.advance(100)
    account.post("faults", [{"action": "sandbox:NodegroupUpdate", "error": code}])
    at = {"clusterName": "prod", "nodegroupName": "workers"}
    update = account.eks.update_nodegroup_config(**at, scalingConfig={"desiredSize": 1})["update"]
    account.advance(31)
    found = account.eks.describe_update(
        name="prod", nodegroupName="workers", updateId=update["id"]
    )["update"]
    assert (found["status"], [one["errorCode"] for one in found["errors"]]) == ("Failed", [code])
    nodes = account.nodes()
    assert (nodes["status"], nodes["scalingConfig"]["desiredSize"]) == ("ACTIVE", 0)


def test_a_security_group_that_others_name_keeps_the_node_group(
    account: Account, refusal: Refusal
) -> None:
    """https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/2665"""
    account.cluster()
    account.create_nodes(remoteAccess={"ec2SshKey": "key"}, scalingConfig=NONE)
    account.advance(100)
    ec2, id = account.ec2, account.nodes()["resources"]["remoteAccessSecurityGroup"]
    (group,) = ec2.describe_security_groups(GroupIds=[id])["SecurityGroups"]
    assert group["GroupName"].startswith("eks-remoteAccess-")
    other = ec2.create_security_group(GroupName="o", Description="x", VpcId=account.vpc)["GroupId"]
    rule = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": id}]}]
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=rule)
    account.eks.delete_nodegroup(clusterName="prod", nodegroupName="workers")
    account.advance(100)
    (issue,) = account.nodes()["health"]["issues"]
    assert account.nodes()["status"] == "DELETE_FAILED"
    assert (issue["code"], issue["resourceIds"]) == ("Ec2SecurityGroupDeletionFailure", [id])
    assert refusal(account.eks.delete_cluster, name="prod")[0] == "ResourceInUseException"
    ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=rule)
    account.eks.delete_nodegroup(clusterName="prod", nodegroupName="workers")
    account.advance(100)
    assert account.eks.list_nodegroups(clusterName="prod")["nodegroups"] == []
    assert refusal(ec2.describe_security_groups, GroupIds=[id])[0] == "InvalidGroup.NotFound"


def test_nodes_without_their_role_leave_interfaces_that_hold_the_cluster_s_group(
    account: Account, refusal: Refusal
) -> None:
    """https://github.com/aws/amazon-vpc-cni-k8s/issues/608"""
    cluster = account.cluster()
    account.create_nodes()
    account.advance(205)
    (mine,) = account.iam.list_instance_profiles_for_role(RoleName="nodes")["InstanceProfiles"]
    account.iam.remove_role_from_instance_profile(
        InstanceProfileName=mine["InstanceProfileName"], RoleName="nodes"
    )
    account.iam.delete_role(RoleName="nodes")
    account.eks.delete_nodegroup(clusterName="prod", nodegroupName="workers")
    account.advance(400)
    account.eks.delete_cluster(name="prod")
    account.advance(200)
    found = account.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert [(one["Status"], one["Description"][:9]) for one in found] == [
        ("available", "aws-K8S-i")
    ] * 2
    group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    assert account.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    for one in found:
        account.ec2.delete_network_interface(NetworkInterfaceId=one["NetworkInterfaceId"])
    account.ec2.delete_security_group(GroupId=group)

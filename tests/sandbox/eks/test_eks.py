"""The sandbox's EKS through boto3: lives on the virtual clock, refusals in EKS's words."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from functools import cached_property
from typing import Any

import pytest
from botocore.exceptions import ClientError

ZONES = ("us-west-2a", "us-west-2b")


class Account:
    """An account with the roles and the network of a cluster, and the clients to use it."""

    def __init__(self, client: Callable[..., Any], sandbox: Any) -> None:
        self.sandbox = sandbox
        self.advance = sandbox.world.clock.advance
        self.client = client
        self.eks, self.ec2, self.iam = client("eks"), client("ec2"), client("iam")
        self.role = self.make_role("control-plane", "eks.amazonaws.com")
        self.node_role = self.make_role("nodes", "ec2.amazonaws.com")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zone
            )["Subnet"]["SubnetId"]
            for n, zone in enumerate(ZONES)
        ]

    @cached_property
    def scaling(self) -> Any:
        """Auto Scaling."""
        return self.client("autoscaling")

    @cached_property
    def logs(self) -> Any:
        """CloudWatch Logs."""
        return self.client("logs")

    def make_role(self, name: str, service: str) -> str:
        """Make a role that a service can assume and give its ARN."""
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        document = json.dumps(trust)
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        return str(made["Role"]["Arn"])

    def create(self, name: str = "prod", **more: Any) -> Any:
        """Ask for a cluster."""
        network = {"subnetIds": self.subnets, **more.pop("network", {})}
        wanted = {"name": name, "roleArn": self.role, "resourcesVpcConfig": network} | more
        return self.eks.create_cluster(**wanted)["cluster"]

    def cluster(self, name: str = "prod", **more: Any) -> Any:
        """Have a cluster that is ACTIVE."""
        self.create(name, **more)
        self.advance(600)
        return self.eks.describe_cluster(name=name)["cluster"]

    def create_nodes(self, name: str = "workers", **more: Any) -> Any:
        """Ask for a node group."""
        wanted = {
            "clusterName": "prod",
            "nodegroupName": name,
            "nodeRole": self.node_role,
            "subnets": self.subnets,
            "scalingConfig": {"minSize": 0, "maxSize": 3, "desiredSize": 2},
        }
        return self.eks.create_nodegroup(**(wanted | more))["nodegroup"]

    def nodes(self, name: str = "workers") -> Any:
        """Describe a node group."""
        found = self.eks.describe_nodegroup(clusterName="prod", nodegroupName=name)
        return found["nodegroup"]

    def instances(self) -> list[Any]:
        """List the instances that run."""
        found = self.ec2.describe_instances(
            Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
        )
        return [one for reservation in found["Reservations"] for one in reservation["Instances"]]

    def addon_status(self, name: str) -> str:
        """Tell an add-on's status."""
        found = self.eks.describe_addon(clusterName="prod", addonName=name)
        return str(found["addon"]["status"])

    def leave(self, **asked: Any) -> list[dict[str, str]]:
        """Let controllers leave things behind."""
        request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
            f"{self.sandbox.endpoint}/_sandbox/leave", json.dumps(asked).encode(), method="POST"
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return list(json.loads(answer.read())["made"])


@pytest.fixture
def account(client: Callable[..., Any], sandbox: Any) -> Account:
    """An account that is ready for a cluster."""
    return Account(client, sandbox)


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_cluster_takes_ten_minutes_and_shows_its_endpoint_then(account: Account) -> None:
    made = account.create(tags={"team": "ml"})
    account.advance(580)
    waiting = account.eks.describe_cluster(name="prod")["cluster"]
    account.advance(15)
    ready = account.eks.describe_cluster(name="prod")["cluster"]
    assert [made["status"], waiting["status"], ready["status"]] == ["CREATING"] * 2 + ["ACTIVE"]
    assert "endpoint" not in waiting
    assert "identity" not in waiting
    assert re.fullmatch(
        r"https://oidc\.eks\.us-west-2\.amazonaws\.com/id/[0-9A-F]{32}",
        ready["identity"]["oidc"]["issuer"],
    )
    assert ready["tags"] == {"team": "ml"}
    assert ready["resourcesVpcConfig"]["vpcId"] == account.vpc


def test_a_cluster_has_a_security_group_and_interfaces_in_its_subnets(account: Account) -> None:
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


def test_two_clusters_of_one_name_in_turn_have_different_issuers(account: Account) -> None:
    first = account.cluster()["identity"]["oidc"]["issuer"]
    account.eks.delete_cluster(name="prod")
    account.advance(200)
    assert account.cluster()["identity"]["oidc"]["issuer"] != first


def test_a_cluster_that_cannot_be_is_refused(account: Account) -> None:
    no_key = [{"provider": {"keyArn": "k"}, "resources": ["secrets"]}]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"roleArn": "arn:aws:iam::111122223333:role/no"}, "does not exist"),
        ({"roleArn": account.node_role}, "trusted entity is not correct"),
        ({"network": {"subnetIds": ["subnet-0"]}}, "'subnet-0' does not exist"),
        ({"network": {"subnetIds": account.subnets[:1]}}, "at least two different AZs"),
        ({"network": {"securityGroupIds": ["sg-0"]}}, "'sg-0' does not exist"),
        ({"version": "1.12"}, "unsupported Kubernetes version"),
        ({"name": "-x"}, "regular expression"),
        ({"encryptionConfig": no_key}, "keyArn"),
    ]
    for change, words in wrong:
        code, message = refusal(account.create, **change)
        assert (code, words in message) == ("InvalidParameterException", True), message
    assert account.eks.list_clusters()["clusters"] == []


def test_the_same_token_gives_the_same_cluster_and_another_request_is_refused(
    account: Account,
) -> None:
    first = account.create(clientRequestToken="t")
    assert account.create(clientRequestToken="t")["createdAt"] == first["createdAt"]
    code, _ = refusal(account.create, clientRequestToken="t", tags={"a": "b"})
    assert code == "InvalidParameterException"
    assert refusal(account.create) == (
        "ResourceInUseException",
        "Cluster already exists with name: prod",
    )


def test_a_deleted_cluster_takes_everything_of_its_own_with_it(account: Account) -> None:
    cluster = account.cluster(accessConfig={"authenticationMode": "API"})
    account.eks.create_addon(clusterName="prod", addonName="vpc-cni")
    account.eks.delete_cluster(name="prod")
    account.advance(140)
    assert account.eks.describe_cluster(name="prod")["cluster"]["status"] == "DELETING"
    account.advance(15)
    assert refusal(account.eks.describe_cluster, name="prod") == (
        "ResourceNotFoundException",
        "No cluster found for name: prod.",
    )
    assert account.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    id = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    assert refusal(account.ec2.describe_security_groups, GroupIds=[id])[0] == (
        "InvalidGroup.NotFound"
    )
    for subnet in account.subnets:
        account.ec2.delete_subnet(SubnetId=subnet)
    account.ec2.delete_vpc(VpcId=account.vpc)


def test_a_cluster_can_be_deleted_while_it_is_made_and_does_not_come_back(
    account: Account,
) -> None:
    account.create(deletionProtection=True)
    account.advance(100)
    account.eks.delete_cluster(name="prod")
    account.advance(1000)
    assert account.eks.list_clusters()["clusters"] == []
    assert account.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_deletion_protection_holds_until_it_is_taken_off(account: Account) -> None:
    account.cluster(deletionProtection=True)
    assert refusal(account.eks.delete_cluster, name="prod")[0] == "InvalidRequestException"
    account.eks.update_cluster_config(name="prod", deletionProtection=False)
    assert refusal(account.eks.delete_cluster, name="prod") == (
        "ResourceInUseException",
        "Cannot delete because cluster prod currently has an update in progress",
    )
    account.advance(15)
    account.eks.delete_cluster(name="prod")


def test_the_security_group_stays_when_something_else_uses_it(account: Account) -> None:
    cluster = account.cluster()
    group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    account.leave(cluster="prod", what=["eni"])
    account.eks.delete_cluster(name="prod")
    account.advance(200)
    assert account.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]


def test_one_change_at_a_time_and_it_shows_when_it_is_done(account: Account) -> None:
    account.cluster()
    private = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
    two = {"resourcesVpcConfig": private, "deletionProtection": True}
    assert refusal(account.eks.update_cluster_config, name="prod", **two)[0] == (
        "InvalidParameterException"
    )
    update = account.eks.update_cluster_config(name="prod", resourcesVpcConfig=private)["update"]
    assert account.eks.describe_cluster(name="prod")["cluster"]["status"] == "UPDATING"
    assert refusal(account.eks.update_cluster_version, name="prod", version="1.36")[0] == (
        "ResourceInUseException"
    )
    assert refusal(account.create_nodes)[0] == "InvalidRequestException"
    account.advance(200)
    cluster = account.eks.describe_cluster(name="prod")["cluster"]
    described = account.eks.describe_update(name="prod", updateId=update["id"])["update"]
    assert (cluster["status"], described["status"]) == ("ACTIVE", "Successful")
    assert cluster["resourcesVpcConfig"]["endpointPublicAccess"] is False
    assert account.eks.list_updates(name="prod")["updateIds"] == [update["id"]]


def test_a_cluster_goes_up_one_version_at_a_time(account: Account) -> None:
    versions = account.eks.describe_cluster_versions()["clusterVersions"]
    newest, older, oldest = (versions[n]["clusterVersion"] for n in (0, 1, 2))
    assert [one["defaultVersion"] for one in versions].count(True) == 1
    assert account.cluster(version=oldest)["version"] == oldest
    assert refusal(account.eks.update_cluster_version, name="prod", version=newest)[0] == (
        "InvalidParameterException"
    )
    account.eks.update_cluster_version(name="prod", version=older)
    account.advance(600)
    assert account.eks.describe_cluster(name="prod")["cluster"]["version"] == older


def test_versions_lose_their_support_as_time_goes_by(account: Account) -> None:
    def standard() -> list[str]:
        found = account.eks.describe_cluster_versions(versionStatus="STANDARD_SUPPORT")
        return [one["clusterVersion"] for one in found["clusterVersions"]]

    before = standard()
    account.advance(20 * 365 * 86_400)
    after = standard()
    assert set(after) <= set(before)
    assert len(after) == 1


def test_lists_come_in_pages(account: Account) -> None:
    for name in ("a", "b", "c"):
        account.create(name)
    pages = list(account.eks.get_paginator("list_clusters").paginate(
        PaginationConfig={"PageSize": 2}
    ))  # fmt: skip
    assert [page["clusters"] for page in pages] == [["a", "b"], ["c"]]


def test_nodes_come_with_their_scaling_group_and_go_with_it(account: Account) -> None:
    assert refusal(account.create_nodes)[0] == "ResourceNotFoundException"
    account.create()
    assert refusal(account.create_nodes) == (
        "InvalidRequestException",
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


def template(account: Account, name: str = "mine", **contents: Any) -> str:
    made = account.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=contents)
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def test_a_node_group_that_cannot_be_is_refused(account: Account) -> None:
    account.cluster()
    typed = {"InstanceType": "m5.large"}
    too_few = {"minSize": 2, "maxSize": 3, "desiredSize": 1}
    wrong: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        (typed, {"instanceTypes": ["m5.large"]}, "not in both"),
        ({"InstanceType": "m5.nano"}, {}, "do not exist"),
        (typed, {"diskSize": 50}, "within the launch template"),
        ({"IamInstanceProfile": {"Name": "x"}}, {}, "instance profile"),
        ({"ImageId": "ami-0"}, {"amiType": "AL2023_x86_64_STANDARD"}, "other than CUSTOM"),
        (typed, {"launchTemplate": {"name": "absent"}}, "not found"),
        (typed, {"nodeRole": "arn:aws:iam::111122223333:role/no"}, "cannot be found"),
        (typed, {"nodeRole": account.role}, "ec2.amazonaws.com"),
        (typed, {"subnets": ["subnet-0"]}, "does not exist"),
        (typed, {"scalingConfig": too_few}, "greater than"),
    ]
    for number, (contents, change, words) in enumerate(wrong):
        id = template(account, name=f"t{number:02}", **contents)
        code, message = refusal(account.create_nodes, **({"launchTemplate": {"id": id}} | change))
        assert (code, words in message) == ("InvalidParameterException", True), message


def test_a_node_group_can_be_resized_and_updated_to_another_template_version(
    account: Account,
) -> None:
    account.cluster()
    id = template(account, InstanceType="m5.large")
    one = {"minSize": 0, "maxSize": 3, "desiredSize": 1}
    account.create_nodes(launchTemplate={"id": id, "version": "1"}, scalingConfig=one)
    account.advance(205)
    account.eks.update_nodegroup_config(
        clusterName="prod",
        nodegroupName="workers",
        scalingConfig={"desiredSize": 2},
        labels={"addOrUpdateLabels": {"a": "b"}},
    )
    with pytest.raises(ClientError, match="update in progress"):
        account.eks.update_nodegroup_version(clusterName="prod", nodegroupName="workers")
    account.advance(31)
    assert (len(account.instances()), account.nodes()["labels"]) == (2, {"a": "b"})

    account.ec2.create_launch_template_version(
        LaunchTemplateId=id, LaunchTemplateData={"InstanceType": "r5.large"}
    )
    account.eks.update_nodegroup_version(
        clusterName="prod", nodegroupName="workers", launchTemplate={"id": id, "version": "2"}
    )
    account.advance(301)
    assert account.nodes()["launchTemplate"]["version"] == "2"
    assert {one["InstanceType"] for one in account.instances()} == {"r5.large"}


def test_a_node_group_is_degraded_without_its_template_or_role(account: Account) -> None:
    account.cluster()
    id = template(account, InstanceType="m5.large")
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


def test_nodes_beyond_the_vcpu_quota_make_the_group_fail(
    client: Callable[..., Any], sandbox: Any
) -> None:
    quota = {"service": "ec2", "code": "L-1216C47A", "region": "us-west-2", "applied": 5}
    sandbox.reset({"rates": "off", "quotas": [quota]})
    account = Account(client, sandbox)
    account.cluster()
    account.create_nodes(instanceTypes=["m5.xlarge"])
    account.advance(300)
    assert account.nodes()["status"] == "CREATING"
    account.advance(1200)
    found = account.nodes()
    assert (found["status"], len(account.instances())) == ("CREATE_FAILED", 1)
    assert found["health"]["issues"][0]["code"] == "AsgInstanceLaunchFailures"
    assert "VcpuLimitExceeded" in found["health"]["issues"][0]["message"]
    account.eks.delete_nodegroup(clusterName="prod", nodegroupName="workers")
    account.advance(400)
    assert account.instances() == []


def test_the_quotas_of_eks_hold(client: Callable[..., Any], sandbox: Any) -> None:
    at = {"service": "eks", "region": "us-west-2"}
    quotas = [
        {**at, "code": "L-1194D53C", "applied": 1},
        {**at, "code": "L-6D54EA21", "applied": 1},
        {**at, "code": "L-BD136A63", "applied": 2},
    ]
    sandbox.reset({"rates": "off", "quotas": quotas})
    account = Account(client, sandbox)
    account.cluster()
    small = {"minSize": 0, "maxSize": 2, "desiredSize": 0}
    codes = [
        refusal(account.create, name="second")[0],
        refusal(account.create_nodes)[0],
        account.create_nodes(scalingConfig=small)["status"],
        refusal(account.create_nodes, name="second", scalingConfig=small)[0],
    ]
    exceeded = "ResourceLimitExceededException"
    assert codes == [exceeded, exceeded, "CREATING", exceeded]


def test_addons_that_need_nodes_are_degraded_until_there_are_some(account: Account) -> None:
    account.cluster()
    for name in ("coredns", "vpc-cni"):
        account.eks.create_addon(clusterName="prod", addonName=name)
    assert [account.addon_status(n) for n in ("coredns", "vpc-cni")] == ["CREATING"] * 2
    account.advance(40)
    assert [account.addon_status(n) for n in ("coredns", "vpc-cni")] == ["DEGRADED", "ACTIVE"]
    account.create_nodes()
    account.advance(220)
    assert account.addon_status("coredns") == "ACTIVE"
    account.eks.delete_addon(clusterName="prod", addonName="coredns")
    assert account.addon_status("coredns") == "DELETING"
    account.advance(25)
    assert refusal(account.addon_status, name="coredns")[0] == "ResourceNotFoundException"


def test_an_addon_takes_an_offered_version_only(account: Account) -> None:
    version = account.cluster()["version"]
    (offer,) = account.eks.describe_addon_versions(addonName="coredns", kubernetesVersion=version)[
        "addons"
    ]
    wanted = {"clusterName": "prod", "addonName": "coredns"}
    code, _ = refusal(account.eks.create_addon, **wanted, addonVersion="v0.0.1-eksbuild.1")
    made = account.eks.create_addon(
        **wanted, addonVersion=offer["addonVersions"][0]["addonVersion"]
    )["addon"]
    assert code == "InvalidParameterException"
    assert made["addonVersion"] == offer["addonVersions"][0]["addonVersion"]
    assert refusal(account.eks.create_addon, **wanted)[0] == "ResourceInUseException"


def test_access_entries_and_their_policies(account: Account) -> None:
    account.cluster(accessConfig={"authenticationMode": "API"})
    role = account.make_role("team/lead".replace("/", "-"), "ec2.amazonaws.com")
    missing = "arn:aws:iam::111122223333:role/no"
    view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    eks, at = account.eks, {"clusterName": "prod", "principalArn": role}
    assert refusal(eks.create_access_entry, clusterName="prod", principalArn=missing) == (
        "InvalidParameterException",
        "The specified principalArn is invalid: invalid principal.",
    )
    eks.create_access_entry(**at, kubernetesGroups=["viewers"])
    assert refusal(eks.create_access_entry, **at)[0] == "ResourceInUseException"
    eks.associate_access_policy(**at, policyArn=view, accessScope={"type": "cluster"})
    (policy,) = eks.list_associated_access_policies(**at)["associatedAccessPolicies"]
    assert (policy["policyArn"], policy["accessScope"]["type"]) == (view, "cluster")
    assert eks.describe_access_entry(**at)["accessEntry"]["kubernetesGroups"] == ["viewers"]
    with_view = eks.list_access_entries(clusterName="prod", associatedPolicyArn=view)
    assert with_view["accessEntries"] == [role]
    eks.disassociate_access_policy(**at, policyArn=view)
    eks.delete_access_entry(**at)
    assert refusal(eks.describe_access_entry, **at)[0] == "ResourceNotFoundException"


def test_who_made_the_cluster_and_its_nodes_get_access_entries(account: Account) -> None:
    account.cluster(accessConfig={"authenticationMode": "API"})
    account.create_nodes()
    entries = account.eks.list_access_entries(clusterName="prod")["accessEntries"]
    assert [entry.rpartition("/")[2] for entry in entries] == ["nodes", "sandbox-admin"]


def test_a_cluster_with_a_config_map_only_has_no_access_entries(account: Account) -> None:
    account.cluster(accessConfig={"authenticationMode": "CONFIG_MAP"})
    code, message = refusal(account.eks.list_access_entries, clusterName="prod")
    assert code == "InvalidRequestException"
    assert "authentication mode" in message


def test_a_service_account_has_one_role(account: Account) -> None:
    account.cluster()
    wanted = {"clusterName": "prod", "namespace": "default", "serviceAccount": "web"}
    eks = account.eks
    assert refusal(
        eks.create_pod_identity_association, **wanted, roleArn=account.role + "x"
    )[0] == "InvalidParameterException"  # fmt: skip
    made = eks.create_pod_identity_association(**wanted, roleArn=account.role)["association"]
    again = refusal(eks.create_pod_identity_association, **wanted, roleArn=account.role)
    assert again == (
        "ResourceInUseException",
        f"Association already exists: {made['associationId']}",
    )
    (listed,) = eks.list_pod_identity_associations(clusterName="prod", namespace="default")[
        "associations"
    ]
    at = {"clusterName": "prod", "associationId": listed["associationId"]}
    eks.delete_pod_identity_association(**at)
    assert refusal(eks.describe_pod_identity_association, **at)[0] == "ResourceNotFoundException"


def test_tags_of_clusters_and_of_node_groups(account: Account) -> None:
    account.cluster(tags={"a": "1"})
    account.create_nodes(tags={"b": "2"})
    for arn in (
        account.eks.describe_cluster(name="prod")["cluster"]["arn"],
        account.nodes()["nodegroupArn"],
    ):
        account.eks.tag_resource(resourceArn=arn, tags={"c": "3"})
        account.eks.untag_resource(resourceArn=arn, tagKeys=["a", "b"])
        assert account.eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "3"}
    assert account.eks.describe_cluster(name="prod")["cluster"]["tags"] == {"c": "3"}


def test_the_tagging_api_finds_clusters_by_their_tags(account: Account) -> None:
    arn = account.create("one", tags={"preflight:cluster": "one", "a": "b"})["arn"]
    account.create("two", tags={"preflight:cluster": "two"})
    account.create("bare")
    tagging = account.client("resourcegroupstaggingapi")

    def found(**wanted: Any) -> list[str]:
        mapped = tagging.get_resources(**wanted)["ResourceTagMappingList"]
        return [one["ResourceARN"].rpartition("/")[2] for one in mapped]

    ours = [{"Key": "preflight:cluster", "Values": ["one"]}]
    assert found(TagFilters=ours, ResourceTypeFilters=["eks:cluster"]) == ["one"]
    assert found(ResourceTypeFilters=["eks"]) == ["one", "two"]
    assert found(ResourceTypeFilters=["eks:nodegroup"]) == []
    assert found(ResourceARNList=[arn]) == ["one"]
    account.eks.delete_cluster(name="one")
    account.advance(200)
    assert found(ResourceTypeFilters=["eks"]) == ["two"]


LOGGING = {"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]}


def log_groups(account: Account) -> list[str]:
    return [one["logGroupName"] for one in account.logs.describe_log_groups()["logGroups"]]


def test_the_log_group_comes_back_while_the_cluster_lives(account: Account) -> None:
    account.cluster(logging=LOGGING)
    assert log_groups(account) == ["/aws/eks/prod/cluster"]
    account.logs.delete_log_group(logGroupName="/aws/eks/prod/cluster")
    assert log_groups(account) == []
    account.advance(61)
    assert log_groups(account) == ["/aws/eks/prod/cluster"]


@pytest.mark.parametrize("late", [False, True])
def test_the_log_group_comes_back_after_the_cluster_only_if_asked(
    account: Account, late: bool
) -> None:
    if late:
        faults = [{"action": "sandbox:ReviveLogGroup", "delay_ms": 120_000}]
        request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
            f"{account.sandbox.endpoint}/_sandbox/faults", json.dumps(faults).encode()
        )
        urllib.request.urlopen(request).close()  # noqa: S310
    account.cluster(logging=LOGGING)
    account.eks.delete_cluster(name="prod")
    account.advance(155)
    account.logs.delete_log_group(logGroupName="/aws/eks/prod/cluster")
    account.advance(100)
    assert log_groups(account) == []
    account.advance(100)
    assert log_groups(account) == (["/aws/eks/prod/cluster"] if late else [])


def test_controllers_leave_what_they_made(account: Account, client: Callable[..., Any]) -> None:
    account.cluster("prod-2")
    shared = account.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    account.ec2.create_subnet(VpcId=shared, CidrBlock="10.1.0.0/24")
    made = account.leave(cluster="prod-2", region="us-west-2", vpc=shared)
    account.eks.delete_cluster(name="prod-2")
    account.advance(200)
    for subnet in account.subnets:
        account.ec2.delete_subnet(SubnetId=subnet)
    account.ec2.delete_vpc(VpcId=account.vpc)

    kinds = [one["type"].partition(":")[2] for one in made]
    assert kinds == [
        "security-group", "security-group", "loadbalancer", "targetgroup", "volume", "log-group",
        "log-group", "network-interface",
    ]  # fmt: skip
    groups = account.ec2.describe_security_groups(GroupIds=[made[0]["id"], made[1]["id"]])
    found = {group["Description"]: group for group in groups["SecurityGroups"]}
    backend = found["[k8s] Shared Backend SecurityGroup for LoadBalancer"]
    assert backend["GroupName"] == "k8s-traffic-prod2-d7d3fdef2e"
    assert "[k8s] Managed SecurityGroup for LoadBalancer" in found
    elb = client("elbv2")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    (described,) = elb.describe_tags(ResourceArns=[balancer["LoadBalancerArn"]])["TagDescriptions"]
    assert {"Key": "elbv2.k8s.aws/cluster", "Value": "prod-2"} in described["Tags"]
    (volume,) = account.ec2.describe_volumes()["Volumes"]
    assert (volume["Size"], volume["VolumeType"], volume["State"]) == (100, "gp3", "available")
    assert log_groups(account) == [
        "/aws/containerinsights/prod-2/performance",
        "/aws/eks/prod-2/cluster",
    ]
    interfaces = account.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert sorted((one["Status"], one["Description"][:9]) for one in interfaces) == [
        ("available", "aws-K8S-i"),
        ("in-use", "ELB net/k"),
    ]


def test_eks_says_what_the_sandbox_does_not_have(account: Account) -> None:
    account.cluster()
    assert account.eks.list_fargate_profiles(clusterName="prod")["fargateProfileNames"] == []
    code, _ = refusal(
        account.eks.create_fargate_profile,
        clusterName="prod", fargateProfileName="f", podExecutionRoleArn=account.role,
    )  # fmt: skip
    assert code == "NotImplemented"


def test_the_state_of_the_sandbox_tells_of_clusters(account: Account) -> None:
    account.cluster()
    with urllib.request.urlopen(f"{account.sandbox.endpoint}/_sandbox/state") as answer:  # noqa: S310
        text = answer.read().decode()
    assert json.loads(text)
    assert '"arn:aws:eks:us-west-2:111122223333:cluster/prod"' in text

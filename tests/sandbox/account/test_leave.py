"""What controllers in a cluster leave behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Account = Any


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
    assert account.log_groups() == [
        "/aws/containerinsights/prod-2/performance",
        "/aws/eks/prod-2/cluster",
    ]
    interfaces = account.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert sorted((one["Status"], one["Description"][:9]) for one in interfaces) == [
        ("available", "aws-K8S-i"),
        ("in-use", "ELB net/k"),
    ]


def test_a_second_service_leaves_its_things_beside_the_first_one_s(account: Account) -> None:
    account.cluster()
    first, second = (account.leave(cluster="prod") for _ in range(2))
    assert {one["id"] for one in first}.isdisjoint(one["id"] for one in second)
    assert sorted({one["type"] for one in first} - {one["type"] for one in second}) == [
        "logs:log-group"
    ]
    balancers = account.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert len({one["LoadBalancerName"] for one in balancers}) == 2


def test_a_classic_load_balancer_stands_beside_what_controllers_leave(account: Account) -> None:
    account.cluster()
    account.leave(cluster="prod", what=["load-balancer"])
    account.client("elb").create_load_balancer(
        LoadBalancerName="old",
        Listeners=[{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}],
        Subnets=account.subnets,
    )
    elbv2 = account.client("elbv2")
    elbv2.create_load_balancer(Name="new", Subnets=account.subnets)
    assert len(elbv2.describe_load_balancers()["LoadBalancers"]) == 2


def test_the_in_tree_controller_leaves_a_classic_load_balancer_and_its_group(
    account: Account,
) -> None:
    account.cluster()
    account.leave(cluster="prod", what=["classic-load-balancer"])
    elb = account.client("elb")
    (balancer,) = elb.describe_load_balancers()["LoadBalancerDescriptions"]
    name = balancer["LoadBalancerName"]
    (tagged,) = elb.describe_tags(LoadBalancerNames=[name])["TagDescriptions"]
    assert {"Key": "kubernetes.io/service-name", "Value": "default/web"} in tagged["Tags"]
    assert {"Key": "kubernetes.io/cluster/prod", "Value": "owned"} in tagged["Tags"]
    wanted = [{"Name": "group-name", "Values": [f"k8s-elb-{name}"]}]
    (group,) = account.ec2.describe_security_groups(Filters=wanted)["SecurityGroups"]
    assert group["Description"] == f"Security group for Kubernetes ELB {name} (default/web)"


def test_karpenter_leaves_an_instance_its_template_and_its_profile(account: Account) -> None:
    account.cluster()
    account.leave(cluster="prod", what=["karpenter"])
    (instance,) = account.instances()
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert (tags["eks:eks-cluster-name"], tags["karpenter.sh/nodepool"]) == ("prod", "default")
    (template,) = account.ec2.describe_launch_templates()["LaunchTemplates"]
    assert template["LaunchTemplateName"].startswith("karpenter.k8s.aws/")
    path = "/karpenter/us-west-2/prod/"
    assert len(account.iam.list_instance_profiles(PathPrefix=path)["InstanceProfiles"]) == 1


def test_a_snapshot_is_left_without_its_volume(account: Account) -> None:
    account.leave(cluster="prod", what=["snapshot"])
    (snapshot,) = account.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    tags = {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]}
    assert tags["kubernetes.io/cluster/prod"] == "owned"
    assert tags["CSIVolumeSnapshotName"].startswith("snapshot-")
    assert account.ec2.describe_volumes()["Volumes"] == []

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from preflight.aws import Aws
from preflight.finding import LeftoverStatus
from preflight.found import Found, Owner, State, Strength
from preflight.resource import Kind
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.server import Sandbox
from provision.resources.kinds import KINDS
from provision.resources.vpc import Vpc
from provision.strays.addresses import ControllerAddress
from provision.strays.balancers import ClassicLoadBalancer
from provision.strays.groups import ControllerGroup
from provision.strays.instances import AutoScalingGroup, Instance
from provision.strays.interfaces import NetworkInterface
from provision.strays.kinds import STRAYS
from provision.strays.launch_templates import NodeTemplate
from provision.strays.profiles import InstanceProfile
from provision.strays.runtime_monitoring import MonitoringEndpoint, MonitoringGroup
from provision.strays.snapshots import Snapshot
from provision.strays.volumes import Volume
from provision.sweeper import findings, sweep

OWNED = {"kubernetes.io/cluster/prod": "owned"}
CSI = {"ebs.csi.aws.com/cluster": "true", "CSIVolumeName": "pvc-1"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@pytest.fixture
def owner(sandbox: Sandbox) -> Owner:
    """Whoever had the dead cluster `prod`."""
    return Owner(cluster="prod", account=sandbox.account, region=sandbox.region)


def listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def specified(thing: str, tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": thing, "Tags": listed({"of": "a test", **tags})}]


def subnet(aws: Aws) -> str:
    return str(aws.call("ec2", "DescribeSubnets")["Subnets"][0]["SubnetId"])


def volume(aws: Aws, **tags: str) -> str:
    answer = aws.call(
        "ec2",
        "CreateVolume",
        Size=10,
        VolumeType="gp3",
        AvailabilityZone=f"{aws.region}a",
        TagSpecifications=specified("volume", tags),
    )
    return str(answer["VolumeId"])


def instance(aws: Aws, **tags: str) -> str:
    answer = aws.call(
        "ec2",
        "RunInstances",
        ImageId="ami-12345678",
        InstanceType="t3.medium",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet(aws),
        TagSpecifications=specified("instance", tags),
    )
    return str(answer["Instances"][0]["InstanceId"])


def interface(aws: Aws, description: str, **tags: str) -> str:
    answer = aws.call(
        "ec2",
        "CreateNetworkInterface",
        SubnetId=subnet(aws),
        Description=description,
        TagSpecifications=specified("network-interface", tags),
    )
    return str(answer["NetworkInterface"]["NetworkInterfaceId"])


def group(aws: Aws, name: str, **tags: str) -> str:
    vpc = aws.call("ec2", "DescribeVpcs")["Vpcs"][0]["VpcId"]
    answer = aws.call(
        "ec2",
        "CreateSecurityGroup",
        GroupName=name,
        Description="x",
        VpcId=vpc,
        TagSpecifications=specified("security-group", tags),
    )
    return str(answer["GroupId"])


def found(aws: Aws, owner: Owner, kind: type[Kind]) -> dict[str, Found]:
    return {each.id: each for each in kind.find(aws, owner)}


def statuses(aws: Aws, owner: Owner, *kinds: type[Kind]) -> dict[str, LeftoverStatus]:
    return {one.found.id: one.status for one in sweep(aws, owner, kinds).leftovers}


def test_only_the_exact_name_owns_a_volume(aws: Aws, owner: Owner) -> None:
    exact = [
        volume(aws, **OWNED),
        volume(aws, KubernetesCluster="prod", **CSI),
        volume(aws, **{"eks:eks-cluster-name": "prod"}),
        volume(aws, **{"preflight:cluster": "prod"}),
    ]
    some = volume(aws, **CSI)
    volume(aws, KubernetesCluster="prod-2", **CSI)
    volume(aws, **{"kubernetes.io/cluster/prod-2": "owned"}, **CSI)
    volume(aws, **{"preflight:cluster": "prod.2"}, **CSI)
    volume(aws, KubernetesCluster="PROD")
    volume(aws, Name="prod-dynamic-pvc-1")

    assert statuses(aws, owner, Volume) == {
        **dict.fromkeys(exact, LeftoverStatus.LEFTOVER),
        some: LeftoverStatus.POSSIBLE,
    }


def test_what_is_only_possible_is_in_no_plan_and_has_no_command(aws: Aws, owner: Owner) -> None:
    volume(aws, **CSI)
    interface(aws, "aws-K8S-i-1", **{"node.k8s.amazonaws.com/instance_id": "i-1"})

    result = sweep(aws, owner, (Volume, NetworkInterface))

    assert {one.status for one in result.leftovers} == {LeftoverStatus.POSSIBLE}
    assert {one.found.strength for one in result.leftovers} == {Strength.C}
    assert result.to_delete == ()
    said = findings(result, datetime.now(UTC))
    assert [one.hint for one in said] == [None, None]
    assert all(one.data["delete"] == [] for one in said)


@pytest.mark.parametrize(
    ("tags", "note"),
    [
        ({"kubernetes.io/cluster/prod": "shared"}, "shared with others"),
        ({"kubernetes.io/cluster/prod": "shared", "KubernetesCluster": "prod"}, "shared"),
        ({"kubernetes.io/cluster/prod": "", "KubernetesCluster": "prod"}, "`owned`"),
        ({**OWNED, "kubernetes.io/cluster/prod-2": "owned"}, "another cluster"),
        ({**OWNED, "elbv2.k8s.aws/cluster": "prod-2"}, "another cluster"),
        ({**OWNED, "aws:backup:source-resource": "vol-1"}, "AWS Backup"),
    ],
)
def test_what_others_use_or_keep_is_kept(
    tags: dict[str, str], note: str, aws: Aws, owner: Owner, sandbox: Sandbox
) -> None:
    kept = [volume(aws), group(aws, "shared"), interface(aws, "aws-K8S-i-1")]
    for id in kept:  # AWS's own tags can be put by nobody else
        sandbox.world.backend("ec2", sandbox.region).create_tags([id], tags)

    result = sweep(aws, owner, (Volume, ControllerGroup, NetworkInterface))

    assert {one.found.id: one.status for one in result.leftovers} == dict.fromkeys(
        kept, LeftoverStatus.KEEP
    )
    assert all(note in one.found.note for one in result.leftovers)
    assert result.to_delete == ()


def test_what_a_stack_made_says_so(aws: Aws, owner: Owner, sandbox: Sandbox) -> None:
    id = volume(aws, **OWNED)
    tags = {"aws:cloudformation:stack-name": "eksctl-prod-nodegroup"}
    sandbox.world.backend("ec2", sandbox.region).create_tags([id], tags)

    (said,) = findings(sweep(aws, owner, [Volume]), datetime.now(UTC))

    assert said.status is LeftoverStatus.LEFTOVER
    assert "stack eksctl-prod-nodegroup" in said.message


def test_what_is_attached_or_goes_by_itself_is_waited_for(
    aws: Aws, owner: Owner, sandbox: Sandbox
) -> None:
    node = instance(aws)
    attached = volume(aws, **OWNED)
    aws.call("ec2", "AttachVolume", VolumeId=attached, InstanceId=node, Device="/dev/sdf")
    in_use = interface(aws, "aws-K8S-i-1", **{"cluster.k8s.amazonaws.com/name": "prod"})
    aws.call(
        "ec2", "AttachNetworkInterface", NetworkInterfaceId=in_use, InstanceId=node, DeviceIndex=1
    )
    managed = interface(aws, "Amazon EKS prod")
    sandbox.world.backend("ec2", sandbox.region).enis[managed].requester_managed = True
    interface(aws, "Amazon EKS prod-2")

    result = sweep(aws, owner, (Volume, NetworkInterface))

    said = {one.found.id: (one.status, one.found.note) for one in result.leftovers}
    assert said == {
        attached: (LeftoverStatus.WAIT, f"still attached to {node}"),
        in_use: (LeftoverStatus.WAIT, f"still attached to {node}"),
        managed: (LeftoverStatus.WAIT, "AWS made it and removes it by itself"),
    }


@pytest.mark.parametrize(
    ("written", "age"),
    [
        ("2029-12-31T00:00:00Z", 86_400),
        ("2029-12-31T00:00:00", 86_400),
        ("2031-01-01T00:00:00+02:00", 0),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_age_of_an_interface_is_read_from_whatever_was_written(
    written: str, age: int | None, aws: Aws, owner: Owner
) -> None:
    key = "node.k8s.amazonaws.com/createdAt"
    interface(aws, "aws-K8S-i-1", **{"cluster.k8s.amazonaws.com/name": "prod", key: written})

    (said,) = findings(sweep(aws, owner, [NetworkInterface]), datetime(2030, 1, 1, tzinfo=UTC))

    assert said.data["age_seconds"] == age


def test_hostile_values_stay_what_they_are(aws: Aws, owner: Owner) -> None:
    names = ["<script>alert(1)</script>", "[red]bold[/]", "=1+1", '"; reboot', "*", "\u202eabc"]
    for name in names:
        volume(aws, **OWNED, Name=name, KubernetesCluster="prod")

    result = sweep(aws, owner, (*KINDS, *STRAYS))

    assert sorted(one.found.name for one in result.leftovers) == sorted(names)
    assert result.complete
    assert all(
        one.hint == f"aws ec2 delete-volume --volume-id {one.data['id']} --region {owner.region}"
        for one in findings(result, datetime.now(UTC))
    )


def test_groups_are_known_by_the_names_that_can_be_computed(aws: Aws, owner: Owner) -> None:
    traffic = group(aws, "k8s-traffic-prod-6754af9632")
    group(aws, "k8s-traffic-prod2-d7d3fdef2e")  # of `prod-2`
    ambiguous = group(aws, "eks-cluster-sg-prod-2-17")  # of `prod` or of `prod-2`
    plain = group(aws, "eks-cluster-sg-prod-17")
    named = group(aws, "eks-cluster-sg-prod-18", **{"aws-eks": "x", "KubernetesCluster": "prod"})
    group(aws, "eks-cluster-sg-prod-19", KubernetesCluster="prod-2")

    strengths = {id: each.strength for id, each in found(aws, owner, ControllerGroup).items()}

    assert ambiguous not in strengths
    assert strengths == {traffic: Strength.A, plain: Strength.C, named: Strength.A}


def test_a_classic_balancer_is_found_priced_and_deleted(aws: Aws, owner: Owner) -> None:
    for name in ("prod", "prod-2"):
        aws.call(
            "elb",
            "CreateLoadBalancer",
            LoadBalancerName=f"a-{name}",
            Listeners=[{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}],
            Subnets=[subnet(aws)],
            Tags=listed({f"kubernetes.io/cluster/{name}": "owned"}),
        )

    (one,) = found(aws, owner, ClassicLoadBalancer).values()

    assert (one.id, one.charges[0].sku) == ("a-prod", "elb/classic")
    ClassicLoadBalancer.delete(aws, one)
    assert found(aws, owner, ClassicLoadBalancer) == {}


def nodes(aws: Aws, cluster: str) -> None:
    """Make what Karpenter and an Auto Scaling group leave of a cluster's nodes."""
    owned = {f"kubernetes.io/cluster/{cluster}": "owned"}
    instance(aws, **owned)
    template = aws.call(
        "ec2",
        "CreateLaunchTemplate",
        LaunchTemplateName=f"karpenter-{cluster}",
        LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t3.medium"},
        TagSpecifications=specified("launch-template", {"eks:eks-cluster-name": cluster}),
    )["LaunchTemplate"]["LaunchTemplateId"]
    aws.call(
        "autoscaling",
        "CreateAutoScalingGroup",
        AutoScalingGroupName=f"nodes-{cluster}",
        LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
        MinSize=0,
        MaxSize=1,
        VPCZoneIdentifier=subnet(aws),
        Tags=[
            {"Key": key, "Value": "owned", "PropagateAtLaunch": True}
            for key in (*owned, f"k8s.io/cluster-autoscaler/{cluster}")
        ],
    )
    aws.call("ec2", "AllocateAddress", TagSpecifications=specified("elastic-ip", owned))
    disk = volume(aws)
    aws.call("ec2", "CreateSnapshot", VolumeId=disk, TagSpecifications=specified("snapshot", owned))
    role, profile = f"nodes-of-{cluster}", f"profile-of-{cluster}"
    aws.call("iam", "CreateRole", RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    aws.call(
        "iam",
        "CreateInstanceProfile",
        InstanceProfileName=profile,
        Path=f"/karpenter/{aws.region}/{cluster}/uid/",
    )
    aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName=profile, RoleName=role)


NODES: tuple[type[Kind], ...] = (
    AutoScalingGroup,
    Instance,
    NodeTemplate,
    ControllerAddress,
    InstanceProfile,
)


def test_surviving_nodes_and_all_around_them_are_found_and_go_by_the_declared_calls(
    connect: Callable[[], Aws], owner: Owner
) -> None:
    aws = connect()
    nodes(aws, "prod-2")
    nodes(aws, "prod")

    left = sweep(aws, owner, (*KINDS, *STRAYS))

    assert {one.kind for one in left.to_delete} == set(NODES)
    assert [(one.kind, one.status) for one in left.leftovers if one not in left.to_delete] == [
        (Snapshot, LeftoverStatus.KEEP)
    ]
    assert len(left.leftovers) == len(NODES) + 1
    for kind in NODES:
        looking, deleting = connect(), connect()
        here = list(kind.find(looking, owner))
        for one in here:
            kind.delete(deleting, one)
        assert len(here) == 1
        assert looking.calls.actions == {action.name for action in kind.finds}
        assert deleting.calls.actions == {action.name for action in kind.deletes}
        assert all(one.state is State.GOING for one in kind.find(aws, owner))
    assert sweep(aws, owner, (*KINDS, *STRAYS)).to_delete == ()
    twin = Owner(cluster="prod-2", account=owner.account, region=owner.region)
    assert {one.kind for one in sweep(aws, twin, STRAYS).to_delete} == set(NODES)


def test_profiles_of_another_region_are_another_cluster_s(aws: Aws, owner: Owner) -> None:
    for name, path in (("far", "/karpenter/eu-west-1/prod/u/"), ("near", "/karpenter/prod/u/")):
        aws.call("iam", "CreateInstanceProfile", InstanceProfileName=name, Path=path)

    assert found(aws, owner, InstanceProfile) == {}


def test_tags_are_read_once_and_only_what_they_name_is_asked_for(
    connect: Callable[[], Aws], owner: Owner
) -> None:
    aws = connect()
    id = volume(aws, **OWNED)
    watched = connect()

    sweep(watched, owner, (*KINDS, *STRAYS))

    ec2 = {name for name in watched.calls.by_operation if name.startswith("ec2:")}
    assert ec2 == {
        "ec2:DescribeTags",
        "ec2:DescribeVolumes",
        "ec2:DescribeNetworkInterfaces",  # the control plane's have no tags
        "ec2:DescribeSecurityGroups",  # by name
        "ec2:DescribeSecurityGroupRules",  # whose tags DescribeTags does not promise
    }
    aws.call("ec2", "CreateTags", Resources=[id], Tags=[{"Key": "preflight:cluster", "Value": "x"}])
    assert statuses(aws, owner, Volume, Vpc) == {id: LeftoverStatus.KEEP}


def test_whoever_may_not_read_tags_asks_for_everything_and_finds_the_same(
    connect: Callable[[], Aws], owner: Owner, sandbox: Sandbox
) -> None:
    aws = connect()
    nodes(aws, "prod")
    indexed = sweep(aws, owner, (*KINDS, *STRAYS))
    denied = {"action": "ec2:DescribeTags", "error": "UnauthorizedOperation"}
    sandbox.world.part(Faults).replace([denied])

    asked = sweep(aws, owner, (*KINDS, *STRAYS))

    assert asked.leftovers == indexed.leftovers
    assert asked.complete


MONITORED = [
    {
        "Name": "RUNTIME_MONITORING",
        "Status": "ENABLED",
        "AdditionalConfiguration": [{"Name": "EC2_AGENT_MANAGEMENT", "Status": "ENABLED"}],
    }
]


def monitored_vpc(aws: Aws, cidr: str, **tags: str) -> tuple[str, str]:
    """Make a VPC in which an instance runs, and give it and the instance."""
    vpc = aws.call("ec2", "CreateVpc", CidrBlock=cidr, TagSpecifications=specified("vpc", tags))[
        "Vpc"
    ]["VpcId"]
    inside = aws.call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock=cidr.replace("/16", "/24"))
    made = aws.call(
        "ec2", "RunInstances", ImageId="ami-12345678", InstanceType="t2.micro", MinCount=1,
        MaxCount=1, SubnetId=inside["Subnet"]["SubnetId"],
    )  # fmt: skip
    return vpc, made["Instances"][0]["InstanceId"]


def test_what_guardduty_left_in_a_vpc_of_ours_holds_it_and_nothing_of_other_vpcs_is_touched(
    aws: Aws, owner: Owner, sandbox: Sandbox
) -> None:
    """https://docs.aws.amazon.com/guardduty/latest/ug/runtime-monitoring-agent-resource-clean-up.html"""
    aws.call("guardduty", "CreateDetector", Enable=True, Features=MONITORED)
    ours, node = monitored_vpc(aws, "10.1.0.0/16", **{"preflight:cluster": "prod"})
    monitored_vpc(aws, "10.2.0.0/16", **{"preflight:cluster": "prod-2"})
    monitored_vpc(aws, "10.3.0.0/16", **{"kubernetes.io/cluster/prod": "shared"})
    sandbox.world.clock.advance(300)
    aws.call("ec2", "TerminateInstances", InstanceIds=[node])

    result = sweep(aws, owner, (*KINDS, *STRAYS))

    said = {one.found.kind: one for one in result.leftovers}
    endpoint, group = said["ec2/guardduty-endpoint"], said["ec2/guardduty-security-group"]
    assert {endpoint.status, group.status} == {LeftoverStatus.LEFTOVER}
    assert {endpoint.found.strength, group.found.strength} == {Strength.B}
    assert ours in endpoint.found.blocks
    assert group.found.name == f"GuardDutyManagedSecurityGroup-{ours}"
    assert said["ec2/vpc"].held
    assert len(result.leftovers) == len(said) == 3

    MonitoringEndpoint.delete(aws, endpoint.found)
    (going,) = found(aws, owner, MonitoringEndpoint).values()
    assert going.state is State.GOING
    sandbox.world.clock.advance(80)
    MonitoringGroup.delete(aws, group.found)
    assert found(aws, owner, MonitoringEndpoint) == found(aws, owner, MonitoringGroup) == {}
    assert len(aws.call("ec2", "DescribeVpcEndpoints")["VpcEndpoints"]) == 2

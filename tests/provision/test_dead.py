from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from preflight.aws import READS, Aws
from preflight.errors import AccessDenied
from preflight.found import Owner
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.server import Sandbox
from provision.dead import owners
from provision.resources.iam import path, role_name
from provision.resources.roles import Role

LONG = "team." + "x" * 80
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["ec2.amazonaws.com", "eks.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}


@pytest.fixture
def anyone(sandbox: Sandbox) -> Owner:
    return Owner(cluster="all", account=sandbox.account, region=sandbox.region)


def names(aws: Aws, anyone: Owner) -> list[str]:
    return [owner.cluster for owner in owners(aws, anyone)]


def leave(sandbox: Sandbox, cluster: str, *what: str) -> None:
    body = json.dumps({"cluster": cluster, "region": sandbox.region, "what": what}).encode()
    request = urllib.request.Request(f"{sandbox.endpoint}/_sandbox/leave", data=body)  # noqa: S310 - the sandbox's own
    urllib.request.urlopen(request).close()  # noqa: S310


def volume(aws: Aws, **tags: str) -> None:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    aws.call(
        "ec2",
        "CreateVolume",
        Size=1,
        AvailabilityZone=f"{aws.region}a",
        TagSpecifications=[{"ResourceType": "volume", "Tags": listed}],
    )


def role(aws: Aws, owner: Owner) -> None:
    aws.call(
        "iam",
        "CreateRole",
        RoleName=role_name(owner, "node"),
        Path=f"{path(owner)}node/",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Tags=[{"Key": key, "Value": value} for key, value in owner.tags("iam/role/node").items()],
    )


def cluster(aws: Aws, name: str) -> None:
    """Make a living cluster."""
    aws.call("iam", "CreateRole", RoleName="control", AssumeRolePolicyDocument=json.dumps(TRUST))
    subnets = [subnet["SubnetId"] for subnet in aws.call("ec2", "DescribeSubnets")["Subnets"]]
    aws.call(
        "eks",
        "CreateCluster",
        name=name,
        roleArn=f"arn:aws:iam::{aws.identity.account}:role/control",
        resourcesVpcConfig={"subnetIds": subnets[:2]},
    )


@pytest.mark.parametrize("what", ["load-balancer", "volume", "log-group", "eni"])
def test_any_one_thing_left_behind_names_its_cluster(
    what: str, aws: Aws, anyone: Owner, sandbox: Sandbox
) -> None:
    leave(sandbox, "gone", what)

    assert names(aws, anyone) == ["gone"]
    assert all(name.split(":")[1].startswith(READS) for name in aws.calls.by_operation)


@pytest.mark.parametrize(
    ("service", "parameters"),
    [
        ("elbv2", {"Name": "b", "Type": "network"}),
        (
            "elb",
            {
                "LoadBalancerName": "b",
                "Listeners": [{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}],
            },
        ),
    ],
)
@pytest.mark.parametrize("mode", ["owned", "shared"])
def test_a_load_balancer_without_a_group_names_its_cluster_if_that_owns_it(
    service: str, parameters: dict[str, Any], mode: str, aws: Aws, anyone: Owner
) -> None:
    zone = aws.call("ec2", "DescribeSubnets")["Subnets"][0]["SubnetId"]
    tags = [{"Key": "kubernetes.io/cluster/mine", "Value": mode}]
    aws.call(service, "CreateLoadBalancer", Subnets=[zone], Tags=tags, **parameters)

    assert names(aws, anyone) == (["mine"] if mode == "owned" else [])


def test_what_lives_is_not_dead_and_its_neighbours_in_name_are(
    aws: Aws, anyone: Owner, sandbox: Sandbox
) -> None:
    cluster(aws, "prod")
    for name in ("prod", "prod-2", "a-prod"):
        leave(sandbox, name, "volume", "log-group")

    assert names(aws, anyone) == ["a-prod", "prod-2"]


def test_a_cluster_that_was_called_with_a_dot_is_one_and_keeps_its_dot(
    aws: Aws, anyone: Owner, sandbox: Sandbox
) -> None:
    dotted = Owner(cluster="team.a", account=anyone.account, region=anyone.region)
    leave(sandbox, dotted.eks_name, "volume", "log-group")
    assert names(aws, anyone) == [dotted.eks_name]

    volume(aws, **{"preflight:cluster": "team.a"})

    assert names(aws, anyone) == ["team.a"]
    cluster(aws, dotted.eks_name)
    assert names(aws, anyone) == []


@pytest.mark.parametrize("name", ["prod", "team.a", LONG])
def test_roles_of_this_region_name_their_cluster_and_those_of_another_do_not(
    name: str, aws: Aws, anyone: Owner
) -> None:
    role(aws, Owner(cluster=name, account=anyone.account, region="eu-west-1"))
    assert names(aws, anyone) == []

    mine = Owner(cluster=name, account=anyone.account, region=anyone.region)
    role(aws, mine)

    assert names(aws, anyone) == [name]
    assert [found.address for found in Role.find(aws, mine)] == ["iam/role/node"]


def test_the_role_of_a_vendor_is_no_cluster(aws: Aws, anyone: Owner) -> None:
    vendor = Owner(cluster="grid-cloud", account=anyone.account, region=anyone.region)
    aws.call(
        "iam",
        "CreateRole",
        RoleName="grid-cloud",
        Path=f"{path(vendor)}grid-cloud/",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Tags=[{"Key": "preflight:cluster", "Value": "grid-cloud"}],
    )

    assert names(aws, anyone) == []


def test_queues_of_which_only_the_tagging_index_tells_name_their_cluster(
    aws: Aws, anyone: Owner
) -> None:
    aws.call("sqs", "CreateQueue", QueueName="q", tags={"preflight:cluster": "gone"})

    assert names(aws, anyone) == ["gone"]


def test_a_name_that_no_cluster_can_have_leads_nowhere(aws: Aws, anyone: Owner) -> None:
    for name in ("../../etc", "a/b", "*", "", "-rf", "<b>x</b>", "x" * 254, "kops.example"):
        volume(aws, KubernetesCluster=name)
    for name in ("../up", "a/../../b", "..", "A.b", "a_b.c"):
        volume(aws, **{"preflight:cluster": name})

    assert names(aws, anyone) == []


def test_a_cluster_on_machines_of_its_own_is_alive_without_eks(aws: Aws, anyone: Owner) -> None:
    def machine(**tags: str) -> Any:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        specification = [{"ResourceType": "instance", "Tags": listed}]
        aws.call(
            "ec2",
            "RunInstances",
            ImageId="ami-12345678",
            InstanceType="t3.micro",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=specification,
        )

    machine(**{"kubernetes.io/cluster/openshift-x1": "owned"})
    volume(aws, **{"kubernetes.io/cluster/openshift-x1": "owned"})
    volume(aws, KubernetesCluster="gone")
    machine(**{"kubernetes.io/cluster/karpenter": "owned", "eks:eks-cluster-name": "karpenter"})

    assert names(aws, anyone) == ["gone", "karpenter"]


def test_whoever_may_not_look_is_told_and_gets_no_list(
    aws: Aws, anyone: Owner, sandbox: Sandbox
) -> None:
    for action in (
        "eks:ListClusters",
        "ec2:DescribeTags",
        "logs:DescribeLogGroups",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTargetGroups",
        "iam:ListRoles",
        "tag:GetResources",
    ):
        sandbox.world.part(Faults).replace([{"action": action, "error": "AccessDenied"}])

        with pytest.raises(AccessDenied) as refused:
            owners(aws, anyone)

        assert refused.value.action == action

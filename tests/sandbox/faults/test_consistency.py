"""What AWS does not know yet, and what it still tells of: only when a scenario asks for it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.aws.translate import from_response
from preflight.errors import NotFound, Propagating
from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]
EKS_POLICY = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"


def trust(*services: str) -> str:
    principal = {"Service": list(services), "AWS": "arn:aws:iam::111122223333:root"}
    actions = ["sts:AssumeRole", "sts:TagSession"]
    statement = {"Effect": "Allow", "Principal": principal, "Action": actions}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def new_role(client: Client, name: str) -> str:
    services = ("eks.amazonaws.com", "ec2.amazonaws.com", "pods.eks.amazonaws.com")
    made = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust(*services))
    return str(made["Role"]["Arn"])


def key_policy(principal: str) -> str:
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": who}, "Action": "kms:*", "Resource": "*"}
        for who in ("arn:aws:iam::111122223333:root", principal)
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def network(sandbox: Sandbox, client: Client) -> dict[str, Any]:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{z}")
        for n, z in enumerate("ab")
    ]
    return {"subnetIds": [one["Subnet"]["SubnetId"] for one in subnets]}


def test_without_a_word_in_the_scenario_everything_is_known_at_once(
    client: Client, network: dict[str, Any]
) -> None:
    role = new_role(client, "new")
    client("iam").attach_role_policy(RoleName="new", PolicyArn=EKS_POLICY)
    client("sts").assume_role(RoleArn=role, RoleSessionName="session")
    client("kms").create_key(Policy=key_policy(role))
    made = client("eks").create_cluster(name="c", roleArn=role, resourcesVpcConfig=network)
    assert made["cluster"]["status"] == "CREATING"


def test_what_needs_a_new_role_is_refused_until_the_role_is_known_everywhere(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.reset({"rates": "off", "consistency": {"iam_propagation": 2000}})
    eks, ec2 = client("eks"), client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{z}")
        for n, z in enumerate("ab")
    ]
    network = {"subnetIds": [one["Subnet"]["SubnetId"] for one in subnets]}
    first = new_role(client, "cluster")
    sandbox.world.clock.advance(2000)
    eks.create_cluster(
        name="c",
        roleArn=first,
        resourcesVpcConfig=network,
        accessConfig={"authenticationMode": "API"},
    )
    sandbox.world.clock.advance(700)
    role = new_role(client, "new")
    calls: dict[str, Callable[[], Any]] = {
        "CreateCluster": lambda: eks.create_cluster(
            name="d", roleArn=role, resourcesVpcConfig=network
        ),
        "CreateAccessEntry": lambda: eks.create_access_entry(clusterName="c", principalArn=role),
        "CreateAddon": lambda: eks.create_addon(
            clusterName="c", addonName="vpc-cni", serviceAccountRoleArn=role
        ),
        "CreatePodIdentityAssociation": lambda: eks.create_pod_identity_association(
            clusterName="c", namespace="n", serviceAccount="s", roleArn=role
        ),
        "CreateKey": lambda: client("kms").create_key(Policy=key_policy(role)),
        "CreateNodegroup": lambda: eks.create_nodegroup(
            clusterName="c", nodegroupName="n", nodeRole=role, subnets=network["subnetIds"]
        ),
    }
    for operation, call in calls.items():
        with pytest.raises(ClientError) as error:
            call()
        translated = from_response("eks", operation, error.value.response)
        assert isinstance(translated, Propagating), (operation, str(translated))
    with pytest.raises(ClientError, match=r"AccessDenied.*sts:AssumeRole on resource"):
        client("sts").assume_role(RoleArn=role, RoleSessionName="session")
    sandbox.world.clock.advance(2000)
    for call in calls.values():
        call()
    client("sts").assume_role(RoleArn=role, RoleSessionName="session")


def test_a_policy_just_attached_does_not_count_for_the_cluster_yet(
    sandbox: Sandbox, client: Client, network: dict[str, Any]
) -> None:
    role = new_role(client, "old")
    sandbox.world.scenario = {**sandbox.world.scenario, "consistency": {"iam_propagation": 30}}
    client("iam").attach_role_policy(RoleName="old", PolicyArn=EKS_POLICY)
    with pytest.raises(ClientError) as error:
        client("eks").create_cluster(name="c", roleArn=role, resourcesVpcConfig=network)
    assert isinstance(from_response("eks", "CreateCluster", error.value.response), Propagating)
    sandbox.world.clock.advance(30)
    client("eks").create_cluster(name="c", roleArn=role, resourcesVpcConfig=network)


def test_a_new_instance_profile_is_not_found_yet(sandbox: Sandbox, client: Client) -> None:
    quotas = [{"service": "ec2", "code": "L-1216C47A", "applied": 64}]
    sandbox.reset({"quotas": quotas, "consistency": {"iam_propagation": 2000}})
    launch = {"ImageId": "ami-1", "InstanceType": "t3.micro"}
    calls: tuple[Callable[[], Any], ...] = (
        lambda: client("ec2").run_instances(
            **launch, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "new"}
        ),
        lambda: client("autoscaling").create_launch_configuration(
            **launch, LaunchConfigurationName="l", IamInstanceProfile="new"
        ),
    )
    for step in ("there is none", "it is new"):
        for call in calls:
            with pytest.raises(ClientError, match="Invalid IAM Instance Profile name"):
                call()
        if step == "there is none":
            client("iam").create_instance_profile(InstanceProfileName="new")
    sandbox.world.clock.advance(2000)
    for call in calls:
        call()


def test_a_key_policy_names_no_role_that_is_not_there(client: Client) -> None:
    with pytest.raises(ClientError, match="one or more invalid principals"):
        client("kms").create_key(Policy=key_policy("arn:aws:iam::111122223333:role/nobody"))


def test_ec2_does_not_find_for_a_moment_what_it_has_just_made(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.reset({"rates": "off", "consistency": {"describe_lag": 500}})
    ec2 = client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    sandbox.world.clock.advance(500)
    before = ec2.describe_vpcs()["Vpcs"]
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    calls: tuple[Callable[[], Any], ...] = (
        lambda: ec2.describe_vpcs(VpcIds=[vpc]),
        lambda: ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.0.0/24"),
        lambda: ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway),
        lambda: ec2.delete_vpc(VpcId=vpc),
    )
    for call in calls:
        with pytest.raises(ClientError, match=r"InvalidVpcID\.NotFound") as error:
            call()
        assert isinstance(from_response("ec2", "X", error.value.response), NotFound)
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    assert ec2.describe_vpcs()["Vpcs"] == before
    assert ec2.describe_vpcs(Filters=mine)["Vpcs"] == []
    assert ec2.describe_security_groups(Filters=mine)["SecurityGroups"] == []
    sandbox.world.clock.advance(500)
    assert len(ec2.describe_vpcs()["Vpcs"]) == len(before) + 1
    assert len(ec2.describe_security_groups(Filters=mine)["SecurityGroups"]) == 1
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.0.0/24")


def test_a_terminated_instance_is_told_of_for_an_hour(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset({"quotas": [{"service": "ec2", "code": "L-1216C47A", "applied": 64}]})
    ec2 = client("ec2")
    made = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, InstanceType="t3.micro")
    id = made["Instances"][0]["InstanceId"]
    ec2.create_tags(Resources=[id], Tags=[{"Key": "k", "Value": "v"}])
    ec2.terminate_instances(InstanceIds=[id])
    sandbox.world.clock.advance(3000)
    [row] = ec2.describe_instances(InstanceIds=[id])["Reservations"]
    assert row["Instances"][0]["State"]["Name"] == "terminated"
    sandbox.world.clock.advance(700)
    assert ec2.describe_instances()["Reservations"] == []
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        ec2.describe_instances(InstanceIds=[id])


def first(answer: dict[str, Any]) -> dict[str, Any]:
    """Give the one row of an answer's one list."""
    [rows] = [value for value in answer.values() if isinstance(value, list)]
    [row] = rows
    return dict(row)


# What is deleted, with the id's parameter: how it is made, described by ids, and deleted.
DELETED: dict[str, tuple[str, Callable[[Any], dict[str, Any]], str, str]] = {
    "AllocationId": (
        "eipalloc-", lambda ec2: ec2.allocate_address(), "describe_addresses", "release_address",
    ),
    "GroupId": (
        "sg-",
        lambda ec2: ec2.create_security_group(GroupName="g", Description="d"),
        "describe_security_groups",
        "delete_security_group",
    ),
    "InternetGatewayId": (
        "igw-",
        lambda ec2: ec2.create_internet_gateway()["InternetGateway"],
        "describe_internet_gateways",
        "delete_internet_gateway",
    ),
    "LaunchTemplateId": (
        "lt-",
        lambda ec2: ec2.create_launch_template(
            LaunchTemplateName="t", LaunchTemplateData={"InstanceType": "t3.micro"}
        )["LaunchTemplate"],
        "describe_launch_templates",
        "delete_launch_template",
    ),
    "NetworkInterfaceId": (
        "eni-",
        lambda ec2: ec2.create_network_interface(SubnetId=some_subnet(ec2))["NetworkInterface"],
        "describe_network_interfaces",
        "delete_network_interface",
    ),
    "RouteTableId": (
        "rtb-",
        lambda ec2: ec2.create_route_table(VpcId=ec2.describe_vpcs()["Vpcs"][0]["VpcId"])[
            "RouteTable"
        ],
        "describe_route_tables",
        "delete_route_table",
    ),
    "SubnetId": (
        "subnet-",
        lambda ec2: ec2.create_subnet(
            VpcId=ec2.describe_vpcs()["Vpcs"][0]["VpcId"], CidrBlock="172.31.240.0/24"
        )["Subnet"],
        "describe_subnets",
        "delete_subnet",
    ),
    "VolumeId": (
        "vol-",
        lambda ec2: ec2.create_volume(Size=1, AvailabilityZone="us-west-2a"),
        "describe_volumes",
        "delete_volume",
    ),
    "VpcId": (
        "vpc-", lambda ec2: ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"], "describe_vpcs",
        "delete_vpc",
    ),
}  # fmt: skip


def some_subnet(ec2: Any) -> str:
    return str(ec2.describe_subnets()["Subnets"][0]["SubnetId"])


@pytest.mark.parametrize("parameter", sorted(DELETED))
def test_ec2_tells_for_a_moment_of_what_it_has_just_deleted(
    sandbox: Sandbox, client: Client, parameter: str
) -> None:
    sandbox.reset({"rates": "off", "consistency": {"describe_lag": 500}})
    ec2 = client("ec2")
    prefix, make, describe, delete = DELETED[parameter]
    id = make(ec2)[parameter]
    assert id.startswith(prefix)
    sandbox.world.clock.advance(500)
    ec2.create_tags(Resources=[id], Tags=[{"Key": "k", "Value": "v"}])
    tagged = [{"Name": "tag:k", "Values": ["v"]}]
    before = getattr(ec2, describe)(**{f"{parameter}s": [id]})
    everything = getattr(ec2, describe)()
    getattr(ec2, delete)(**{parameter: id})
    told = getattr(ec2, describe)(**{f"{parameter}s": [id]})
    assert first({**told, "ResponseMetadata": {}}) == first({**before, "ResponseMetadata": {}})
    assert first(getattr(ec2, describe)(Filters=tagged)) == first(told)
    assert len(list_of(getattr(ec2, describe)())) == len(list_of(everything))
    with pytest.raises(ClientError, match="NotFound"):
        getattr(ec2, delete)(**{parameter: id})
    assert id not in json.dumps(state(sandbox))
    sandbox.world.clock.advance(500)
    assert list_of(getattr(ec2, describe)(Filters=tagged)) == []
    with pytest.raises(ClientError, match="NotFound"):
        getattr(ec2, describe)(**{f"{parameter}s": [id]})


def list_of(answer: dict[str, Any]) -> list[Any]:
    [rows] = [value for value in answer.values() if isinstance(value, list)]
    return rows


def state(sandbox: Sandbox) -> Any:
    with urllib.request.urlopen(f"{sandbox.endpoint}/_sandbox/state") as answer:  # noqa: S310
        return json.load(answer)


def test_a_lag_may_vary_and_the_seed_says_how(sandbox: Sandbox, client: Client) -> None:
    def waited() -> list[int]:
        sandbox.reset(
            {"rates": "off", "seed": 3, "consistency": {"describe_lag": {"min": 500, "max": 5000}}}
        )
        ec2, seconds = client("ec2"), []
        for _ in range(4):
            made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
            for step in range(60):
                ids = [
                    one["InternetGatewayId"] for one in list_of(ec2.describe_internet_gateways())
                ]
                if made in ids:
                    seconds.append(step * 100)
                    break
                sandbox.world.clock.advance(100)
        return seconds

    once = waited()
    assert len(set(once)) > 1, once
    assert all(500 <= seconds <= 5000 for seconds in once)
    assert waited() == once

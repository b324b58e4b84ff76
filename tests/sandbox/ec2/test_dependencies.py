"""What AWS refuses to delete, with its codes and its words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]


@pytest.fixture
def ec2(client: Any) -> Any:
    """EC2 of an empty account."""
    return client("ec2")


@pytest.fixture
def vpc(ec2: Any) -> str:
    """A VPC."""
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def subnet(ec2: Any, vpc: str) -> str:
    """A subnet in it."""
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"])


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """Give code and message of a call that has to be refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def interface(ec2: Any, subnet: str, groups: list[str] | None = None) -> str:
    made = ec2.create_network_interface(SubnetId=subnet, Groups=groups or [])
    return str(made["NetworkInterface"]["NetworkInterfaceId"])


def group(ec2: Any, vpc: str, name: str) -> str:
    return str(ec2.create_security_group(GroupName=name, Description="x", VpcId=vpc)["GroupId"])


def put_into(ec2: Any, vpc: str, what: str) -> Callable[[], Any]:
    """Put something into a VPC, and say how to take it out again."""
    if what == "subnet":
        id = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24")["Subnet"]["SubnetId"]
        return lambda: ec2.delete_subnet(SubnetId=id)
    if what == "route table":
        id = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        return lambda: ec2.delete_route_table(RouteTableId=id)
    if what == "security group":
        id = group(ec2, vpc, "a")
        return lambda: ec2.delete_security_group(GroupId=id)
    id = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=id, VpcId=vpc)
    return lambda: ec2.detach_internet_gateway(InternetGatewayId=id, VpcId=vpc)


@pytest.mark.parametrize("what", ["subnet", "route table", "security group", "internet gateway"])
def test_a_vpc_stays_while_anything_is_in_it(ec2: Any, vpc: str, what: str) -> None:
    take_out = put_into(ec2, vpc, what)
    assert refusal(ec2.delete_vpc, VpcId=vpc) == (
        "DependencyViolation",
        f"The vpc '{vpc}' has dependencies and cannot be deleted.",
    )
    take_out()
    ec2.delete_vpc(VpcId=vpc)


def test_a_subnet_stays_while_an_interface_is_in_it(ec2: Any, subnet: str) -> None:
    eni = interface(ec2, subnet)
    assert refusal(ec2.delete_subnet, SubnetId=subnet) == (
        "DependencyViolation",
        f"The subnet '{subnet}' has dependencies and cannot be deleted.",
    )
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_subnet(SubnetId=subnet)


def test_a_security_group_stays_while_an_interface_has_it(ec2: Any, vpc: str, subnet: str) -> None:
    id = group(ec2, vpc, "a")
    eni = interface(ec2, subnet, [id])
    assert refusal(ec2.delete_security_group, GroupId=id) == (
        "DependencyViolation",
        f"resource {id} has a dependent object",
    )
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_security_group(GroupId=id)


@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_a_security_group_stays_while_a_rule_of_another_names_it(
    ec2: Any, vpc: str, way: str
) -> None:
    one, other = group(ec2, vpc, "one"), group(ec2, vpc, "other")
    rules = [
        {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "UserIdGroupPairs": [{"GroupId": other}],
        }
    ]
    getattr(ec2, f"authorize_security_group_{way}")(GroupId=one, IpPermissions=rules)
    assert refusal(ec2.delete_security_group, GroupId=other)[0] == "DependencyViolation"
    getattr(ec2, f"revoke_security_group_{way}")(GroupId=one, IpPermissions=rules)
    ec2.delete_security_group(GroupId=other)


def test_a_security_group_that_names_itself_can_go(ec2: Any, vpc: str) -> None:
    id = group(ec2, vpc, "a")
    pairs = [{"GroupId": id}]
    ec2.authorize_security_group_ingress(
        GroupId=id, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": pairs}]
    )
    ec2.delete_security_group(GroupId=id)
    names = [{"Name": "group-id", "Values": [id]}]
    assert ec2.describe_security_groups(Filters=names)["SecurityGroups"] == []


def test_the_default_security_group_cannot_be_deleted(ec2: Any, vpc: str) -> None:
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    default = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    assert refusal(ec2.delete_security_group, GroupId=default)[0] == "CannotDelete"


def test_an_internet_gateway_stays_while_public_addresses_are_mapped(
    ec2: Any, vpc: str, subnet: str
) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    eni = interface(ec2, subnet)
    association = ec2.associate_address(AllocationId=address, NetworkInterfaceId=eni)
    code, message = refusal(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)
    assert code == "DependencyViolation"
    assert message.startswith(f"Network {vpc} has some mapped public address(es).")
    assert refusal(ec2.delete_internet_gateway, InternetGatewayId=gateway) == (
        "DependencyViolation",
        f"The internetGateway '{gateway}' has dependencies and cannot be deleted.",
    )
    assert refusal(ec2.release_address, AllocationId=address)[0] == "InvalidIPAddress.InUse"
    ec2.disassociate_address(AssociationId=association["AssociationId"])
    ec2.release_address(AllocationId=address)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert refusal(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)[0] == (
        "Gateway.NotAttached"
    )
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def test_a_route_table_stays_while_associated_and_the_main_one_always(
    ec2: Any, vpc: str, subnet: str
) -> None:
    main = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    main_id = main["RouteTables"][0]["RouteTableId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    for id in (main_id, table):
        assert refusal(ec2.delete_route_table, RouteTableId=id) == (
            "DependencyViolation",
            f"The routeTable '{id}' has dependencies and cannot be deleted.",
        )
    ec2.disassociate_route_table(AssociationId=association["AssociationId"])
    ec2.delete_route_table(RouteTableId=table)


def test_interface_and_volume_stay_while_an_instance_has_them(ec2: Any, subnet: str) -> None:
    started = ec2.run_instances(
        ImageId="ami-0", InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet
    )["Instances"][0]
    eni = started["NetworkInterfaces"][0]["NetworkInterfaceId"]
    volume = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    assert refusal(ec2.delete_network_interface, NetworkInterfaceId=eni) == (
        "InvalidParameterValue",
        f"Network interface '{eni}' is currently in use.",
    )
    code, message = refusal(ec2.delete_volume, VolumeId=volume)
    assert code == "VolumeInUse"
    assert started["InstanceId"] in message


def test_an_interface_of_aws_can_be_neither_detached_nor_deleted(
    client: Any, ec2: Any, subnet: str
) -> None:
    client("elbv2").create_load_balancer(Name="web", Subnets=[subnet], Type="network")
    (eni,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    detach = refusal(ec2.detach_network_interface, AttachmentId=eni["Attachment"]["AttachmentId"])
    delete = refusal(ec2.delete_network_interface, NetworkInterfaceId=eni["NetworkInterfaceId"])
    assert (detach[0], delete[0]) == ("OperationNotPermitted", "InvalidParameterValue")


def test_a_scaling_group_with_instances_goes_only_by_force(
    client: Any, ec2: Any, subnet: str
) -> None:
    scaling = client("autoscaling")
    ec2.create_launch_template(
        LaunchTemplateName="tmpl",
        LaunchTemplateData={"InstanceType": "t3.micro", "ImageId": "ami-0"},
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="g", MinSize=0, MaxSize=1, DesiredCapacity=1,
        LaunchTemplate={"LaunchTemplateName": "tmpl"}, VPCZoneIdentifier=subnet,
    )  # fmt: skip
    assert refusal(scaling.delete_auto_scaling_group, AutoScalingGroupName="g")[0] == (
        "ResourceInUse"
    )
    scaling.delete_auto_scaling_group(AutoScalingGroupName="g", ForceDelete=True)
    ec2.delete_subnet(SubnetId=subnet)


def test_a_role_a_bucket_and_a_repository_stay_while_something_is_in_them(client: Any) -> None:
    iam, s3, ecr = client("iam"), client("s3"), client("ecr")
    allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}

    def document(statement: dict[str, Any]) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document(allow))
    s3.create_bucket(Bucket="b-x", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="b-x", Key="k", Body=b"1")
    ecr.create_repository(repositoryName="rr")
    ecr.put_image(
        repositoryName="rr",
        imageManifest=json.dumps({"schemaVersion": 2}),
        imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
        imageTag="t",
    )
    assert [
        refusal(iam.delete_role, RoleName="r")[0],
        refusal(s3.delete_bucket, Bucket="b-x")[0],
        refusal(ecr.delete_repository, repositoryName="rr")[0],
    ] == ["DeleteConflict", "BucketNotEmpty", "RepositoryNotEmptyException"]

"""What EC2 keeps because it is in use."""

from __future__ import annotations

from typing import Any

import pytest

Account = Any
Refusal = Any


@pytest.fixture
def ec2(account: Account) -> Any:
    return account.ec2


@pytest.fixture
def subnet(account: Account) -> str:
    return str(account.subnets[0])


@pytest.fixture
def instance(ec2: Any, subnet: str) -> Any:
    """An instance that runs."""
    return ec2.run_instances(
        ImageId="ami-0", InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet
    )["Instances"][0]


def test_an_interface_stays_while_an_instance_has_it(
    ec2: Any, instance: Any, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html"""
    eni = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    assert refusal(ec2.delete_network_interface, NetworkInterfaceId=eni) == (
        "InvalidParameterValue",
        400,
        f"Network interface '{eni}' is currently in use.",
    )
    primary = instance["NetworkInterfaces"][0]["Attachment"]["AttachmentId"]
    assert refusal(ec2.detach_network_interface, AttachmentId=primary)[:2] == (
        "OperationNotPermitted",
        400,
    )


def test_an_interface_that_was_detached_can_go_some_seconds_later(
    account: Account, ec2: Any, instance: Any, subnet: str, refusal: Refusal
) -> None:
    """https://github.com/aws/amazon-vpc-cni-k8s/issues/1399"""
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    attachment = ec2.attach_network_interface(
        NetworkInterfaceId=eni, InstanceId=instance["InstanceId"], DeviceIndex=1
    )["AttachmentId"]
    assert refusal(ec2.delete_network_interface, NetworkInterfaceId=eni)[0] == (
        "InvalidParameterValue"
    )
    ec2.detach_network_interface(AttachmentId=attachment)
    (found,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    assert found["Status"] == "detaching"
    assert refusal(ec2.delete_network_interface, NetworkInterfaceId=eni)[0] == (
        "InvalidParameterValue"
    )
    account.advance(3)
    ec2.delete_network_interface(NetworkInterfaceId=eni)


def test_an_interface_of_aws_can_be_neither_detached_nor_deleted(
    account: Account, ec2: Any, subnet: str, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html"""
    account.client("elbv2").create_load_balancer(Name="web", Subnets=[subnet], Type="network")
    (eni,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert refusal(
        ec2.detach_network_interface, AttachmentId=eni["Attachment"]["AttachmentId"]
    ) == (
        "OperationNotPermitted",
        400,
        "You are not allowed to manage 'ela-attach' attachments.",
    )
    deletion = refusal(ec2.delete_network_interface, NetworkInterfaceId=eni["NetworkInterfaceId"])
    assert deletion[0] == "InvalidParameterValue"


def test_a_volume_stays_while_it_is_attached(
    account: Account, ec2: Any, instance: Any, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVolume.html"""
    zone = instance["Placement"]["AvailabilityZone"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    at = {"VolumeId": volume, "InstanceId": instance["InstanceId"]}
    ec2.attach_volume(**at, Device="/dev/sdf")
    assert refusal(ec2.delete_volume, VolumeId=volume) == (
        "VolumeInUse",
        400,
        f"Volume {volume} is currently attached to {instance['InstanceId']}",
    )
    ec2.detach_volume(**at)
    ec2.delete_volume(VolumeId=volume)


def test_an_address_stays_while_an_interface_has_it(
    ec2: Any, subnet: str, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html"""
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")
    at = {"AllocationId": address["AllocationId"]}
    association = ec2.associate_address(**at, NetworkInterfaceId=eni)["AssociationId"]
    assert refusal(ec2.release_address, **at) == (
        "InvalidIPAddress.InUse",
        400,
        f"Address {address['PublicIp']} is in use.",
    )
    ec2.disassociate_address(AssociationId=association)
    ec2.release_address(**at)
    assert refusal(ec2.release_address, **at) == (
        "InvalidAllocationID.NotFound",
        400,
        f"The allocation ID '{at['AllocationId']}' does not exist",
    )


def test_the_address_of_a_nat_gateway_is_not_even_the_user_s(
    account: Account, ec2: Any, subnet: str, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html"""
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=account.vpc)
    at = {"AllocationId": ec2.allocate_address(Domain="vpc")["AllocationId"]}
    nat = ec2.create_nat_gateway(SubnetId=subnet, **at)["NatGateway"]["NatGatewayId"]
    account.advance(110)
    not_yours = (
        "AuthFailure",
        400,
        "You do not have permission to access the specified resource.",
    )
    ec2.delete_nat_gateway(NatGatewayId=nat)
    assert refusal(ec2.release_address, **at) == not_yours
    association = ec2.describe_addresses()["Addresses"][0]["AssociationId"]
    assert refusal(ec2.disassociate_address, AssociationId=association) == not_yours
    account.advance(61)
    ec2.release_address(**at)

"""Load balancers of all kinds: names, interfaces, and when one may not go.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Account = Any
Refusal = Any

LISTENERS = [{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}]


@pytest.fixture
def elb(account: Account) -> Any:
    return account.client("elb")


@pytest.fixture
def elbv2(account: Account) -> Any:
    return account.client("elbv2")


def make(account: Account, elb: Any, elbv2: Any, kind: str) -> Callable[[], Any]:
    """Make a load balancer and say how to take it away."""
    if kind == "classic":
        elb.create_load_balancer(
            LoadBalancerName="web", Listeners=LISTENERS, Subnets=account.subnets
        )
        return lambda: elb.delete_load_balancer(LoadBalancerName="web")
    made = elbv2.create_load_balancer(Name="web", Subnets=account.subnets, Type=kind)
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    return lambda: elbv2.delete_load_balancer(LoadBalancerArn=arn)


def interfaces(account: Account) -> list[Any]:
    return list(account.ec2.describe_network_interfaces()["NetworkInterfaces"])


@pytest.mark.parametrize(
    ("kind", "begin", "interface"),
    [
        ("classic", "ELB web", "interface"),
        ("application", "ELB app/web/", "interface"),
        ("network", "ELB net/web/", "network_load_balancer"),
    ],
)
def test_its_interfaces_are_aws_s_one_in_each_subnet_and_outlive_it(
    account: Account, elb: Any, elbv2: Any, refusal: Refusal, kind: str, begin: str, interface: str
) -> None:
    take_away = make(account, elb, elbv2, kind)
    found = interfaces(account)
    assert {one["SubnetId"] for one in found} == set(account.subnets)
    assert {one["Description"].startswith(begin) for one in found} == {True}
    assert {(i["InterfaceType"], i["RequesterId"], i["RequesterManaged"]) for i in found} == {
        (interface, "amazon-elb", True)
    }
    take_away()
    assert len(interfaces(account)) == len(account.subnets)
    assert refusal(account.ec2.delete_subnet, SubnetId=account.subnets[0])[:2] == (
        "DependencyViolation",
        400,
    )
    account.advance(151)
    assert interfaces(account) == []
    account.ec2.delete_subnet(SubnetId=account.subnets[0])


@pytest.mark.parametrize("kind", ["classic", "application", "network"])
def test_a_public_one_keeps_the_internet_gateway_and_an_internal_one_does_not(
    account: Account, elb: Any, elbv2: Any, refusal: Refusal, kind: str
) -> None:
    """https://docs.aws.amazon.com/vpc/latest/userguide/delete-igw.html"""
    ec2 = account.ec2
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    at = {"InternetGatewayId": gateway, "VpcId": account.vpc}
    ec2.attach_internet_gateway(**at)
    elbv2.create_load_balancer(Name="inside", Subnets=account.subnets, Scheme="internal")
    assert all("Association" not in one for one in interfaces(account))
    take_away = make(account, elb, elbv2, kind)
    code, status, message = refusal(ec2.detach_internet_gateway, **at)
    assert (code, status) == ("DependencyViolation", 400)
    assert "mapped public address(es)" in message
    take_away()
    account.advance(151)
    ec2.detach_internet_gateway(**at)


def test_all_kinds_can_be_made_in_turn(account: Account, elb: Any, elbv2: Any) -> None:
    for number, kind in enumerate(("network", "application", "network")):
        elbv2.create_load_balancer(Name=f"v{number}", Subnets=account.subnets, Type=kind)
        elb.create_load_balancer(
            LoadBalancerName=f"c{number}", Listeners=LISTENERS, Subnets=account.subnets
        )
    assert len(elbv2.describe_load_balancers()["LoadBalancers"]) == 3
    assert len(elb.describe_load_balancers()["LoadBalancerDescriptions"]) == 3


def test_the_same_again_is_the_same_one_and_another_of_its_name_is_refused(
    account: Account, elbv2: Any, refusal: Refusal
) -> None:
    asked = {"Name": "web", "Subnets": account.subnets, "Type": "network"}
    first, again = (elbv2.create_load_balancer(**asked)["LoadBalancers"][0] for _ in range(2))
    assert again["LoadBalancerArn"] == first["LoadBalancerArn"]
    assert refusal(elbv2.create_load_balancer, **{**asked, "Type": "application"}) == (
        "DuplicateLoadBalancerName",
        400,
        "A load balancer with the same name 'web' exists, but with different settings",
    )


def test_deletion_protection_holds_until_it_is_taken_off(
    account: Account, elbv2: Any, refusal: Refusal
) -> None:
    made = elbv2.create_load_balancer(Name="web", Subnets=account.subnets)
    at = {"LoadBalancerArn": made["LoadBalancers"][0]["LoadBalancerArn"]}

    def protect(value: str) -> None:
        attributes = [{"Key": "deletion_protection.enabled", "Value": value}]
        elbv2.modify_load_balancer_attributes(**at, Attributes=attributes)

    protect("true")
    assert refusal(elbv2.delete_load_balancer, **at) == (
        "OperationNotPermitted",
        400,
        f"Load balancer '{at['LoadBalancerArn']}' cannot be deleted because deletion protection"
        " is enabled",
    )
    protect("false")
    elbv2.delete_load_balancer(**at)


def test_a_target_group_stays_while_a_listener_forwards_to_it(
    account: Account, elbv2: Any, refusal: Refusal
) -> None:
    made = elbv2.create_load_balancer(Name="web", Subnets=account.subnets)
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    made = elbv2.create_target_group(Name="pods", Protocol="HTTP", Port=80, VpcId=account.vpc)
    target = made["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": target}]
    elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=forward)
    assert refusal(elbv2.delete_target_group, TargetGroupArn=target) == (
        "ResourceInUse",
        400,
        f"Target group '{target}' is currently in use by a listener or a rule",
    )
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    elbv2.delete_target_group(TargetGroupArn=target)


def test_a_security_group_stays_while_a_load_balancer_or_what_is_left_of_it_has_it(
    account: Account, elbv2: Any, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html"""
    ec2 = account.ec2
    one, other = (
        ec2.create_security_group(GroupName=name, Description="x", VpcId=account.vpc)["GroupId"]
        for name in ("one", "other")
    )
    made = elbv2.create_load_balancer(Name="web", Subnets=account.subnets, SecurityGroups=[one])
    at = {"LoadBalancerArn": made["LoadBalancers"][0]["LoadBalancerArn"]}
    assert refusal(ec2.delete_security_group, GroupId=one)[0] == "DependencyViolation"
    elbv2.set_security_groups(**at, SecurityGroups=[other])
    ec2.delete_security_group(GroupId=one)
    elbv2.delete_load_balancer(**at)
    assert refusal(ec2.delete_security_group, GroupId=other)[0] == "DependencyViolation"
    account.advance(151)
    ec2.delete_security_group(GroupId=other)


def test_interfaces_follow_the_subnets(account: Account, elbv2: Any) -> None:
    made = elbv2.create_load_balancer(Name="web", Subnets=account.subnets[:1], Type="network")
    at = {"LoadBalancerArn": made["LoadBalancers"][0]["LoadBalancerArn"]}
    elbv2.set_subnets(**at, Subnets=account.subnets)
    assert {one["SubnetId"] for one in interfaces(account)} == set(account.subnets)


def test_an_application_load_balancer_needs_two_zones(account: Account, refusal: Refusal) -> None:
    elb, one = account.client("elbv2"), account.subnets[:1]
    code, status, message = refusal(elb.create_load_balancer, Name="web", Subnets=one)
    assert (code, status) == ("ValidationError", 400)
    assert message == "At least two subnets in two different Availability Zones must be specified"
    mapped = [{"SubnetId": subnet} for subnet in account.subnets]
    assert elb.create_load_balancer(Name="web", SubnetMappings=mapped)["LoadBalancers"]

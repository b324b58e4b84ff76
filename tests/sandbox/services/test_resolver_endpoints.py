"""Endpoints and rules of Route 53 Resolver, in virtual time.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver.html
"""

from __future__ import annotations

from typing import Any

import pytest

Account = Any
Refusal = Any


@pytest.fixture
def resolver(account: Account) -> Any:
    return account.client("route53resolver")


@pytest.fixture
def group(account: Account) -> str:
    made = account.ec2.create_security_group(GroupName="dns", Description="x", VpcId=account.vpc)
    return str(made["GroupId"])


@pytest.fixture
def endpoint(account: Account, resolver: Any, group: str) -> str:
    """An outbound endpoint that is being made."""
    made = resolver.create_resolver_endpoint(
        CreatorRequestId="e", Name="out", Direction="OUTBOUND", SecurityGroupIds=[group],
        IpAddresses=[{"SubnetId": id} for id in account.subnets],
        Tags=[{"Key": "a", "Value": "b"}],
    )["ResolverEndpoint"]  # fmt: skip
    assert made["Status"] == "CREATING"
    return str(made["Id"])


def status(resolver: Any, id: str) -> str:
    found = resolver.get_resolver_endpoint(ResolverEndpointId=id)["ResolverEndpoint"]
    return str(found["Status"])


def make_rule(resolver: Any, endpoint: str) -> str:
    made = resolver.create_resolver_rule(
        CreatorRequestId="r", RuleType="FORWARD", DomainName="corp.example.com",
        TargetIps=[{"Ip": "10.9.9.9"}], ResolverEndpointId=endpoint,
    )["ResolverRule"]  # fmt: skip
    assert made["TargetIps"] == [{"Ip": "10.9.9.9", "Port": 53}]
    return str(made["Id"])


def interfaces(account: Account) -> list[Any]:
    return list(account.ec2.describe_network_interfaces()["NetworkInterfaces"])


def test_an_endpoint_comes_and_goes_with_interfaces_that_aws_holds(
    account: Account, resolver: Any, endpoint: str, group: str, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_ResolverEndpoint.html"""
    ec2 = account.ec2
    found = interfaces(account)
    assert {one["SubnetId"] for one in found} == set(account.subnets)
    assert all(one["RequesterManaged"] and one["Status"] == "in-use" for one in found)
    assert all(f"Route 53 Resolver: {endpoint}:rni-" in one["Description"] for one in found)
    account.advance(91)
    seen = [status(resolver, endpoint)]
    for _ in range(2):
        going = resolver.delete_resolver_endpoint(ResolverEndpointId=endpoint)
        seen.append(going["ResolverEndpoint"]["Status"])
    assert seen == ["OPERATIONAL", "DELETING", "DELETING"]
    assert refusal(ec2.delete_subnet, SubnetId=account.subnets[0])[0] == "DependencyViolation"
    assert refusal(ec2.delete_security_group, GroupId=group)[0] == "DependencyViolation"
    account.advance(61)
    assert refusal(resolver.get_resolver_endpoint, ResolverEndpointId=endpoint)[:2] == (
        "ResourceNotFoundException",
        400,
    )
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=account.subnets[0])


def test_an_endpoint_deleted_while_it_is_made_does_not_come_back(
    account: Account, resolver: Any, endpoint: str
) -> None:
    resolver.delete_resolver_endpoint(ResolverEndpointId=endpoint)
    account.advance(200)
    assert resolver.list_resolver_endpoints()["ResolverEndpoints"] == []
    assert interfaces(account) == []


def test_an_endpoint_stays_while_a_rule_names_it(
    account: Account, resolver: Any, endpoint: str, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_DeleteResolverEndpoint.html"""
    rule = make_rule(resolver, endpoint)
    assert refusal(resolver.delete_resolver_endpoint, ResolverEndpointId=endpoint) == (
        "InvalidRequestException",
        400,
        "[RSLVR-00600] Cannot delete resolver endpoint unless its related resolver rules are"
        f' deleted. The following rules still exist for this resolver endpoint: "{rule}"',
    )
    resolver.delete_resolver_rule(ResolverRuleId=rule)
    resolver.delete_resolver_endpoint(ResolverEndpointId=endpoint)
    assert refusal(make_rule, resolver=resolver, endpoint=endpoint)[:2] == (
        "ResourceUnavailableException",
        400,
    )
    account.advance(61)
    assert interfaces(account) == []


def test_a_rule_stays_while_it_is_associated_and_a_while_longer(
    account: Account, resolver: Any, endpoint: str, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_DeleteResolverRule.html"""
    rule = make_rule(resolver, endpoint)
    pair = {"ResolverRuleId": rule, "VPCId": account.vpc}
    made = resolver.associate_resolver_rule(**pair)["ResolverRuleAssociation"]

    def state() -> str:
        found = resolver.get_resolver_rule_association(ResolverRuleAssociationId=made["Id"])
        return str(found["ResolverRuleAssociation"]["Status"])

    assert made["Status"] == "CREATING"
    account.advance(11)
    assert state() == "COMPLETE"
    for _ in range(2):
        assert refusal(resolver.delete_resolver_rule, ResolverRuleId=rule)[:2] == (
            "ResourceInUseException",
            400,
        )
        resolver.disassociate_resolver_rule(**pair)
        assert state() == "DELETING"
    account.advance(11)
    resolver.delete_resolver_rule(ResolverRuleId=rule)


def test_addresses_come_and_go_one_by_one(account: Account, resolver: Any, endpoint: str) -> None:
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_AssociateResolverEndpointIpAddress.html"""
    account.advance(91)
    address = {"SubnetId": account.subnets[0], "Ip": "10.0.0.77"}
    at = {"ResolverEndpointId": endpoint, "IpAddress": address}
    changed = resolver.associate_resolver_endpoint_ip_address(**at)["ResolverEndpoint"]
    assert (changed["Status"], changed["IpAddressCount"]) == ("UPDATING", 3)
    assert all(one["RequesterManaged"] for one in interfaces(account))
    account.advance(31)
    assert status(resolver, endpoint) == "OPERATIONAL"
    resolver.disassociate_resolver_endpoint_ip_address(**at)
    assert len(interfaces(account)) == 2

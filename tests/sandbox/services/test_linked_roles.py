"""The service-linked roles that AWS makes when they are first needed, under their right names.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
"""

from __future__ import annotations

from typing import Any

import pytest

Account = Any

GROUP = "arn:aws:logs:us-west-2:111122223333:log-group:dns:*"
SIZE = {"minSize": 0, "maxSize": 1, "desiredSize": 0}


def cluster(account: Account) -> None:
    account.create()


def nodes(account: Account) -> None:
    account.cluster()
    account.create_nodes(scalingConfig=SIZE)


def spot_nodes(account: Account) -> None:
    account.cluster()
    account.create_nodes(scalingConfig=SIZE, capacityType="SPOT")


def scaling_group(account: Account) -> None:
    account.template(InstanceType="t3.micro", ImageId="ami-0")
    account.scaling.create_auto_scaling_group(
        AutoScalingGroupName="g", MinSize=0, MaxSize=0, VPCZoneIdentifier=account.subnets[0],
        LaunchTemplate={"LaunchTemplateName": "mine"},
    )  # fmt: skip


def spot_instance(account: Account) -> None:
    account.ec2.run_instances(
        ImageId="ami-0", InstanceType="t3.micro", MinCount=1, MaxCount=1,
        SubnetId=account.subnets[0], InstanceMarketOptions={"MarketType": "spot"},
    )  # fmt: skip


def balancer(account: Account) -> None:
    account.client("elbv2").create_load_balancer(Name="web", Subnets=account.subnets)


def classic_balancer(account: Account) -> None:
    listeners = [{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}]
    account.client("elb").create_load_balancer(
        LoadBalancerName="web", Listeners=listeners, Subnets=account.subnets
    )


def detector(account: Account) -> None:
    account.client("guardduty").create_detector(Enable=True)


def query_log(account: Account) -> None:
    resolver = account.client("route53resolver")
    made = resolver.create_resolver_query_log_config(
        Name="dns", DestinationArn=GROUP, CreatorRequestId="t"
    )["ResolverQueryLogConfig"]
    resolver.associate_resolver_query_log_config(
        ResolverQueryLogConfigId=made["Id"], ResourceId=account.vpc
    )


EKS = "AWSServiceRoleForAmazonEKS"
NODES = "AWSServiceRoleForAmazonEKSNodegroup"
SCALING = "AWSServiceRoleForAutoScaling"
SPOT = "AWSServiceRoleForEC2Spot"
BALANCING = "AWSServiceRoleForElasticLoadBalancing"


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (cluster, {EKS}),
        (nodes, {EKS, NODES, SCALING}),
        (spot_nodes, {EKS, NODES, SCALING, SPOT}),
        (scaling_group, {SCALING}),
        (spot_instance, {SPOT}),
        (balancer, {BALANCING}),
        (classic_balancer, {BALANCING}),
        (detector, {"AWSServiceRoleForAmazonGuardDuty"}),
        (query_log, {"AWSServiceRoleForRoute53Resolver"}),
    ],
)
def test_a_service_makes_its_role_when_it_first_needs_it(
    account: Account, make: Any, names: set[str]
) -> None:
    def linked() -> set[str]:
        roles = account.iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]
        return {one["RoleName"] for one in roles}

    assert linked() == set()
    make(account)
    assert linked() == names


def test_a_role_that_is_there_is_left_as_it_is(account: Account) -> None:
    made = account.iam.create_service_linked_role(
        AWSServiceName="elasticloadbalancing.amazonaws.com", Description="mine"
    )["Role"]
    balancer(account)
    found = account.iam.get_role(RoleName=made["RoleName"])["Role"]
    assert (found["RoleId"], found["Description"]) == (made["RoleId"], "mine")

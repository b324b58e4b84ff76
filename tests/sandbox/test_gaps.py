from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

Client = Any
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)


def test_auto_scaling_tells_limit_and_use(sandbox: Sandbox, client: Client) -> None:
    limits = client("autoscaling").describe_account_limits()
    assert limits["MaxNumberOfAutoScalingGroups"] == 500
    assert limits["NumberOfAutoScalingGroups"] == 0
    quota = {"service": "autoscaling", "code": "L-CDE20ADC", "applied": 7}
    sandbox.reset({"quotas": [quota]})
    scaling = client("autoscaling")
    scaling.create_launch_configuration(
        LaunchConfigurationName="l", ImageId="ami-12345678", InstanceType="t3.micro"
    )
    limits = scaling.describe_account_limits()
    assert limits["MaxNumberOfAutoScalingGroups"] == 7
    assert limits["NumberOfLaunchConfigurations"] == 1


def test_load_balancing_tells_its_limits_to_both_clients(client: Client) -> None:
    classic = {x["Name"]: x["Max"] for x in client("elb").describe_account_limits()["Limits"]}
    second = {x["Name"]: x["Max"] for x in client("elbv2").describe_account_limits()["Limits"]}
    assert classic["classic-load-balancers"] == "20"
    assert second["network-load-balancers"] == "50"
    assert "classic-load-balancers" not in second


def test_there_are_no_capacity_reservations(client: Client) -> None:
    assert client("ec2").describe_capacity_reservations()["CapacityReservations"] == []


def test_gateways_are_filtered_by_owner(client: Client) -> None:
    ec2 = client("ec2")
    ec2.create_internet_gateway()

    def owned_by(owner: str) -> int:
        filters = [{"Name": "owner-id", "Values": [owner]}]
        return len(ec2.describe_internet_gateways(Filters=filters)["InternetGateways"])

    assert owned_by("111122223333") == 1
    assert owned_by("999999999999") == 0


def test_the_summary_of_iam_tells_the_quotas_of_this_account(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.reset({"quotas": [{"service": "iam", "code": "L-FE177D64", "applied": 1234}]})
    client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    summary = client("iam").get_account_summary()["SummaryMap"]
    assert (summary["RolesQuota"], summary["Roles"]) == (1234, 1)
    assert summary["PoliciesQuota"] == 1500


def test_lists_of_iam_keep_to_path_and_page(client: Client) -> None:
    iam = client("iam")
    for number in range(5):
        path = "/preflight/" if number < 3 else "/"
        iam.create_instance_profile(InstanceProfileName=f"p{number}", Path=path)
        iam.create_role(RoleName=f"r{number}", Path=path, AssumeRolePolicyDocument=TRUST)
        iam.create_user(UserName=f"u{number}", Path=path)
        document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'  # noqa: E501
        iam.create_policy(PolicyName=f"d{number}", Path=path, PolicyDocument=document)
    lists = {
        "list_instance_profiles": "InstanceProfiles",
        "list_roles": "Roles",
        "list_users": "Users",
        "list_policies": "Policies",
    }
    for operation, member in lists.items():
        pages = list(
            iam.get_paginator(operation).paginate(
                PathPrefix="/preflight/", PaginationConfig={"PageSize": 2}
            )
        )
        assert [len(page[member]) for page in pages] == [2, 1], operation


def test_the_boundary_of_a_user_is_kept_and_shown(client: Client) -> None:
    iam = client("iam")
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    iam.create_user(UserName="bob", PermissionsBoundary=arn)
    shown = iam.get_user(UserName="bob")["User"]["PermissionsBoundary"]
    assert shown["PermissionsBoundaryArn"] == arn
    iam.delete_user_permissions_boundary(UserName="bob")
    assert "PermissionsBoundary" not in iam.get_user(UserName="bob")["User"]


def test_an_account_is_in_an_organization_where_the_scenario_says_so(
    sandbox: Sandbox, client: Client
) -> None:
    organizations = client("organizations", region="us-east-1")
    with pytest.raises(ClientError, match="AWSOrganizationsNotInUseException"):
        organizations.describe_organization()
    sandbox.reset({"account": {"organization": "o-exampleorgid"}})
    told = client("organizations", region="us-east-1").describe_organization()["Organization"]
    assert told["Id"] == "o-exampleorgid"
    assert told["MasterAccountId"] != sandbox.account

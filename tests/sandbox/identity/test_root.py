"""The root user of an account: no policy of the account binds it, an organization's does."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

ACCOUNT = "111122223333"
KEY = ["AKIAROOTROOTROOTROOT", "the-root-user-s-secret-key"]
NO_VPCS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "ec2:CreateVpc", "Resource": "*"}],
}


def as_root(sandbox: Sandbox, service: str, **account: Any) -> Any:
    told = {"id": ACCOUNT, "root_key": KEY, "organization": "o-a1b2c3d4e5", **account}
    sandbox.reset({"account": told, "scps": [NO_VPCS]})
    return boto3.client(
        service,
        region_name="us-west-2",
        aws_access_key_id=KEY[0],
        aws_secret_access_key=KEY[1],
    )


def test_it_is_who_its_key_says(sandbox: Sandbox) -> None:
    told = as_root(sandbox, "sts").get_caller_identity()

    assert told["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_scps_bind_the_root_user_of_a_member(sandbox: Sandbox) -> None:
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    ec2 = as_root(sandbox, "ec2")

    assert ec2.describe_vpcs()["Vpcs"]
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        ec2.create_vpc(CidrBlock="10.0.0.0/16")


def test_scps_bind_nobody_in_the_management_account(sandbox: Sandbox) -> None:
    ec2 = as_root(sandbox, "ec2", management=ACCOUNT)
    ec2.create_vpc(CidrBlock="10.0.0.0/16")

    told = boto3.client("organizations", region_name="us-east-1").describe_organization()
    assert told["Organization"]["MasterAccountId"] == ACCOUNT

"""The same request a second time, told by its client token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]
LAUNCH = {"ImageId": "ami-1", "InstanceType": "m5.large"}
# Creating method -> its parameters, others, and what lists the things it makes.
CREATED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "create_egress_only_internet_gateway": (
        {"VpcId": "vpc"}, {"VpcId": "other"}, "describe_egress_only_internet_gateways",
    ),
    "create_launch_template": (
        {"LaunchTemplateName": "t", "LaunchTemplateData": LAUNCH},
        {"LaunchTemplateName": "u", "LaunchTemplateData": LAUNCH},
        "describe_launch_templates",
    ),
    "create_managed_prefix_list": (
        {"PrefixListName": "p", "MaxEntries": 1, "AddressFamily": "IPv4"},
        {"PrefixListName": "p", "MaxEntries": 2, "AddressFamily": "IPv4"},
        "describe_managed_prefix_lists",
    ),
    "create_network_acl": ({"VpcId": "vpc"}, {"VpcId": "other"}, "describe_network_acls"),
    "create_network_interface": (
        {"SubnetId": "subnet"}, {"SubnetId": "subnet", "Description": "d"},
        "describe_network_interfaces",
    ),
    "create_route_table": ({"VpcId": "vpc"}, {"VpcId": "other"}, "describe_route_tables"),
    "create_volume": (
        {"Size": 1, "AvailabilityZone": "us-west-2a"},
        {"Size": 2, "AvailabilityZone": "us-west-2a"},
        "describe_volumes",
    ),
    "request_spot_instances": (
        {"LaunchSpecification": LAUNCH}, {"LaunchSpecification": LAUNCH, "InstanceCount": 2},
        "describe_spot_instance_requests",
    ),
    "run_instances": (
        {**LAUNCH, "MinCount": 1, "MaxCount": 1}, {**LAUNCH, "MinCount": 2, "MaxCount": 2},
        "describe_instances",
    ),
}  # fmt: skip


def rows(ec2: Any, describe: str) -> list[Any]:
    [found] = [value for value in getattr(ec2, describe)().values() if isinstance(value, list)]
    return found


@pytest.mark.parametrize("method", sorted(CREATED))
def test_a_token_makes_one_thing_and_is_not_taken_for_another(
    sandbox: Sandbox, client: Client, method: str
) -> None:
    codes = ("L-1216C47A", "L-34B43A08")
    sandbox.reset({"quotas": [{"service": "ec2", "code": code, "applied": 9} for code in codes]})
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    names = {
        "vpc": vpc,
        "other": ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"],
        "subnet": ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"],
    }
    same, another, describe = CREATED[method]

    def make(parameters: dict[str, Any], token: str) -> Any:
        known = {k: names.get(v, v) if isinstance(v, str) else v for k, v in parameters.items()}
        answer = getattr(ec2, method)(**known, ClientToken=token)
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    before = len(rows(ec2, describe))
    first = make(same, "token-1")
    assert make(same, "token-1") == first
    assert len(rows(ec2, describe)) == before + 1
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        make(another, "token-1")
    make(another, "token-2")
    assert len(rows(ec2, describe)) > before + 1

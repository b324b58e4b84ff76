from __future__ import annotations

from typing import Any

from preflight.sandbox.server import Sandbox

Account = Any
Refusal = Any
RESERVED = {"Key": "aws:cloudformation:stack-name", "Value": "s"}


def test_nobody_gives_or_takes_tags_of_aws(account: Account, refusal: Refusal) -> None:
    ec2 = account.client("ec2")
    code, status, message = refusal(ec2.create_tags, Resources=[account.vpc], Tags=[RESERVED])
    assert (code, status) == ("InvalidParameterValue", 400)
    assert "Tag keys starting with 'aws:' are reserved for internal use" in message
    assert refusal(ec2.delete_tags, Resources=[account.vpc], Tags=[RESERVED])[0] == code
    specified = [{"ResourceType": "vpc", "Tags": [RESERVED]}]
    refused = refusal(ec2.create_vpc, CidrBlock="10.9.0.0/16", TagSpecifications=specified)
    assert refused[0] == code
    ec2.create_tags(Resources=[account.vpc], Tags=[{"Key": "awsome", "Value": "v"}])


def test_a_scenario_says_what_aws_has_tagged(sandbox: Sandbox) -> None:
    specified = [{"ResourceType": "vpc", "Tags": [RESERVED]}]
    parameters = {"CidrBlock": "10.0.0.0/16", "TagSpecifications": specified}
    sandbox.reset(
        {"calls": [{"service": "ec2", "operation": "CreateVpc", "parameters": parameters}]}
    )
    vpcs = sandbox.world.backend("ec2", sandbox.region).vpcs
    assert RESERVED["Key"] in {
        tag["key"]
        for id in vpcs
        for tag in sandbox.world.backend("ec2", sandbox.region).describe_tags(
            filters={"resource-id": [id]}
        )
    }

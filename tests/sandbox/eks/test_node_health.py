"""Node groups whose nodes do not come, for the reason a fault gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]


def test_a_fault_gives_the_reason_why_nodes_do_not_come_and_the_next_group_has_them(
    sandbox: Sandbox, client: Client
) -> None:
    fault = {"action": "sandbox:NodegroupIssue", "error": "InsufficientFreeAddresses", "count": 1}
    sandbox.reset({"quotas": [{"service": "ec2", "code": "L-1216C47A", "applied": 99}]})
    ec2, eks = client("ec2"), client("eks")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{z}")
        for n, z in enumerate("ab")
    ]
    subnets = [one["Subnet"]["SubnetId"] for one in made]
    services = {"Service": ["eks.amazonaws.com", "ec2.amazonaws.com"]}
    statement = {"Effect": "Allow", "Principal": services, "Action": "sts:AssumeRole"}
    role = client("iam").create_role(
        RoleName="nodes",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Role"]["Arn"]
    eks.create_cluster(name="c", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
    sandbox.world.clock.advance(700)
    sandbox.world.part(Faults).replace([fault])

    def group(name: str) -> dict[str, Any]:
        eks.create_nodegroup(clusterName="c", nodegroupName=name, nodeRole=role, subnets=subnets)
        sandbox.world.clock.advance(2000)
        told: dict[str, Any] = eks.describe_nodegroup(clusterName="c", nodegroupName=name)
        return told["nodegroup"]  # type: ignore[no-any-return]

    failed, healthy = group("first"), group("second")
    assert failed["status"] == "CREATE_FAILED"
    assert [one["code"] for one in failed["health"]["issues"]] == ["InsufficientFreeAddresses"]
    assert (healthy["status"], healthy["health"]["issues"]) == ("ACTIVE", [])

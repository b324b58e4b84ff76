"""The machines of a node group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Account = Any


def test_nodes_beyond_the_vcpu_quota_make_the_group_fail(
    new_account: Callable[[], Account], sandbox: Any
) -> None:
    quota = {"service": "ec2", "code": "L-1216C47A", "region": "us-west-2", "applied": 5}
    sandbox.reset({"rates": "off", "quotas": [quota]})
    account = new_account()
    account.cluster()
    account.create_nodes(instanceTypes=["m5.xlarge"])
    account.advance(300)
    assert account.nodes()["status"] == "CREATING"
    account.advance(1200)
    found = account.nodes()
    assert (found["status"], len(account.instances())) == ("CREATE_FAILED", 1)
    assert found["health"]["issues"][0]["code"] == "AsgInstanceLaunchFailures"
    assert "VcpuLimitExceeded" in found["health"]["issues"][0]["message"]
    account.eks.delete_nodegroup(clusterName="prod", nodegroupName="workers")
    account.advance(400)
    assert account.instances() == []

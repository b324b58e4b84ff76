"""Answers that break off in the middle."""

from __future__ import annotations

import pytest

from preflight.aws import Aws
from preflight.errors import Unreachable
from preflight.sandbox.server import Sandbox


def cut(sandbox: Sandbox, action: str) -> Aws:
    sandbox.reset({"faults": [{"action": action, "effect": "truncated-body", "count": 1}]})
    return Aws("us-west-2")


def test_half_an_answer_to_a_look_is_asked_for_again(sandbox: Sandbox) -> None:
    aws = cut(sandbox, "ec2:DescribeVpcs")
    assert [vpc["IsDefault"] for vpc in aws.call("ec2", "DescribeVpcs")["Vpcs"]] == [True]
    assert aws.calls.total == 2


def test_half_an_answer_to_a_create_is_not_made_twice(sandbox: Sandbox) -> None:
    aws = cut(sandbox, "ec2:CreateVpc")
    with pytest.raises(Unreachable):
        aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    assert len(aws.call("ec2", "DescribeVpcs")["Vpcs"]) == 2

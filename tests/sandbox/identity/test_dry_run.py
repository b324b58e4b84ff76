"""Trials of EC2: `DryRun` says what a real call would, and changes nothing."""

from __future__ import annotations

from typing import Any

Admin = Any
Refusal = Any


def test_a_trial_creates_nothing_and_says_what_a_real_call_would(
    admin: Admin, refusal: Refusal
) -> None:
    ec2 = admin.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    code, status, message = refusal(ec2.create_vpc, CidrBlock="10.2.0.0/16", DryRun=True)
    assert (code, status) == ("DryRunOperation", 412)
    assert message == "Request would have succeeded, but DryRun flag is set."
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    user = admin.user().client("ec2")
    refused = refusal(user.create_vpc, CidrBlock="10.2.0.0/16", DryRun=True)
    assert refused[0] == "UnauthorizedOperation"

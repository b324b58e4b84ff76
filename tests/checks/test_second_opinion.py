"""Permissions when the simulator may not be asked: what is denied is found, nothing is passed."""

from __future__ import annotations

from typing import Any

import pytest

from checks.permissions import permissions
from preflight.finding import Status

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NO_SIMULATION = {"Effect": "Deny", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*"}
READS = {
    "Effect": "Deny",
    "Action": ["iam:ListUserPolicies", "iam:GetUserPolicy"],
    "Resource": "*",
}


def deny(*actions: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*"}


def test_the_policies_are_read_where_the_simulator_is_denied(bench: Any) -> None:
    context = bench.as_builder(ALL, NO_SIMULATION, deny("eks:CreateCluster", "kms:CreateKey"))

    found = bench.ask(permissions, context)

    failed = {subject for subject, one in found.items() if one.status is Status.FAIL}
    assert failed == {"eks:CreateCluster", "kms:CreateKey"}
    assert found["simulation"].status is Status.UNKNOWN
    assert "organization" in found["simulation"].message
    assert "iam:SimulatePrincipalPolicy" in (found["simulation"].hint or "")


def test_a_group_and_a_boundary_count_too(bench: Any) -> None:
    looks = {"Effect": "Allow", "Action": ["iam:*", "ec2:*"], "Resource": "*"}
    boundary = bench.document(looks)
    context = bench.as_builder(NO_SIMULATION, boundary=boundary)
    admin = bench.aws()
    admin.call("iam", "CreateGroup", GroupName="builders")
    everything = "arn:aws:iam::aws:policy/AdministratorAccess"
    admin.call("iam", "AttachGroupPolicy", GroupName="builders", PolicyArn=everything)
    admin.call("iam", "AddUserToGroup", GroupName="builders", UserName="alice")

    found = bench.ask(permissions, context)

    assert found["eks:CreateCluster"].data["layer"] == "boundary"
    assert "ec2:CreateVpc" not in found


def test_ec2_is_asked_for_a_trial_of_the_very_request_and_nothing_is_made(bench: Any) -> None:
    context = bench.as_builder(ALL, NO_SIMULATION, READS, deny("ec2:CreateVpc"))

    found = bench.ask(permissions, context)

    assert found["ec2:CreateVpc"].status is Status.FAIL
    assert "refused a trial" in found["ec2:CreateVpc"].message
    simulation = found["simulation"]
    assert simulation.status is Status.UNKNOWN
    assert simulation.data["missing_action"] == "iam:SimulatePrincipalPolicy"
    assert "trials say yes to ec2:AllocateAddress only" in simulation.message
    admin = bench.aws()
    assert not admin.call("ec2", "DescribeAddresses")["Addresses"]
    assert len(admin.call("ec2", "DescribeVpcs")["Vpcs"]) <= 1


@pytest.mark.parametrize("more", [(), (READS,)])
def test_without_the_simulator_nothing_ever_passes(bench: Any, more: tuple[Any, ...]) -> None:
    context = bench.as_builder(ALL, NO_SIMULATION, *more)

    statuses = set(bench.statuses(permissions, context).values())

    assert statuses == {Status.UNKNOWN}


def test_an_scp_that_a_trial_meets_is_found_although_the_policies_allow_all(bench: Any) -> None:
    allow = bench.document(ALL, deny("ec2:CreateVpc"))
    context = bench.as_builder(ALL, NO_SIMULATION, scps=[allow])

    found = bench.ask(permissions, context)

    assert found["ec2:CreateVpc"].status is Status.FAIL

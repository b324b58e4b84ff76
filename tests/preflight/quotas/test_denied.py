"""Any one denied action costs exactly the quotas that need it, over the whole catalogue."""

from __future__ import annotations

import json
from typing import Any

import pytest

from preflight.aws import Aws
from preflight.once import Once
from preflight.quotas.catalogue import CATALOGUE
from preflight.quotas.figures import Figure, read_figures
from preflight.quotas.limits import ACTIONS, APPLIED, Limits, Unknown
from preflight.quotas.usage import Usage
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.server import Sandbox

REGION = "us-west-2"
COUNTING = sorted({action for quota in CATALOGUE for action in quota.actions})
STANDARD, STANDARD_SPOT = "ec2/L-1216C47A", "ec2/L-34B43A08"


def _call(service: str, operation: str, save: dict[str, str] | None = None, **given: Any) -> Any:
    call = {"service": service, "region": REGION, "operation": operation, "parameters": given}
    return call | ({"save": save} if save else {})


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "eks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
RUN = {"ImageId": "ami-1", "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 1}
SUBNETS = [
    _call(
        "ec2",
        "CreateSubnet",
        {f"subnet_{zone}": "Subnet.SubnetId"},
        VpcId="${vpc}",
        CidrBlock=f"10.9.{number}.0/24",
        AvailabilityZone=f"{REGION}{zone}",
    )
    for number, zone in enumerate("ab")
]
ACCOUNT = {
    "rates": "off",
    "calls": [
        _call("ec2", "CreateVpc", {"vpc": "Vpc.VpcId"}, CidrBlock="10.9.0.0/16"),
        *SUBNETS,
        _call("ec2", "RunInstances", **RUN),
        _call("ec2", "RunInstances", **RUN, InstanceMarketOptions={"MarketType": "spot"}),
        _call(
            "iam",
            "CreateRole",
            {"role": "Role.Arn"},
            RoleName="cluster",
            AssumeRolePolicyDocument=TRUST,
        ),
        _call(
            "eks",
            "CreateCluster",
            name="here",
            roleArn="${role}",
            resourcesVpcConfig={"subnetIds": ["${subnet_a}", "${subnet_b}"]},
        ),
    ],
}


@pytest.fixture(scope="module")
def account(sandbox_server: Sandbox) -> Sandbox:
    """One account for all; only what is denied differs."""
    sandbox_server.reset(ACCOUNT)
    sandbox_server.world.clock.advance(3600)  # what AWS makes for the cluster is there
    return sandbox_server


@pytest.fixture(scope="module")
def allowed(account: Sandbox) -> dict[str, Figure]:
    return audited(account)


def audited(account: Sandbox, denied: str = "") -> dict[str, Figure]:
    """Read every quota that there is, with one action denied."""
    faults = [{"action": denied, "error": "AccessDeniedException"}] if denied else []
    account.world.part(Faults).replace(faults)
    patch = pytest.MonkeyPatch()
    for name, value in account.environment().items():
        patch.setenv(name, value)
    try:
        aws = Aws(REGION)
        usage = Usage(aws, Once(), deep=True)
        figures = read_figures([(q, "") for q in CATALOGUE], usage, Limits(aws, usage))
    finally:
        patch.undo()
        account.world.part(Faults).replace([])
    return {str(figure.quota): figure for figure in figures}


def differ(found: dict[str, Figure], allowed: dict[str, Figure], part: str) -> set[str]:
    return {key for key in found if getattr(found[key], part) != getattr(allowed[key], part)}


def test_nothing_is_unknown_where_everything_is_allowed(allowed: dict[str, Figure]) -> None:
    unknown = {key for key, each in allowed.items() if isinstance(each.used, Unknown)}

    assert unknown == {key for key, each in allowed.items() if each.quota.count is None}
    assert not [each for each in allowed.values() if isinstance(each.limit, Unknown)]
    assert allowed[STANDARD].used == allowed[STANDARD_SPOT].used == 2
    assert allowed["eks/L-6D54EA21"].used == 0


@pytest.mark.parametrize("action", COUNTING)
def test_a_denied_list_costs_the_quotas_that_count_it_and_no_others(
    account: Sandbox, allowed: dict[str, Figure], action: str
) -> None:
    found = audited(account, action)

    need = {str(quota) for quota in CATALOGUE if action in quota.actions}
    costs = differ(found, allowed, "used")
    if action == "ec2:DescribeInstanceTypes":
        need = {STANDARD, STANDARD_SPOT}
    if action == "cloudwatch:GetMetricData":
        need = set()
    assert costs == need
    for key in costs:
        used = found[key].used
        assert isinstance(used, Unknown)
        assert used.missing_action == action
    assert differ(found, allowed, "limit") == set()


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_denied_limits_cost_those_that_only_service_quotas_tells(
    account: Sandbox, allowed: dict[str, Figure], action: str
) -> None:
    found = audited(account, action)

    lost = differ(found, allowed, "limit")
    assert differ(found, allowed, "used") == set()
    if action == f"servicequotas:{APPLIED}":
        # What IAM and Auto Scaling tell of themselves needs no list.
        told = {key for key in found if key not in lost}
        assert told == {
            "autoscaling/L-CDE20ADC",
            "autoscaling/L-6B80B8FA",
            "iam/L-FE177D64",
            "iam/L-E95E4862",
            "iam/L-0DA4ABF3",
            "iam/L-6E65F664",
            "iam/L-C07B4B0D",
        }
    elif action == "servicequotas:ListAWSDefaultServiceQuotas":
        defaults = {
            key for key, each in allowed.items() if getattr(each.limit, "source", "") == "default"
        }
        assert lost == defaults != set()
    else:
        assert lost == set()  # for a few quotas of EC2 alone, and these are all
    for key in lost:
        limit = found[key].limit
        assert isinstance(limit, Unknown)
        assert limit.missing_action == action

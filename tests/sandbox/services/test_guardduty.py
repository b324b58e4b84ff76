"""GuardDuty: one detector, and what Runtime Monitoring puts into VPCs and leaves there.

https://docs.aws.amazon.com/guardduty/latest/ug/how-does-runtime-monitoring-work.html
https://docs.aws.amazon.com/guardduty/latest/ug/runtime-monitoring-agent-resource-clean-up.html
https://github.com/hashicorp/terraform-provider-aws/issues/46747
"""

from __future__ import annotations

from typing import Any

import pytest

Account = Any
Refusal = Any


@pytest.fixture
def guardduty(account: Account) -> Any:
    return account.client("guardduty")


def feature(name: str, agents: str, status: str = "ENABLED") -> dict[str, Any]:
    more = [{"Name": agents, "Status": "ENABLED"}]
    return {"Name": name, "Status": status, "AdditionalConfiguration": more}


CLUSTERS = feature("EKS_RUNTIME_MONITORING", "EKS_ADDON_MANAGEMENT")
EITHER = feature("RUNTIME_MONITORING", "EKS_ADDON_MANAGEMENT")
INSTANCES = feature("RUNTIME_MONITORING", "EC2_AGENT_MANAGEMENT")
BY_HAND = {"Name": "RUNTIME_MONITORING", "Status": "ENABLED"}


def endpoints(account: Account) -> list[Any]:
    return list(account.ec2.describe_vpc_endpoints()["VpcEndpoints"])


def groups(account: Account) -> list[Any]:
    wanted = [{"Name": "tag:GuardDutyManaged", "Values": ["true"]}]
    return list(account.ec2.describe_security_groups(Filters=wanted)["SecurityGroups"])


def run(account: Account) -> str:
    made = account.ec2.run_instances(
        ImageId="ami-0", InstanceType="t3.micro", MinCount=1, MaxCount=1,
        SubnetId=account.subnets[0],
    )  # fmt: skip
    return str(made["Instances"][0]["InstanceId"])


def test_a_region_has_one_detector(guardduty: Any, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateDetector.html"""
    id = guardduty.create_detector(Enable=True)["DetectorId"]
    assert refusal(guardduty.create_detector, Enable=True) == (
        "BadRequestException",
        400,
        "The request is rejected because a detector already exists for the current account.",
    )
    guardduty.delete_detector(DetectorId=id)
    assert refusal(guardduty.delete_detector, DetectorId=id) == (
        "BadRequestException",
        400,
        "The request is rejected because the input detectorId is not owned by the current account.",
    )
    guardduty.create_detector(Enable=True)


@pytest.mark.parametrize("monitoring", [CLUSTERS, EITHER])
def test_a_cluster_gets_an_endpoint_a_group_and_the_agent(
    account: Account, guardduty: Any, monitoring: dict[str, Any]
) -> None:
    guardduty.create_detector(Enable=True, Features=[monitoring])
    account.cluster()
    assert endpoints(account) == []
    account.advance(240)
    (endpoint,), (group,) = endpoints(account), groups(account)
    assert (endpoint["ServiceName"], endpoint["VpcEndpointType"], endpoint["State"]) == (
        "com.amazonaws.us-west-2.guardduty-data",
        "Interface",
        "available",
    )
    assert endpoint["Tags"] == [{"Key": "GuardDutyManaged", "Value": "true"}]
    assert set(endpoint["SubnetIds"]) == set(account.subnets)
    assert group["GroupName"] == f"GuardDutyManagedSecurityGroup-{account.vpc}"
    assert [one["GroupId"] for one in endpoint["Groups"]] == [group["GroupId"]]
    (ingress,) = group["IpPermissions"]
    assert (ingress["FromPort"], ingress["IpRanges"][0]["CidrIp"]) == (443, "10.0.0.0/16")
    assert account.eks.list_addons(clusterName="prod")["addons"] == ["aws-guardduty-agent"]


def test_an_instance_gets_them_too(account: Account, guardduty: Any) -> None:
    guardduty.create_detector(Enable=True, Features=[INSTANCES])
    run(account)
    account.advance(121)
    assert [one["VpcId"] for one in endpoints(account)] == [account.vpc]


def test_what_runs_already_is_noticed_when_monitoring_begins(
    account: Account, guardduty: Any
) -> None:
    id = guardduty.create_detector(Enable=True)["DetectorId"]
    account.cluster()
    account.advance(3600)
    assert endpoints(account) == []
    guardduty.update_detector(DetectorId=id, Features=[CLUSTERS])
    account.advance(121)
    assert len(endpoints(account)) == 1


@pytest.mark.parametrize("features", [[], [BY_HAND], [{**CLUSTERS, "Status": "DISABLED"}]])
def test_nothing_is_made_without_automated_management(
    account: Account, guardduty: Any, features: list[dict[str, Any]]
) -> None:
    guardduty.create_detector(Enable=True, Features=features)
    account.cluster()
    run(account)
    account.advance(3600)
    assert (endpoints(account), groups(account)) == ([], [])


def test_they_stay_when_the_cluster_goes_and_hold_subnets_and_vpc(
    account: Account, guardduty: Any, refusal: Refusal
) -> None:
    guardduty.create_detector(Enable=True, Features=[CLUSTERS])
    account.cluster()
    account.advance(240)
    account.eks.delete_cluster(name="prod")
    account.advance(3600)
    ec2, (endpoint,), (group,) = account.ec2, endpoints(account), groups(account)
    for subnet in account.subnets:
        assert refusal(ec2.delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"
    assert refusal(ec2.delete_security_group, GroupId=group["GroupId"])[0] == "DependencyViolation"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
    account.advance(76)
    for subnet in account.subnets:
        ec2.delete_subnet(SubnetId=subnet)
    assert refusal(ec2.delete_vpc, VpcId=account.vpc)[0] == "DependencyViolation"
    ec2.delete_security_group(GroupId=group["GroupId"])
    ec2.delete_vpc(VpcId=account.vpc)


def test_an_endpoint_that_was_deleted_comes_back_while_something_runs(
    account: Account, guardduty: Any
) -> None:
    guardduty.create_detector(Enable=True, Features=[INSTANCES])
    run(account)
    account.advance(121)
    (endpoint,) = endpoints(account)
    account.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
    account.advance(76)
    assert endpoints(account) == []
    account.advance(60)
    assert len(endpoints(account)) == 1


def test_the_end_of_monitoring_takes_them_away_and_by_hand_leaves_them(
    account: Account, guardduty: Any
) -> None:
    id = guardduty.create_detector(Enable=True, Features=[CLUSTERS])["DetectorId"]
    account.cluster()
    account.advance(240)
    guardduty.update_detector(DetectorId=id, Features=[BY_HAND])
    account.advance(3600)
    assert len(endpoints(account)) == 1
    guardduty.update_detector(DetectorId=id, Features=[{**BY_HAND, "Status": "DISABLED"}])
    account.advance(80)
    assert (endpoints(account), groups(account)) == ([], [])

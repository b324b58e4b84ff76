"""Capacity Reservations, and how instances are bought and placed, as far as quotas care."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]
STANDARD = "L-1216C47A"
ROOM = {"InstancePlatform": "Linux/UNIX", "AvailabilityZone": "us-west-2a"}


def allow(sandbox: Sandbox, vcpus: int) -> None:
    row = {"service": "ec2", "code": STANDARD, "applied": vcpus}
    sandbox.reset({"rates": "off", "quotas": [row]})


def run(ec2: Any, type: str = "m5.large", count: int = 1, **more: Any) -> Any:
    more = {"Placement": {"AvailabilityZone": "us-west-2a"}} | more
    return ec2.run_instances(
        ImageId="ami-1", InstanceType=type, MinCount=count, MaxCount=count, **more
    )["Instances"]


def unused(ec2: Any) -> list[int]:
    rows = ec2.describe_capacity_reservations()["CapacityReservations"]
    return [row["AvailableInstanceCount"] for row in rows]


def test_an_instance_that_fits_runs_in_a_reservation(sandbox: Sandbox, client: Client) -> None:
    allow(sandbox, 99)
    ec2 = client("ec2")
    ec2.create_capacity_reservation(InstanceType="m5.large", InstanceCount=3, **ROOM)

    run(ec2, count=2)
    assert unused(ec2) == [1]
    run(ec2, "m5.xlarge")
    run(ec2, Placement={"AvailabilityZone": "us-west-2b"})
    run(ec2, Placement={"AvailabilityZone": "us-west-2a", "Tenancy": "dedicated"})
    assert unused(ec2) == [1]
    run(ec2, count=2)
    assert unused(ec2) == [0]


def test_a_targeted_reservation_takes_only_who_names_it(sandbox: Sandbox, client: Client) -> None:
    allow(sandbox, 99)
    ec2 = client("ec2")
    made = ec2.create_capacity_reservation(
        InstanceType="m5.large", InstanceCount=2, InstanceMatchCriteria="targeted", **ROOM
    )["CapacityReservation"]["CapacityReservationId"]
    target = {"CapacityReservationTarget": {"CapacityReservationId": made}}

    run(ec2)
    assert unused(ec2) == [2]
    run(ec2, CapacityReservationSpecification=target)
    assert unused(ec2) == [1]


def test_a_reservation_counts_as_if_it_ran_and_what_runs_in_it_does_not_count_again(
    sandbox: Sandbox, client: Client
) -> None:
    allow(sandbox, 4)
    ec2 = client("ec2")
    made = ec2.create_capacity_reservation(InstanceType="m5.large", InstanceCount=2, **ROOM)

    with pytest.raises(ClientError, match="VcpuLimitExceeded"):
        ec2.create_capacity_reservation(InstanceType="m5.large", InstanceCount=1, **ROOM)
    with pytest.raises(ClientError, match="VcpuLimitExceeded"):
        run(ec2, "m5.xlarge")
    run(ec2, count=2)
    id = made["CapacityReservation"]["CapacityReservationId"]
    assert ec2.cancel_capacity_reservation(CapacityReservationId=id)["Return"]
    [row] = ec2.describe_capacity_reservations()["CapacityReservations"]
    assert (row["State"], row["AvailableInstanceCount"]) == ("cancelled", 0)
    with pytest.raises(ClientError, match="VcpuLimitExceeded"):
        run(ec2)


def test_a_reservation_that_is_not_there_is_not_cancelled(client: Client) -> None:
    with pytest.raises(ClientError, match=r"InvalidCapacityReservationId\.NotFound"):
        client("ec2").cancel_capacity_reservation(CapacityReservationId="cr-0")


def test_what_runs_on_a_host_or_in_a_capacity_block_is_not_limited_by_vcpus(
    sandbox: Sandbox, client: Client
) -> None:
    allow(sandbox, 2)
    ec2 = client("ec2")
    run(ec2)
    [hosted] = run(ec2, Placement={"AvailabilityZone": "us-west-2a", "Tenancy": "host"})
    [block] = run(ec2, InstanceMarketOptions={"MarketType": "capacity-block"})

    assert hosted["Placement"]["Tenancy"] == "host"
    assert block["InstanceLifecycle"] == "capacity-block"
    described = ec2.describe_instances(InstanceIds=[hosted["InstanceId"], block["InstanceId"]])
    rows = [row for each in described["Reservations"] for row in each["Instances"]]
    assert {row["Placement"]["Tenancy"] for row in rows} == {"host", "default"}
    assert {row.get("InstanceLifecycle") for row in rows} == {None, "capacity-block"}


def test_stopped_instances_start_only_while_they_fit(sandbox: Sandbox, client: Client) -> None:
    allow(sandbox, 4)
    ec2 = client("ec2")
    stopped = [one["InstanceId"] for one in run(ec2, count=2)]
    ec2.stop_instances(InstanceIds=stopped)
    run(ec2)

    with pytest.raises(ClientError, match="VcpuLimitExceeded"):
        ec2.start_instances(InstanceIds=stopped)
    ec2.start_instances(InstanceIds=stopped[:1])


def test_a_launch_template_counts_as_what_is_in_it(sandbox: Sandbox, client: Client) -> None:
    allow(sandbox, 4)
    ec2 = client("ec2")
    wanted = {"ImageId": "ami-1", "InstanceType": "m5.2xlarge"}
    ec2.create_launch_template(LaunchTemplateName="big", LaunchTemplateData=wanted)

    with pytest.raises(ClientError, match="VcpuLimitExceeded"):
        ec2.run_instances(LaunchTemplate={"LaunchTemplateName": "big"}, MinCount=1, MaxCount=1)


def test_spot_requests_count_while_they_are_open(sandbox: Sandbox, client: Client) -> None:
    row = {"service": "ec2", "code": "L-34B43A08", "applied": 4}
    waits = {"action": "sandbox:SpotCapacity", "error": "capacity-not-available"}
    sandbox.reset({"rates": "off", "quotas": [row], "faults": [waits]})
    wanted = {"ImageId": "ami-1", "InstanceType": "m5.large"}
    ec2 = client("ec2")

    ec2.request_spot_instances(InstanceCount=2, LaunchSpecification=wanted)
    with pytest.raises(ClientError, match="MaxSpotInstanceCountExceeded"):
        run(ec2, InstanceMarketOptions={"MarketType": "spot"})

"""What EC2 tells of instances: how they came about, and what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]
STANDARD = [
    {"service": "ec2", "code": code, "applied": 64} for code in ("L-1216C47A", "L-34B43A08")
]
WANTED = {"LaunchSpecification": {"ImageId": "ami-1", "InstanceType": "m5.xlarge"}}


@pytest.fixture
def ec2(sandbox: Sandbox, client: Client) -> Any:
    sandbox.reset({"rates": "off", "quotas": STANDARD})
    return client("ec2")


def requests(ec2: Any, **wanted: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ec2.describe_spot_instance_requests(**wanted)[
        "SpotInstanceRequests"
    ]
    return rows


def running(ec2: Any) -> list[dict[str, Any]]:
    pages = ec2.describe_instances()["Reservations"]
    return [one for page in pages for one in page["Instances"]]


def test_a_spot_request_is_open_and_then_has_an_instance(sandbox: Sandbox, ec2: Any) -> None:
    tags = [{"ResourceType": "spot-instances-request", "Tags": [{"Key": "k", "Value": "v"}]}]
    made = ec2.request_spot_instances(
        InstanceCount=2, TagSpecifications=tags, SpotPrice="0.2", **WANTED
    )["SpotInstanceRequests"]
    ids = {one["SpotInstanceRequestId"] for one in made}
    assert [(one["State"], one["Status"]["Code"]) for one in made] == [
        ("open", "pending-evaluation")
    ] * 2
    assert running(ec2) == []
    sandbox.world.clock.advance(10)
    rows = requests(ec2, Filters=[{"Name": "tag:k", "Values": ["v"]}])
    assert {one["SpotInstanceRequestId"] for one in rows} == ids
    assert {(one["State"], one["Status"]["Code"]) for one in rows} == {("active", "fulfilled")}
    instances = running(ec2)
    assert {one["InstanceLifecycle"] for one in instances} == {"spot"}
    assert {one["SpotInstanceRequestId"]: one["InstanceId"] for one in instances} == {
        one["SpotInstanceRequestId"]: one["InstanceId"] for one in rows
    }


def test_without_capacity_it_stays_open_and_says_why(sandbox: Sandbox, ec2: Any) -> None:
    full = {"action": "sandbox:SpotCapacity", "error": "capacity-not-available", "count": 1}
    sandbox.reset({"rates": "off", "quotas": STANDARD, "faults": [full]})
    ec2.request_spot_instances(**WANTED)
    sandbox.world.clock.advance(10)
    [row] = requests(ec2)
    assert (row["State"], row["Status"]["Code"]) == ("open", "capacity-not-available")
    sandbox.world.clock.advance(60)
    assert requests(ec2)[0]["State"] == "active"


def test_a_cancelled_request_gets_no_instance_and_keeps_the_one_it_has(
    sandbox: Sandbox, ec2: Any
) -> None:
    [early] = ec2.request_spot_instances(**WANTED)["SpotInstanceRequests"]
    ids = [early["SpotInstanceRequestId"]]
    answer = ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=ids)
    assert answer["CancelledSpotInstanceRequests"] == [
        {"SpotInstanceRequestId": ids[0], "State": "cancelled"}
    ]
    sandbox.world.clock.advance(100)
    assert running(ec2) == []
    [row] = requests(ec2, SpotInstanceRequestIds=ids)
    assert (row["State"], row["Status"]["Code"]) == ("cancelled", "canceled-before-fulfillment")
    ec2.run_instances(
        ImageId="ami-1", MinCount=1, MaxCount=1, InstanceType="m5.large",
        InstanceMarketOptions={"MarketType": "spot"},
    )  # fmt: skip
    [late] = running(ec2)
    ids = [late["SpotInstanceRequestId"]]
    ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=ids)
    [row] = requests(ec2, SpotInstanceRequestIds=ids)
    code = "request-canceled-and-instance-running"
    assert (row["State"], row["Status"]["Code"]) == ("cancelled", code)
    assert running(ec2)[0]["State"]["Name"] == "running"
    ec2.terminate_instances(InstanceIds=[late["InstanceId"]])
    [row] = requests(ec2, SpotInstanceRequestIds=ids)
    assert (row["State"], row["Status"]["Code"]) == ("cancelled", "instance-terminated-by-user")
    sandbox.world.clock.advance(3700)
    assert requests(ec2) == []
    with pytest.raises(ClientError, match=r"InvalidSpotInstanceRequestID\.NotFound"):
        ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=ids)


def test_a_spot_request_that_asks_for_what_is_not_there_is_closed(
    sandbox: Sandbox, ec2: Any
) -> None:
    wanted = {**WANTED["LaunchSpecification"], "SubnetId": "subnet-00000000"}
    ec2.request_spot_instances(LaunchSpecification=wanted)
    sandbox.world.clock.advance(10)
    [row] = requests(ec2)
    assert (row["State"], row["Status"]["Code"]) == ("closed", "bad-parameters")


def test_spot_requests_beyond_the_quota_are_refused(ec2: Any) -> None:
    with pytest.raises(ClientError, match="MaxSpotInstanceCountExceeded"):
        ec2.request_spot_instances(InstanceCount=17, **WANTED)
    with pytest.raises(ClientError, match="DryRunOperation"):
        ec2.request_spot_instances(DryRun=True, **WANTED)


def test_processors_and_market_of_a_launch_template_count(ec2: Any, client: Client) -> None:
    contents = {
        "ImageId": "ami-1",
        "InstanceType": "m5.xlarge",
        "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2},
        "InstanceMarketOptions": {"MarketType": "spot"},
    }
    template = ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData=contents)[
        "LaunchTemplate"
    ]["LaunchTemplateId"]
    ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateId": template})
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="a",
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=["us-west-2a"],
        LaunchTemplate={"LaunchTemplateId": template},
    )
    rows = running(ec2)
    assert [one["CpuOptions"] for one in rows] == [contents["CpuOptions"]] * 2
    assert {one["InstanceLifecycle"] for one in rows} == {"spot"}
    assert len(requests(ec2, Filters=[{"Name": "state", "Values": ["active"]}])) == 2

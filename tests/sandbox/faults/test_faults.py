"""What goes wrong on the way: connections that break, and pages a client must stand."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]
Strike = Callable[..., None]
TAG = {"Key": "k", "Value": "v"}


@pytest.fixture
def strike(sandbox: Sandbox) -> Strike:
    """Put fault rules into the running sandbox, as anybody can."""

    def post(*rules: dict[str, Any]) -> None:
        body = json.dumps(list(rules)).encode()
        with urllib.request.urlopen(f"{sandbox.endpoint}/_sandbox/faults", body) as answer:  # noqa: S310
            assert json.load(answer) == {"faults": len(rules)}

    return post


def vpcs(client: Client) -> int:
    return len(client("ec2").describe_vpcs()["Vpcs"])


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_reset_connection_tells_nobody_whether_the_call_was_carried_out(
    sandbox: Sandbox, client: Client, strike: Strike, carried_out: bool
) -> None:
    before, ec2 = vpcs(client), client("ec2")
    strike({"action": "ec2:CreateVpc", "effect": "connection-reset", "carried_out": carried_out})
    with pytest.raises((ConnectionClosedError, HTTPClientError)) as error:
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    assert not isinstance(error.value, ClientError)
    assert vpcs(client) == before + carried_out
    call = next(one for one in sandbox.world.calls if one["operation"] == "CreateVpc")
    assert (call["error"], call["status"]) == ("connection-reset", 200 if carried_out else 0)


def test_a_client_that_tries_again_gets_over_a_reset(sandbox: Sandbox, strike: Strike) -> None:
    strike({"action": "sts:*", "effect": "connection-reset", "count": 2})
    sts = boto3.client(
        "sts", endpoint_url=sandbox.endpoint, config=Config(retries={"total_max_attempts": 3})
    )
    assert sts.get_caller_identity()["Account"] == sandbox.account
    sts.close()


def test_a_truncated_body_is_half_of_what_was_announced(client: Client, strike: Strike) -> None:
    before = vpcs(client)
    strike({"action": "ec2:CreateVpc", "effect": "truncated-body", "count": 1})
    with pytest.raises(ResponseParserError):
        client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert vpcs(client) == before + 1


def test_a_time_out_is_silent_for_as_long_as_told(
    sandbox: Sandbox, client: Client, strike: Strike
) -> None:
    strike({"action": "ec2:DescribeVpcs", "effect": "time-out", "delay_ms": 700})
    began = time.monotonic()
    with pytest.raises(ConnectionClosedError):
        client("ec2").describe_vpcs()
    assert 0.6 < time.monotonic() - began < 30
    hasty = boto3.client(
        "ec2",
        endpoint_url=sandbox.endpoint,
        config=Config(read_timeout=0.2, retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ReadTimeoutError):
        hasty.describe_vpcs()
    hasty.close()


def test_the_first_fault_decides_and_the_rest_of_the_calls_are_not_touched(
    client: Client, strike: Strike
) -> None:
    strike(
        {"action": "ec2:DescribeVpcs", "error": "RequestLimitExceeded", "count": 1},
        {"action": "ec2:DescribeVpcs", "effect": "connection-reset", "count": 1},
    )
    ec2 = client("ec2")
    with pytest.raises(ClientError, match="RequestLimitExceeded"):
        ec2.describe_vpcs()
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        ec2.describe_vpcs()
    assert ec2.describe_vpcs()["Vpcs"]
    assert ec2.describe_subnets()["Subnets"]


# Client, what makes a row (called with a number), paginated method, and rows of a page.
PAGED: dict[str, tuple[Callable[[Any, int], Any], str, str]] = {
    "ec2": (lambda c, n: c.create_security_group(GroupName=f"g{n}", Description="d"),
            "describe_security_groups", "SecurityGroups"),
    "iam": (lambda c, n: c.create_user(UserName=f"u{n}"), "list_users", "Users"),
    "sns": (lambda c, n: c.create_topic(Name=f"t{n}"), "list_topics", "Topics"),
    "logs": (lambda c, n: c.create_log_group(logGroupName=f"g{n}"), "describe_log_groups",
             "logGroups"),
    "ecr": (lambda c, n: c.create_repository(repositoryName=f"rr{n}"), "describe_repositories",
            "repositories"),
    "sqs": (lambda c, n: c.create_queue(QueueName=f"q{n}", tags={"k": "v"}), "list_queues",
            "QueueUrls"),
}  # fmt: skip


@pytest.mark.parametrize("service", sorted(PAGED))
def test_pages_of_one_row_and_pages_told_twice_hold_the_same_rows(
    client: Client, strike: Strike, service: str
) -> None:
    make, operation, member = PAGED[service]
    aws = client(service)
    for number in range(3):
        make(aws, number)

    def pages() -> Iterator[list[Any]]:
        for page in aws.get_paginator(operation).paginate():
            yield page.get(member, [])

    whole = [row for page in pages() for row in page]
    assert len(whole) >= 3
    strike({"action": f"{service}:*", "effect": "page-size-1"})
    assert list(pages()) == [[row] for row in whole]
    strike({"action": f"{service}:*", "effect": "duplicate-page"})
    told = list(pages())
    assert told[0::2] == told[1::2]
    assert [row for page in told[0::2] for row in page] == whole


def test_rest_services_page_too(client: Client, strike: Strike) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="bbb", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    for key in "xyz":
        s3.put_object(Bucket="bbb", Key=key, Body=b"1")
    strike({"action": "s3:*", "effect": "page-size-1"})
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="bbb")
    assert [[row["Key"] for row in page["Contents"]] for page in pages] == [["x"], ["y"], ["z"]]
    strike({"action": "eks:*", "effect": "page-size-1"})
    versions = client("eks").get_paginator("describe_cluster_versions").paginate()
    sizes = [len(page["clusterVersions"]) for page in versions]
    assert len(sizes) > 3
    assert set(sizes) == {1}


# Service, what makes a row, paginated method with its parameters, and members with rows.
SEVERAL_TOKENS: dict[str, tuple[Callable[..., Any], str, dict[str, Any], list[str]]] = {
    "list_object_versions": (
        lambda s3, n: s3.put_object(Bucket="bbb", Key="one key", Body=str(n).encode()),
        "s3", {"Bucket": "bbb"}, ["Versions", "DeleteMarkers"],
    ),
    "list_multipart_uploads": (
        lambda s3, n: s3.create_multipart_upload(Bucket="bbb", Key=f"k {n}"),
        "s3", {"Bucket": "bbb"}, ["Uploads"],
    ),
    "list_objects": (
        lambda s3, n: s3.put_object(Bucket="bbb", Key=f"k {n}", Body=b"x"),
        "s3", {"Bucket": "bbb"}, ["Contents"],
    ),
    "list_resource_record_sets": (
        lambda route53, n, **zone: route53.change_resource_record_sets(
            **zone,
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
                "Name": f"r{n}.example.org", "Type": "A", "TTL": 60,
                "ResourceRecords": [{"Value": "10.0.0.1"}],
            }}]},
        ),
        "route53", {}, ["ResourceRecordSets"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", sorted(SEVERAL_TOKENS))
def test_what_has_several_tokens_pages_too(client: Client, strike: Strike, method: str) -> None:
    make, service, parameters, members = SEVERAL_TOKENS[method]
    aws = client(service)
    if service == "s3":
        aws.create_bucket(
            Bucket="bbb", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
        aws.put_bucket_versioning(Bucket="bbb", VersioningConfiguration={"Status": "Enabled"})
    else:
        made = aws.create_hosted_zone(Name="example.org", CallerReference="c")
        parameters = {"HostedZoneId": made["HostedZone"]["Id"]}
    for number in range(4):
        make(aws, number, **(parameters if service == "route53" else {}))
    if method == "list_object_versions":
        aws.delete_object(Bucket="bbb", Key="one key")

    def pages() -> list[list[Any]]:
        told = aws.get_paginator(method).paginate(**parameters)
        return [[row for member in members for row in page.get(member, [])] for page in told]

    whole = [row for page in pages() for row in page]
    assert len(whole) >= 4
    strike({"action": f"{service}:*", "effect": "page-size-1"})
    assert pages() == [[row] for row in whole]
    strike({"action": f"{service}:*", "effect": "duplicate-page"})
    told = pages()
    assert told[0::2] == told[1::2]
    assert [row for page in told[0::2] for row in page] == whole


def test_a_fault_is_an_error_or_an_effect(sandbox: Sandbox) -> None:
    both = {"action": "ec2:*", "error": "X", "effect": "time-out"}
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own
        f"{sandbox.endpoint}/_sandbox/faults", json.dumps([both]).encode()
    )
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request)  # noqa: S310

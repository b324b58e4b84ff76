"""The check of every answer against botocore's models sees what is wrong with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from preflight.sandbox.conformance import deviations
from preflight.sandbox.request import INJECTED, Request, Response
from preflight.sandbox.server import Sandbox

FORM = "application/x-www-form-urlencoded"
Found = Callable[..., list[str]]


@pytest.fixture
def found(sandbox: Sandbox) -> Found:
    """Tell what is wrong with a body, as an answer to an operation."""

    def look(service: str, operation: str, body: str, content_type: str = "") -> list[str]:
        request = Request(
            world=sandbox.world,
            environ={"CONTENT_TYPE": content_type},
            body=b"",
            service=service,
            region="us-west-2",
            operation=operation,
            access_key_id="",
        )
        return list(deviations(request, Response(200, [], body.encode(), request)))

    return look


def iam(inner: str) -> str:
    return f"<ListUsersResponse><ListUsersResult>{inner}</ListUsersResult></ListUsersResponse>"


def summary(entry: str) -> str:
    inner = f"<SummaryMap><entry>{entry}</entry></SummaryMap>"
    result = f"<GetAccountSummaryResult>{inner}</GetAccountSummaryResult>"
    return f"<GetAccountSummaryResponse>{result}</GetAccountSummaryResponse>"


def ec2(inner: str) -> str:
    return f"<DescribeVpcsResponse><requestId>r</requestId>{inner}</DescribeVpcsResponse>"


@pytest.mark.parametrize(
    ("service", "operation", "body", "wrong"),
    [
        ("eks", "DescribeCluster", '{"cluster": {"name": "c"}}', []),
        ("eks", "DescribeCluster", '{"cluster": {"hue": 1}}', ["no member hue"]),
        ("eks", "DescribeCluster", '{"cluster": {"name": 1}}', ["1 is no string"]),
        ("eks", "DescribeCluster", '{"cluster": {"status": "UP"}}', ["'UP' is none of"]),
        ("eks", "DescribeCluster", '{"cluster": {"createdAt": "now"}}', ["'now' is no timestamp"]),
        ("eks", "DescribeCluster", '{"cluster": [1]}', ["is no structure"]),
        ("eks", "ListClusters", '{"clusters": "c"}', ["'c' is no list"]),
        ("ec2", "DescribeVpcs", ec2("<vpcSet><item><vpcId>v</vpcId></item></vpcSet>"), []),
        ("ec2", "DescribeVpcs", ec2("<vpcs/>"), ["no member vpcs"]),
        ("ec2", "DescribeVpcs", ec2("<vpcSet/><vpcSet/>"), ["vpcSet stands there 2 times"]),
        ("ec2", "DescribeVpcs", ec2("<vpcSet><member/></vpcSet>"), ["member in place of item"]),
        (
            "ec2",
            "DescribeVpcs",
            ec2("<vpcSet><item><isDefault>no</isDefault></item></vpcSet>"),
            ["'no' is no boolean"],
        ),
        (
            "ec2",
            "DescribeVpcs",
            ec2("<vpcSet><item><vpcId><id>v</id></vpcId></item></vpcSet>"),
            ["id inside of a string"],
        ),
        ("iam", "ListUsers", iam("<Users/><IsTruncated>false</IsTruncated>"), []),
        ("iam", "ListUsers", iam(""), ["Users is missing"]),
        ("iam", "ListUsers", "<ListUsersResponse/>", ["in the answer is its ListUsersResult"]),
        ("iam", "ListUsers", "", ["Users is missing"]),
        ("kms", "ListKeys", "", []),
        ("iam", "GetAccountSummary", summary("<key>Users</key><value>1</value>"), []),
        ("iam", "GetAccountSummary", summary("<key>Users</key><value>a</value>"), ["no integer"]),
        ("iam", "GetAccountSummary", summary("<k>Users</k><v>1</v>"), ["k, v in place of key and"]),
        ("s3", "GetBucketEncryption", "<E><Rule/></E>", []),
        ("s3", "GetBucketEncryption", "<E><Rules/></E>", ["no member Rules"]),
    ],
)
def test_an_answer_that_the_model_does_not_allow_is_seen(
    found: Found, service: str, operation: str, body: str, wrong: list[str]
) -> None:
    content_type = FORM if service in ("ec2", "iam") else ""
    said = found(service, operation, body, content_type)
    assert len(said) == len(wrong)
    assert all(part in one for one, part in zip(said, wrong, strict=True)), said


def test_what_ec2_tells_and_its_enumerations_lack_is_let_through(found: Found) -> None:
    def state(value: str) -> list[str]:
        inner = f"<vpcEndpointSet><item><state>{value}</state></item></vpcEndpointSet>"
        return found("ec2", "DescribeVpcEndpoints", ec2(inner), FORM)

    assert state("available") == []
    assert state("ready") != []


@pytest.mark.parametrize(
    ("status", "body", "wrong"),
    [
        (404, '{"__type": "ResourceNotFoundException"}', []),
        (400, '{"__type": "ResourceNotFoundException"}', ["has the status 404, not 400"]),
        (404, '{"__type": "NoSuchClusterException"}', ["eks has no error NoSuchClusterException"]),
        (403, '{"__type": "AccessDeniedException"}', []),
    ],
)
def test_an_error_is_one_that_the_service_has(
    sandbox: Sandbox, status: int, body: str, wrong: list[str]
) -> None:
    request = Request(
        world=sandbox.world,
        environ={},
        body=b"",
        service="eks",
        region="us-west-2",
        operation="DescribeCluster",
        access_key_id="",
    )
    said = list(deviations(request, Response(status, [], body.encode(), request)))
    assert len(said) == len(wrong)
    assert all(part in one for one, part in zip(said, wrong, strict=True)), said
    request.notes[INJECTED] = True
    assert list(deviations(request, Response(status, [], body.encode(), request))) == []


def test_an_answer_of_the_running_server_is_told_to_who_asked_for_it(
    sandbox: Sandbox, answers: Any, client: Callable[..., Any]
) -> None:
    heard: list[tuple[str, int]] = []
    sandbox._server.app._on_answer = lambda request, response: heard.append(
        (request.operation, response.status)
    )
    client("ec2").describe_vpcs()
    assert heard == [("DescribeVpcs", 200)]
    assert answers.found == []


def test_the_lists_of_rules_keep_to_the_model(answers: Any, client: Callable[..., Any]) -> None:
    events = client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["aws.ec2"]}')
    (rule,) = events.list_rules()["Rules"]
    assert rule["Name"] == "r"
    assert answers.found == []

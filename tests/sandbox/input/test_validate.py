"""Requests as other clients than boto3 send them: raw, signed, and wrong."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]
Refusal = Callable[..., tuple[str, int, str]]
Ask = Callable[..., tuple[int, str]]
VERSIONS = {"ec2": "2016-11-15", "iam": "2010-05-08", "sts": "2011-06-15"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def send(sandbox: Sandbox) -> Ask:
    """Send a signed request as it stands; gives status and body."""

    def ask(service: str, body: str, headers: Mapping[str, str], path: str = "/") -> Any:
        request = AWSRequest("POST", sandbox.endpoint + path, dict(headers), body.encode())
        who = Credentials(sandbox.access_key_id, sandbox.secret_access_key)
        SigV4Auth(who, service, sandbox.region).add_auth(request)
        sent = urllib.request.Request(  # noqa: S310 - to this machine
            request.url, body.encode(), dict(request.headers), method="POST"
        )
        try:
            with urllib.request.urlopen(sent, timeout=30) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return ask


@pytest.fixture
def form(send: Ask) -> Ask:
    """Ask a service by form: EC2, IAM and their like."""
    return lambda service, fields: send(
        service, f"Version={VERSIONS[service]}&Action={fields}", FORM
    )


@pytest.fixture
def target(send: Ask) -> Ask:
    """Ask a service in JSON by target: KMS, CloudWatch Logs and their like."""

    def ask(service: str, operation: str, body: Any) -> tuple[int, str]:
        headers = {"X-Amz-Target": operation, "Content-Type": "application/x-amz-json-1.1"}
        return send(service, body if isinstance(body, str) else json.dumps(body), headers)

    return ask


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ("DescribeVpcs&Colour=red", "Colour"),
        ("DescribeVpcs&vpcId.1=vpc-1", "vpcId.1"),
        ("DescribeVpcs&Filter.1.Nome=tag:k", "Filter.1.Nome"),
        ("DescribeVpcs&Filter.first.Name=tag:k", "Filter.first.Name"),
        ("CreateVpc&Colour=red", "Colour"),
    ],
)
def test_ec2_names_the_parameter_that_it_does_not_know(form: Ask, fields: str, name: str) -> None:
    status, body = form("ec2", fields)
    assert status == 400
    assert "<Code>UnknownParameter</Code>" in body
    assert f"<Message>The parameter {name} is not recognized</Message>" in body


def test_what_every_request_of_ec2_may_have_is_known(form: Ask) -> None:
    fields = "DescribeVpcs&Filter.1.Name=cidr&Filter.1.Value.1=10.0.0.0/16&MaxResults=5"
    assert form("ec2", f"{fields}&SignatureVersion=4&X-Amz-Date=now")[0] == 200


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ("CreateSecurityGroup&GroupName=g", "GroupDescription"),
        ("DeleteVpc", "VpcId"),
        ("ModifySecurityGroupRules&GroupId=sg-1&SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp",
         "SecurityGroupRule.1.SecurityGroupRuleId"),
    ],
)  # fmt: skip
def test_ec2_names_the_parameter_that_is_missing(form: Ask, fields: str, name: str) -> None:
    status, body = form("ec2", fields)
    assert status == 400
    assert "<Code>MissingParameter</Code>" in body
    assert f"<Message>The request must contain the parameter {name}</Message>" in body


def test_a_page_of_ec2_has_no_fewer_rows_than_it_allows(form: Ask) -> None:
    status, body = form("ec2", "DescribeVpcs&MaxResults=4")
    assert (status, "<Code>InvalidParameterValue</Code>" in body) == (400, True)
    assert "for parameter maxResults is invalid. Expecting a value greater than 5." in body


def test_what_iam_misses_is_named_by_the_place_of_its_member(form: Ask) -> None:
    status, body = form("iam", "CreateRole&Path=/x/")
    assert status == 400
    assert "<Code>ValidationError</Code>" in body
    assert (
        "2 validation errors detected: Value null at 'roleName' failed to satisfy constraint: "
        "Member must not be null; Value null at 'assumeRolePolicyDocument' failed"
    ) in body


def test_iam_ignores_what_it_does_not_know(form: Ask) -> None:
    assert form("iam", "ListRoles&Colour=red")[0] == 200


def test_json_ignores_members_it_does_not_know(target: Ask) -> None:
    assert target("kms", "TrentService.ListKeys", {"Colour": "red"})[0] == 200


@pytest.mark.parametrize(
    ("service", "operation", "code", "place"),
    [
        ("kms", "TrentService.DescribeKey", "ValidationException", "keyId"),
        ("logs", "Logs_20140328.DeleteLogGroup", "InvalidParameterException", "logGroupName"),
        ("events", "AWSEvents.PutRule", "ValidationException", "name"),
        (
            "servicequotas",
            "ServiceQuotasV20190624.ListServiceQuotas",
            "IllegalArgumentException",
            "serviceCode",
        ),
    ],
)
def test_each_service_has_its_own_code_for_what_is_missing(
    target: Ask, service: str, operation: str, code: str, place: str
) -> None:
    status, body = target(service, operation, {})
    told = json.loads(body)
    assert (status, told["__type"]) == (400, code)
    assert f"Value null at '{place}' failed to satisfy" in told["message"]


def test_what_is_missing_in_a_list_is_named_by_its_number(target: Ask) -> None:
    body = {"KeyId": "k", "Tags": [{"TagKey": "a", "TagValue": "b"}, {"TagKey": "c"}]}
    told = json.loads(target("kms", "TrentService.TagResource", body)[1])
    assert "Value null at 'tags.2.member.tagValue' failed" in told["message"]


def test_what_eks_misses_is_told_as_eks_does(send: Ask) -> None:
    status, body = send("eks", '{"name": "c"}', {"Content-Type": "application/json"}, "/clusters")
    assert status == 400
    assert "Value null at 'roleArn' failed to satisfy constraint" in json.loads(body)["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"Limit": "ten"}, "STRING_VALUE can not be converted to an Integer"),
        ({"Limit": [1]}, "LIST_VALUE can not be converted to an Integer"),
        ({"Marker": 5}, "NUMBER_VALUE can not be converted to a String"),
        ("{", "The input cannot be read"),
        ("[]", "LIST_VALUE can not be converted to a Structure"),
    ],
)
def test_json_of_other_types_cannot_be_read(target: Ask, body: Any, message: str) -> None:
    status, answer = target("kms", "TrentService.ListKeys", body)
    told = json.loads(answer)
    assert (status, told["__type"]) == (400, "SerializationException")
    assert message in told["message"]


def test_an_operation_that_aws_does_not_have_is_refused_in_the_words_of_each_protocol(
    form: Ask, target: Ask
) -> None:
    status, body = form("ec2", "DescribeUnicorns")
    assert status == 400
    assert "The action DescribeUnicorns is not valid for this web service." in body
    status, body = form("iam", "ListUnicorns")
    assert (status, "<Code>InvalidAction</Code>" in body) == (400, True)
    assert "Could not find operation ListUnicorns for version 2010-05-08" in body
    status, body = target("kms", "TrentService.ListUnicorns", {})
    assert json.loads(body)["__type"] == "UnknownOperationException"


def test_names_are_as_long_and_of_the_letters_that_the_model_says(
    client: Client, refusal: Refusal
) -> None:
    iam = client("iam")
    code, status, message = refusal(
        iam.create_role, RoleName="r" * 65, AssumeRolePolicyDocument="{}"
    )
    assert (code, status) == ("ValidationError", 400)
    assert message == (
        f"1 validation error detected: Value '{'r' * 65}' at 'roleName' failed to satisfy "
        "constraint: Member must have length less than or equal to 64"
    )
    _, _, message = refusal(iam.create_user, UserName="a b")
    assert "Member must satisfy regular expression pattern: [\\w+=,.@-]+" in message
    code, _, message = refusal(client("kms").create_key, KeyUsage="DECORATE")
    assert code == "ValidationException"
    assert "'keyUsage' failed to satisfy constraint: Member must satisfy enum value set:" in message
    _, _, message = refusal(client("kms").list_keys, Limit=1001)
    assert message.endswith("Member must have value less than or equal to 1000")


def test_a_denied_caller_is_told_first_what_is_wrong_with_the_request(
    client: Client, refusal: Refusal
) -> None:
    client("iam").create_user(UserName="nobody")
    key = client("iam").create_access_key(UserName="nobody")["AccessKey"]
    nobody = client("kms", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    assert refusal(nobody.list_keys)[0] == "AccessDeniedException"
    assert refusal(nobody.list_keys, Limit=1001)[0] == "ValidationException"

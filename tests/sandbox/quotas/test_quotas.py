from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

Client = Any


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def values(quotas: Any, service: str) -> dict[str, float]:
    pages = quotas.get_paginator("list_service_quotas").paginate(ServiceCode=service)
    return {row["QuotaCode"]: row["Value"] for page in pages for row in page["Quotas"]}


def test_ec2_has_more_than_a_thousand_quotas_in_pages_of_a_hundred(client: Client) -> None:
    quotas = client("service-quotas")
    pages = list(quotas.get_paginator("list_service_quotas").paginate(ServiceCode="ec2"))
    sizes = [len(page["Quotas"]) for page in pages]
    assert sum(sizes) > 1000
    assert set(sizes[:-1]) == {100}
    rows = {row["QuotaCode"]: row for page in pages for row in page["Quotas"]}
    assert len(rows) == sum(sizes)
    assert rows["L-1216C47A"]["Value"] == 5
    assert rows["L-1216C47A"]["QuotaArn"] == (
        "arn:aws:servicequotas:us-west-2:111122223333:ec2/L-1216C47A"
    )


def test_the_scenario_sets_a_quota_in_its_region_only(sandbox: Sandbox, client: Client) -> None:
    entry = {"service": "vpc", "code": "L-F678F1CE", "region": "us-west-2", "applied": 9}
    sandbox.reset({"rates": "off", "quotas": [entry]})
    assert values(client("service-quotas"), "vpc")["L-F678F1CE"] == 9
    assert values(client("service-quotas", region="us-east-2"), "vpc")["L-F678F1CE"] == 5
    default = client("service-quotas").get_aws_default_service_quota(
        ServiceCode="vpc", QuotaCode="L-F678F1CE"
    )
    assert default["Quota"]["Value"] == 5


def test_iam_and_s3_are_visible_in_us_east_1_only(client: Client) -> None:
    west, east = client("service-quotas"), client("service-quotas", region="us-east-1")
    for service, quota in (("iam", "L-FE177D64"), ("s3", "L-DC2B2D3D")):
        assert values(east, service)[quota] > 0
        with pytest.raises(ClientError) as error:
            values(west, service)
        assert code(error) == "NoSuchResourceException"
    listed = {row["ServiceCode"] for row in west.list_services()["Services"]}
    assert "vpc" in listed
    assert not listed & {"iam", "s3"}


def test_a_quota_without_an_applied_value_has_a_default_only(client: Client) -> None:
    quotas = client("service-quotas")
    where = {"ServiceCode": "ecr", "QuotaCode": "L-CFEB8E8D"}
    assert quotas.get_aws_default_service_quota(**where)["Quota"]["Value"] == 10_000
    assert values(quotas, "ecr") == {}
    with pytest.raises(ClientError) as error:
        quotas.get_service_quota(**where)
    assert code(error) == "NoSuchResourceException"


def test_an_unreadable_quota_carries_its_reason_and_no_value(
    sandbox: Sandbox, client: Client
) -> None:
    entry = {
        "service": "vpc", "code": "L-F678F1CE", "error_reason": "DEPENDENCY_THROTTLING_ERROR",
    }  # fmt: skip
    sandbox.reset({"quotas": [entry]})
    row = client("service-quotas").get_service_quota(ServiceCode="vpc", QuotaCode="L-F678F1CE")
    assert row["Quota"]["ErrorReason"]["ErrorCode"] == "DEPENDENCY_THROTTLING_ERROR"
    assert "Value" not in row["Quota"]


def test_an_increase_is_pending_once_and_granted_in_time(sandbox: Sandbox, client: Client) -> None:
    quotas = client("service-quotas")
    where = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    made = quotas.request_service_quota_increase(**where, DesiredValue=20)["RequestedQuota"]
    assert made["Status"] == "PENDING"
    with pytest.raises(ClientError) as error:
        quotas.request_service_quota_increase(**where, DesiredValue=30)
    assert code(error) == "ResourceAlreadyExistsException"
    history = quotas.list_requested_service_quota_change_history_by_quota(**where, Status="PENDING")
    assert [row["Id"] for row in history["RequestedQuotas"]] == [made["Id"]]
    sandbox.world.clock.advance(3600)
    later = quotas.get_requested_service_quota_change(RequestId=made["Id"])["RequestedQuota"]
    assert later["Status"] == "APPROVED"
    assert values(quotas, "vpc")["L-F678F1CE"] == 20


def test_raising_vpcs_raises_their_gateways(sandbox: Sandbox, client: Client) -> None:
    quotas = client("service-quotas")
    where = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    quotas.request_service_quota_increase(**where, DesiredValue=12)
    assert values(quotas, "vpc")["L-A4707A72"] == 5

    sandbox.world.clock.advance(3600)

    granted = values(quotas, "vpc")
    assert {granted[code] for code in ("L-F678F1CE", "L-A4707A72", "L-45FE3B85")} == {12}


def test_an_account_takes_twenty_open_requests(sandbox: Sandbox, client: Client) -> None:
    codes = [
        row["QuotaCode"]
        for row in client("service-quotas").list_service_quotas(ServiceCode="ec2")["Quotas"]
        if row["Adjustable"]
    ][:21]
    for number, code_ in enumerate(codes[:20]):
        region = ("us-west-2", "us-east-1")[number % 2]
        client("service-quotas", region=region).request_service_quota_increase(
            ServiceCode="ec2", QuotaCode=code_, DesiredValue=9999
        )
    with pytest.raises(ClientError) as error:
        client("service-quotas").request_service_quota_increase(
            ServiceCode="ec2", QuotaCode=codes[20], DesiredValue=9999
        )
    assert code(error) == "QuotaExceededException"


@pytest.mark.parametrize(
    ("service", "quota", "desired", "expected"),
    [
        ("vpc", "L-F678F1CE", 5, "IllegalArgumentException"),
        ("eks", "L-11427A54", 9, "IllegalArgumentException"),
        ("vpc", "L-ABCDEF01", 9, "NoSuchResourceException"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    client: Client, service: str, quota: str, desired: float, expected: str
) -> None:
    with pytest.raises(ClientError) as error:
        client("service-quotas").request_service_quota_increase(
            ServiceCode=service, QuotaCode=quota, DesiredValue=desired
        )
    assert code(error) == expected


def test_an_opt_in_region_takes_two_open_requests(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset({"rates": "off", "regions": {"af-south-1": {"opt_in": "opted-in"}}})
    quotas = client("service-quotas", region="af-south-1")
    for quota in ("L-F678F1CE", "L-407747CB"):
        quotas.request_service_quota_increase(ServiceCode="vpc", QuotaCode=quota, DesiredValue=999)
    with pytest.raises(ClientError) as error:
        quotas.request_service_quota_increase(
            ServiceCode="vpc", QuotaCode="L-FE5A380F", DesiredValue=999
        )
    assert code(error) == "QuotaExceededException"


def test_a_request_from_before_is_in_the_history(sandbox: Sandbox, client: Client) -> None:
    entry = {
        "service": "ec2", "code": "L-1216C47A", "region": "us-west-2", "applied": 64,
        "pending": {"desired": 512, "status": "CASE_OPENED"},
    }  # fmt: skip
    sandbox.reset({"quotas": [entry]})
    history = client("service-quotas").list_requested_service_quota_change_history(
        Status="CASE_OPENED"
    )["RequestedQuotas"]
    assert [(row["QuotaCode"], row["DesiredValue"]) for row in history] == [("L-1216C47A", 512)]
    assert history[0]["CaseId"]


def test_faster_than_aws_answers_is_throttled_by_region(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset({})
    west, east = client("service-quotas"), client("service-quotas", region="us-east-1")
    where = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    with pytest.raises(ClientError) as error:
        [west.get_service_quota(**where) for _ in range(30)]
    assert code(error) == "TooManyRequestsException"
    assert east.get_service_quota(**where)["Quota"]["Value"] == 5
    sandbox.reset({"rates": "off"})
    west = client("service-quotas")
    for _ in range(12):
        west.get_service_quota(**where)


def test_a_token_of_another_list_is_refused(client: Client) -> None:
    quotas = client("service-quotas")
    token = quotas.list_service_quotas(ServiceCode="ec2")["NextToken"]
    with pytest.raises(ClientError) as error:
        quotas.list_service_quotas(ServiceCode="vpc", NextToken=token)
    assert code(error) == "InvalidPaginationTokenException"

"""`preflight quotas` as a person uses it, on one account in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.server import Sandbox

REGION = "us-west-2"
VPC = "vpc/L-F678F1CE"
ACCOUNT: dict[str, Any] = {
    "account": {"id": "111122223333", "region": REGION},
    "rates": "off",
    "quotas": [{"service": "vpc", "code": "L-F678F1CE", "region": REGION, "applied": 3}],
    "principals": [
        {
            "role": "auditor",
            "trust": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            "policies": ["arn:aws:iam::aws:policy/AdministratorAccess"],
        }
    ],
    "calls": [
        {
            "service": "ec2",
            "region": REGION,
            "operation": "CreateVpc",
            "parameters": {"CidrBlock": "10.9.0.0/16"},
            "repeat": 2,
        }
    ],
}


@pytest.fixture
def account(sandbox: Sandbox) -> Sandbox:
    sandbox.reset(ACCOUNT, time_scale=1800)
    return sandbox


Report = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def report(preflight: Any) -> Report:
    """Run a command under `quotas` and read its report."""

    def ran(*arguments: str) -> tuple[int, dict[str, Any]]:
        done = preflight("quotas", *arguments, "-o", "json")
        assert done.out, done.err
        return done.code, json.loads(done.out)

    return ran


def by_subject(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["subject"]: each for each in found["findings"]}


def spec(name: str, **more: Any) -> Path:
    path = Path(f"{name}.yaml")
    wanted = {"name": name, "region": REGION, "instance_types": [{"type": "m7i.large"}], **more}
    path.write_text(json.dumps(wanted))
    return path


def test_an_audit_names_what_is_full_and_its_trend(
    account: Sandbox, report: Report, preflight: Any
) -> None:
    code, found = report("--services", "vpc", "-o", "json:before.json")
    row = by_subject(found)[VPC]

    assert code == 3
    assert found["verdict"] == "closed"
    assert (row["status"], row["data"]["used"], row["data"]["limit"]) == ("fail", 3, 3)
    assert row["data"]["request"] == 4
    assert f"`preflight quotas request {VPC}=4 --region {REGION}`" in row["hint"]

    code, again = report("--services", "vpc", "--baseline", "before.json", "--fail-at", "100")
    assert by_subject(again)[VPC]["message"].endswith("before: 3 of 3 (±0)")
    assert by_subject(again)[VPC]["id"] == row["id"]


def test_rules_are_counted_on_each_bus_and_the_fullest_bus_is_named(
    account: Sandbox, report: Report
) -> None:
    def on(bus: str, rules: int) -> dict[str, Any]:
        pattern = json.dumps({"source": ["shop"]})
        rule = {"Name": "rule-${n}", "EventBusName": bus, "EventPattern": pattern}
        made = {"service": "events", "region": REGION, "operation": "PutRule", "parameters": rule}
        return {**made, "repeat": rules}

    bus = {"service": "events", "region": REGION, "operation": "CreateEventBus"}
    orders = {**bus, "parameters": {"Name": "orders"}}
    account.reset({**ACCOUNT, "calls": [orders, on("default", 2), on("orders", 3)]})

    _, found = report("--services", "events")
    row = by_subject(found)["events/L-244521F2"]

    assert (row["data"]["used"], row["data"]["fullest"]) == (3, "orders")
    assert row["message"].startswith("Number of rules: 3 of 300 in use in orders")


def test_a_plan_is_judged_by_the_bus_that_its_rules_go_to(account: Sandbox, report: Report) -> None:
    rule = {"Name": "rule-${n}", "ScheduleExpression": "rate(1 day)"}
    made = {"service": "events", "region": REGION, "operation": "PutRule", "parameters": rule}
    account.reset({**ACCOUNT, "calls": [{**made, "repeat": 2}]})
    path = spec("dev", instance_types=[{"type": "m7i.large", "capacity": ["spot"]}])

    _, found = report("-f", str(path), "--services", "events")

    row = by_subject(found)["events/L-244521F2 default"]
    assert row["data"]["used"] == 2
    assert row["data"]["needed"] > 0


def test_several_regions_and_accounts_are_all_in_the_report(
    account: Sandbox, report: Report
) -> None:
    Path("accounts.yaml").write_text(
        json.dumps(
            {
                "accounts": [
                    {"role_arn": "arn:aws:iam::111122223333:role/auditor"},
                    {"role_arn": "arn:aws:iam::999988887777:role/auditor", "external_id": "x" * 30},
                ]
            }
        )
    )
    regions = ("us-west-2", "us-east-1")

    code, found = report(
        "--accounts", "accounts.yaml", "--regions", ",".join(regions), "--services", "vpc,iam"
    )
    rows = by_subject(found)

    assert code == 3  # us-west-2 is full; what is not known does not hide it
    assert found["complete"] is False
    assert rows["999988887777"]["status"] == "unknown"
    assert rows["999988887777"]["data"]["missing_action"] == "sts:AssumeRole"
    assert rows[f"111122223333/us-west-2 {VPC}"]["status"] == "fail"
    assert rows[f"111122223333/us-east-1 {VPC}"]["status"] == "pass"
    roles = [subject for subject in rows if "iam/L-FE177D64" in subject]
    assert len(roles) == 1, "a global quota is one row, whatever the Regions"
    assert "x" * 30 not in json.dumps(found)


@pytest.mark.parametrize(
    ("action", "costs"),
    [
        ("ec2:DescribeInternetGateways", {"vpc/L-A4707A72"}),
        ("ec2:DescribeSubnets", {"vpc/L-407747CB", "vpc/L-FE5A380F"}),
        ("ec2:DescribeNetworkInterfaces", {"vpc/L-DF5E4CA3", "vpc/L-2AFB9258"}),
    ],
)
def test_a_denied_action_costs_its_quotas_and_no_others(
    account: Sandbox, report: Report, action: str, costs: set[str]
) -> None:
    account.world.part(Faults).replace([{"action": action, "error": "UnauthorizedOperation"}])

    _, found = report("--services", "vpc")

    unknown = [each for each in found["findings"] if each["status"] == "unknown"]
    assert {each["subject"] for each in unknown} == costs
    assert {each["hint"] for each in unknown} == {f"allow {action}"}
    assert found["coverage"][0]["missing_action"] == action


def test_two_plans_that_fit_alone_do_not_fit_together(account: Sandbox, report: Report) -> None:
    account.reset({**ACCOUNT, "quotas": [{**ACCOUNT["quotas"][0], "applied": 4}]})
    one, two = spec("dev"), spec("prod")

    def needs(*files: Path) -> dict[str, Any]:
        flags = [word for path in files for word in ("-f", str(path))]
        _, found = report(*flags, "--services", VPC)
        return by_subject(found)[VPC]

    alone, together = needs(one), needs(one, two)

    assert (alone["status"], alone["data"]["needed"]) == ("warn", 1)
    assert (together["status"], together["data"]["needed"]) == ("fail", 2)
    assert together["data"]["request"] == 5


def test_a_request_is_a_dry_run_until_it_is_told_otherwise(
    account: Sandbox, report: Report, changed: Callable[[], list[str]]
) -> None:
    code, found = report("request", f"{VPC}=8", "--region", REGION)

    assert code == 0
    assert by_subject(found)[f"{VPC} {REGION}"]["data"]["standing"] == "missing"
    assert "RequestServiceQuotaIncrease" not in changed()


def test_a_request_is_filed_once_and_watched_until_it_is_granted(
    account: Sandbox, report: Report, preflight: Any, changed: Callable[[], list[str]]
) -> None:
    subject = f"{VPC} {REGION}"
    account.reset(ACCOUNT, time_scale=1)

    _, first = report("request", f"{VPC}=8", "eks/L-11427A54=9", "--yes")
    code, again = report("request", f"{VPC}=8", "--yes")

    assert by_subject(first)[subject]["data"]["standing"] == "filed"
    assert by_subject(first)[f"eks/L-11427A54 {REGION}"]["data"]["standing"] == "refused"
    assert code == 0
    assert by_subject(again)[subject]["data"]["standing"] == "pending"
    assert changed().count("RequestServiceQuotaIncrease") == 1

    stopped = preflight("quotas", "watch", "--interval", "0.1", "--timeout", "0.3", "-o", "json")
    assert stopped.code == 4
    assert "stopped and started again it goes on" in stopped.err
    account.world.clock.advance(3600)
    code, watched = report("watch", "--timeout", "0")
    assert code == 0
    assert by_subject(watched)[subject]["status"] == "pass"
    request_id = by_subject(first)[subject]["data"]["request_id"]
    assert by_subject(watched)[subject]["data"]["request_id"] == request_id


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--services", "vcp"], "no quota of the catalogue is called 'vcp'"),
        (["--services", "vpc/L-00000000"], "no quota of the catalogue is called 'vpc/L-00000000'"),
        (["--warn-at", "120"], "make no sense"),
        (["--regions", "us-wets-2"], "AWS has no Region 'us-wets-2'"),
        (["--accounts", "wrong.yaml"], "wrong.yaml:2: [0]: 'arn:aws:iam::1:user/x' is not the ARN"),
        (["--accounts", "none.yaml"], "none.yaml"),
        (["--baseline", "old.json"], "not a report of version 1"),
        (["--baseline", "other.json"], "other.json is a report of `preflight scan`"),
        (["-f", "a.yaml", "--regions", "all"], "a plan says its own Region"),
        (["request", "vpc=8"], "'vpc=8' is no request"),
        (["request"], "ask for what?"),
        (["--region", "eu-west-1", "request", f"{VPC}=8"], "--region goes behind `request`"),
    ],
)
def test_bad_input_is_one_message(
    arguments: list[str], said: str, preflight: Any, sandbox: Sandbox
) -> None:
    Path("wrong.yaml").write_text("# roles\n- arn:aws:iam::1:user/x\n")
    Path("old.json").write_text('{"schema": "preflight.report/0"}')
    other: dict[str, Any] = {
        "schema": "preflight.report/1",
        "kind": "scan",
        "generated_at": "2026-01-01T00:00:00Z",
    }
    other |= {"version": "1", "account": None, "region": None, "cluster": None, "verdict": "clean"}
    calls = {"total": 0, "by_operation": {}}
    rest = {"complete": True, "findings": [], "coverage": [], "calls": calls, "seconds": 0}
    Path("other.json").write_text(json.dumps(other | rest))

    ran = preflight("quotas", *arguments)

    assert ran.code == 2
    assert said in ran.message()
    assert not sandbox.world.calls


def test_a_region_that_cannot_be_read_is_unknown_and_in_the_report(
    account: Sandbox, report: Report
) -> None:
    code, found = report("--regions", "us-east-1,ap-east-1", "--services", VPC)
    rows = by_subject(found)

    assert code == 4
    assert rows[f"111122223333/us-east-1 {VPC}"]["status"] == "pass"
    assert rows[f"111122223333/ap-east-1 {VPC}"]["status"] == "unknown"
    covered = {each["rule"]: each["status"] for each in found["coverage"]}
    assert covered == {
        "quotas 111122223333/us-east-1": "pass",
        "quotas 111122223333/ap-east-1": "unknown",
    }


def test_a_code_that_aws_does_not_list_is_a_mistake(account: Sandbox, preflight: Any) -> None:
    ran = preflight("quotas", "request", "vpc/L-00000000=8", "--yes")

    assert ran.code == 2
    assert "AWS lists no quota vpc/L-00000000" in ran.message()


def test_throttling_slows_the_audit_down_and_loses_nothing(
    account: Sandbox, report: Report
) -> None:
    rule = {"action": "servicequotas:*", "error": "TooManyRequestsException", "count": 5}
    account.world.part(Faults).replace([rule])

    _, found = report("--services", "vpc,eks")

    assert found["complete"] is True


def test_one_process_never_exceeds_the_documented_rates(account: Sandbox, report: Report) -> None:
    account.reset({**ACCOUNT, "rates": "on"})

    _, found = report("--regions", "us-west-2,us-east-1")

    throttled = [call for call in account.world.calls if call["error"] is not None]
    assert [call for call in throttled if "TooMany" in str(call["error"])] == []
    assert found["complete"] is True


def test_what_a_plan_lacks_is_asked_for_and_the_watch_ends_with_the_gate(
    account: Sandbox, report: Report
) -> None:
    account.reset({**ACCOUNT, "quotas": []}, time_scale=1)
    path = spec("dev")

    code, asked = report("request", "-f", str(path), "--yes")
    filed = {each["data"]["code"] for each in asked["findings"]}
    account.world.clock.advance(3600)
    _, watched = report("watch", "--timeout", "0")

    assert code == 0
    # The vCPUs of the nodes, bought either way, and five VPCs that have to be free.
    assert filed == {"L-1216C47A", "L-34B43A08", "L-F678F1CE"}
    assert watched["kind"] == "check"
    assert watched["cluster"] == "dev"
    closing = {each["check"] for each in watched["findings"] if each["status"] == "fail"}
    assert "quota-plan" not in closing
    assert "quota-vendor" not in closing

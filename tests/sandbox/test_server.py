from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.clock import VirtualClock
from preflight.sandbox.server import Sandbox

Client = Any
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)

NETWORK = {
    "calls": [
        {
            "service": "ec2",
            "operation": "CreateVpc",
            "parameters": {"CidrBlock": "10.1.0.0/16"},
            "save": {"vpc": "Vpc.VpcId"},
        },
        {
            "service": "ec2",
            "operation": "CreateSubnet",
            "parameters": {"VpcId": "${vpc}", "CidrBlock": "10.1.${n}.0/24"},
            "repeat": 5,
        },
    ]
}


def control(sandbox: Sandbox, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{sandbox.endpoint}/_sandbox/{path}", data=data)) as answer:  # noqa: S310
        return json.load(answer)


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_the_banner_says_where_and_as_whom(sandbox: Sandbox) -> None:
    banner = sandbox.banner()
    assert set(banner) == {
        "endpoint", "account", "region", "access_key_id", "secret_access_key",
    }  # fmt: skip
    assert banner["account"] == "111122223333"
    assert sandbox.environment()["AWS_ENDPOINT_URL"] == banner["endpoint"]


def test_a_child_process_reaches_it_by_the_environment_alone(sandbox: Sandbox) -> None:
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    environment = {**os.environ, **sandbox.environment()}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "arn:aws:iam::111122223333:user/sandbox-admin"


def test_a_second_sandbox_in_one_process_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="one only"), Sandbox():
        pass
    assert control(sandbox, "calls") == []


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("scenario", [{}, NETWORK], ids=["empty", "with-calls-of-ec2"])
def test_it_starts_within_two_seconds(scenario: dict[str, Any]) -> None:
    script = (
        "import time\n"
        "from preflight.sandbox.server import Sandbox\n"
        f"with Sandbox({scenario!r}): print(time.process_time())"  # others may use the machine
    )
    assert float(run(script)) < 2


def test_what_botocore_says_of_a_service_is_read_once() -> None:
    script = f"""
import sys
opened = []
def note(event, given):
    if event == "open" and "ec2" in str(given[0]) and "service-2" in str(given[0]):
        opened.append(str(given[0]))
sys.addaudithook(note)
from preflight.sandbox.server import Sandbox
with Sandbox({NETWORK!r}):
    print(len(opened), len(set(opened)))
"""
    count, files = run(script).split()
    assert int(count) == int(files) > 0


def test_resources_made_belong_to_the_account_of_the_scenario(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.reset({"account": {"id": "222233334444", "region": "eu-central-1"}})
    vpc = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]
    assert vpc["OwnerId"] == "222233334444"
    assert client("ec2", region="us-west-2").describe_vpcs(VpcIds=[])["Vpcs"]
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    assert role["Role"]["Arn"] == "arn:aws:iam::222233334444:role/r"


def test_users_made_by_api_call_with_their_own_keys_in_the_same_account(client: Client) -> None:
    client("iam").create_user(UserName="bob")
    key = client("iam").create_access_key(UserName="bob")["AccessKey"]
    bob = client("sts", key=(key["AccessKeyId"], key["SecretAccessKey"])).get_caller_identity()
    assert bob["Arn"] == "arn:aws:iam::111122223333:user/bob"
    client("iam").update_access_key(
        UserName="bob", AccessKeyId=key["AccessKeyId"], Status="Inactive"
    )
    with pytest.raises(ClientError) as error:
        client("sts", key=(key["AccessKeyId"], key["SecretAccessKey"])).get_caller_identity()
    assert code(error) == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("service", "method", "expected"),
    [
        ("iam", "list_users", "InvalidClientTokenId"),
        ("ec2", "describe_vpcs", "AuthFailure"),
        ("eks", "list_clusters", "UnrecognizedClientException"),
        ("logs", "describe_log_groups", "UnrecognizedClientException"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_an_unknown_key_is_refused_in_the_words_of_each_service(
    client: Client, service: str, method: str, expected: str
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(client(service, key=("AKIANOBODYNOBODYNOBO", "x")), method)()
    assert code(error) == expected


def test_what_the_sandbox_lacks_is_named_and_not_retried(client: Client) -> None:
    with pytest.raises(ClientError) as error:
        client("glacier").list_vaults(accountId="-") and client("braket").search_jobs(filters=[])
    assert code(error) == "NotImplemented"
    assert "braket" in str(error.value)


def test_the_call_log_has_one_line_a_request_in_memory_and_in_the_file(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    script = f"""
import boto3, botocore
from preflight.sandbox.server import Sandbox
import time
with Sandbox(call_log={str(log)!r}, latency_ms=150, time_scale=100) as sandbox:
    before, started = sandbox.world.clock.monotonic(), time.monotonic()
    def client(name):
        return boto3.client(name, region_name="us-west-2", endpoint_url=sandbox.endpoint,
            aws_access_key_id=sandbox.access_key_id, aws_secret_access_key="x")
    client("eks").list_clusters()
    try: client("eks").describe_cluster(name="none")
    except botocore.exceptions.ClientError: pass
    assert len(sandbox.world.calls) == 2
    passed = time.monotonic() - started
    assert passed >= 0.3, "two calls, each with the latency"
    assert sandbox.world.clock.monotonic() - before >= 30, "a hundred virtual seconds in a real one"
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(one["operation"], one["status"], one["error"]) for one in lines] == [
        ("ListClusters", 200, None),
        ("DescribeCluster", 404, "ResourceNotFoundException"),
    ]
    assert set(lines[0]) == {
        "t", "service", "operation", "region", "principal", "status", "error",
    }  # fmt: skip
    assert lines[0]["principal"] == "arn:aws:iam::111122223333:user/sandbox-admin"


def test_the_state_is_the_same_after_looking_and_after_making_and_deleting(
    sandbox: Sandbox, client: Client
) -> None:
    before = control(sandbox, "state")
    ec2, iam = client("ec2"), client("iam")
    ec2.describe_vpcs()
    iam.list_roles()
    assert control(sandbox, "state") == before
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    during = control(sandbox, "state")
    assert vpc in during["services"]["ec2"]["us-west-2"]["vpcs"]
    assert '"r"' in json.dumps(during["services"]["iam"])
    ec2.delete_vpc(VpcId=vpc)
    iam.delete_role(RoleName="r")
    assert control(sandbox, "state") == before


def test_the_state_changes_with_a_tag_and_holds_no_secret(sandbox: Sandbox, client: Client) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    before = control(sandbox, "state")
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}])
    assert control(sandbox, "state") != before
    assert sandbox.secret_access_key not in json.dumps(before)


def test_the_clock_is_moved_from_outside(sandbox: Sandbox) -> None:
    before = sandbox.world.clock.now()
    control(sandbox, "clock", {"advance": 3600})
    assert 3600 <= (sandbox.world.clock.now() - before).total_seconds() < 3660


def test_a_scaled_clock_runs_faster_and_never_back() -> None:
    clock = VirtualClock(1000)
    before = clock.monotonic()
    time.sleep(0.01)
    assert clock.monotonic() - before >= 10
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="time_scale"):
        VirtualClock(0)


def test_faults_strike_by_glob_for_as_often_as_told(sandbox: Sandbox, client: Client) -> None:
    rule = {"action": "eks:List*", "error": "ThrottlingException", "count": 2}
    assert control(sandbox, "faults", {"faults": [rule]}) == {"faults": 1}
    eks = client("eks")
    for _ in range(2):
        with pytest.raises(ClientError) as error:
            eks.list_clusters()
        assert code(error) == "ThrottlingException"
    assert eks.list_clusters()["clusters"] == []
    control(sandbox, "faults", {"faults": []})


def test_a_denial_by_fault_names_caller_and_action(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset({"faults": [{"action": "iam:ListUsers", "error": "AccessDenied"}]})
    with pytest.raises(ClientError, match=r"sandbox-admin is not authorized .* iam:ListUsers"):
        client("iam").list_users()
    assert client("iam").list_roles()["Roles"] == []


def test_a_fault_with_a_probability_hits_about_that_share(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset({"faults": [{"action": "sts:*", "error": "Throttling", "probability": 0.5}]})
    hits, sts = 0, client("sts")
    for _ in range(40):
        try:
            sts.get_caller_identity()
        except ClientError:
            hits += 1
    assert 8 <= hits <= 32


def test_a_fault_can_only_delay(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset({"faults": [{"action": "sts:*", "delay_ms": 120}]})
    sts = client("sts")
    started = time.monotonic()
    sts.get_caller_identity()
    assert time.monotonic() - started >= 0.12


@pytest.mark.parametrize(
    "rule", [{"action": "sts:*", "eror": "x"}, {"action": "sts:*", "error": "x", "count": "two"}]
)
def test_a_wrong_fault_is_refused_and_the_old_ones_stay(
    sandbox: Sandbox, client: Client, rule: dict[str, str]
) -> None:
    sandbox.reset({"faults": [{"action": "sts:*", "error": "Throttling"}]})
    with pytest.raises(HTTPError) as error:
        control(sandbox, "faults", [rule])
    with error.value as answer:
        assert answer.code == 400
        assert "faults[0]" in answer.read().decode()
    with pytest.raises(ClientError) as failure:
        client("sts").get_caller_identity()
    assert code(failure) == "Throttling"


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("clock", b"", "request"),
        ("clock", b"{", "line 1"),
        ("clock", b"{}", "advance"),
        ("clock", b'{"advance": "an hour"}', "advance"),
        ("clock", b'{"advance": -1}', "advance"),
        ("clock", b'{"advance": NaN}', "finite"),
        ("clock", b'{"advance": 1, "by": 2}', "by"),
        ("faults", b"7", "faults[0]"),
        ("faults", b'[{"error": "X"}]', "action"),
        ("faults", b'[{"action": "x", "error": "X", "probability": 2}]', "probability"),
        ("leave", b"{}", "cluster"),
        ("leave", b'{"cluster": "c", "what": ["dust"]}', "dust"),
        ("leave", b'{"cluster": "c", "vpc": "vpc-0", "what": ["eni"]}', "vpc-0"),
        ("leave", b'{"cluster": "c", "region": "moon-east-1"}', "moon-east-1"),
        ("faults", b'[{"action": "x", "error": "X", "region": "moon-east-1"}]', "moon-east-1"),
        ("regions", b"", "regions"),
        ("regions", b'{"us-west-2": {"sts": "off"}}', "sts"),
        ("regions", b'{"moon-east-1": {}}', "moon-east-1"),
    ],
)
def test_a_body_that_is_wrong_is_refused_with_what_is_wrong_with_it(
    sandbox: Sandbox, path: str, body: bytes, reason: str
) -> None:
    before = control(sandbox, "state")
    with pytest.raises(HTTPError) as error:
        urlopen(Request(f"{sandbox.endpoint}/_sandbox/{path}", data=body))  # noqa: S310
    with error.value as answer:
        told = json.loads(answer.read())["error"]
        assert (answer.code, reason in told) == (400, True), told
    assert control(sandbox, "state") == before


def test_what_is_deleted_is_forgotten(client: Client) -> None:
    ec2, iam = client("ec2"), client("iam")

    def left() -> int:
        gc.collect()
        kinds = {"Role", "Volume", "Request"}
        return sum(type(each).__name__ in kinds for each in gc.get_objects())

    before = left()
    for number in range(5):
        iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=TRUST)
        iam.delete_role(RoleName=f"r{number}")
        made = ec2.create_volume(Size=1, AvailabilityZone="us-west-2a", ClientToken=f"t{number}")
        ec2.delete_volume(VolumeId=made["VolumeId"])
    assert left() - before < 5


def test_many_threads_make_things_at_once_and_lose_none(client: Client) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def make(number: int) -> str:
        made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")
        return str(made["Subnet"]["SubnetId"])

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(make, range(32)))
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    found = {subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=filters)["Subnets"]}
    assert len(made) == 32
    assert found == made


def test_what_the_sandbox_answers_beside_aws_is_listed_for_who_gets_lost(sandbox: Sandbox) -> None:
    with pytest.raises(HTTPError) as error:
        control(sandbox, "nowhere")
    with error.value as answer:
        assert answer.code == 404
        assert "/_sandbox/state" in answer.read().decode()


def test_dry_run_changes_nothing(sandbox: Sandbox, client: Client) -> None:
    before = control(sandbox, "state")
    with pytest.raises(ClientError) as error:
        client("ec2").create_vpc(CidrBlock="10.0.0.0/16", DryRun=True)
    assert code(error) == "DryRunOperation"
    assert control(sandbox, "state") == before


def test_a_fresh_account_knows_nothing_of_what_the_last_one_did_to_policies_of_aws(
    sandbox: Sandbox, client: Client
) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"

    def told() -> dict[str, Any]:
        versions = client("iam").list_policy_versions(PolicyArn=arn)["Versions"]
        return {**client("iam").get_policy(PolicyArn=arn)["Policy"], "versions": versions}

    before, iam = told(), client("iam")
    iam.create_user(UserName="bob")
    iam.attach_user_policy(UserName="bob", PolicyArn=arn)
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    nothing = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [nothing]})
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    assert told() != before
    sandbox.reset()
    assert told() == before


def test_a_reset_may_change_clock_and_latency_until_the_next(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.reset(time_scale=1000, latency_ms=120)
    sts, started = client("sts"), time.monotonic()
    before = sandbox.world.clock.monotonic()
    sts.get_caller_identity()
    assert time.monotonic() - started >= 0.12
    assert sandbox.world.clock.monotonic() - before >= 100
    sandbox.reset()
    assert sandbox.world.clock.time_scale == 1
    assert sts.get_caller_identity()["Arn"].endswith(":user/sandbox-admin")


def test_a_server_can_be_stopped_and_started_again_in_one_process(
    no_sandbox: None, tmp_path: Path
) -> None:
    log = tmp_path / "calls.jsonl"
    with Sandbox(call_log=log) as first:
        endpoint = first.endpoint
        assert control(first, "calls") == []
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{endpoint}/_sandbox/calls")  # noqa: S310

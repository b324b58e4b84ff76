from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from preflight.errors import SpecError
from preflight.sandbox.account.scenario import read_scenario
from preflight.sandbox.server import Sandbox

Client = Any

DESIGN = """\
account: {id: "111122223333", alias: acme-dev}
scps:
  - {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
regions: {eu-west-2: {opt_in: opted-in, sts: deactivated}}
quotas:
  - {service: vpc, code: L-F678F1CE, region: us-west-2, applied: 5}
  - {service: ec2, code: L-1216C47A, region: us-west-2, applied: 64, \
pending: {desired: 512, status: CASE_OPENED}}
principals:
  - user: alice
    access_key: [AKIAALICEALICEALICE1, secret]
    policies:
      - arn:aws:iam::aws:policy/ReadOnlyAccess
      - {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "ec2:*", Resource: "*"}]}
    boundary: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
  - role: ops
    trust:
      Version: 2012-10-17
      Statement:
        - Effect: Allow
          Principal: {AWS: "arn:aws:iam::111122223333:root"}
          Action: sts:AssumeRole
    policies: [arn:aws:iam::aws:policy/AdministratorAccess]
calls:
  - {service: ec2, region: us-west-2, operation: CreateVpc, \
parameters: {CidrBlock: 10.9.0.0/16}, repeat: 3, save: {vpc: Vpc.VpcId}}
  - {service: ec2, region: us-west-2, operation: CreateSubnet, \
parameters: {VpcId: "${vpc}", CidrBlock: 10.9.1.0/24}}
  - {service: iam, operation: CreateUser, parameters: {UserName: "u-${n}-${account}"}, repeat: 2}
faults:
  - {action: "ec2:DescribeAddresses", error: UnauthorizedOperation}
  - {action: "ec2:Create*", error: InternalError}
"""


def test_the_account_of_the_design_page_is_made_as_written(
    sandbox: Sandbox, client: Client, tmp_path: Path
) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(DESIGN)
    sandbox.reset(file)
    ec2, iam = client("ec2"), client("iam")
    ours = [v for v in ec2.describe_vpcs()["Vpcs"] if v["CidrBlock"] == "10.9.0.0/16"]
    assert len(ours) == 3
    subnets = ec2.describe_subnets()["Subnets"]
    assert [s["VpcId"] for s in subnets if s["CidrBlock"] == "10.9.1.0/24"] == [ours[-1]["VpcId"]]
    assert iam.list_account_aliases()["AccountAliases"] == ["acme-dev"]
    names = {user["UserName"] for user in iam.list_users()["Users"]}
    assert names >= {"alice", "u-0-111122223333", "u-1-111122223333"}
    attached = iam.list_attached_user_policies(UserName="alice")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["ReadOnlyAccess"]
    assert len(iam.list_user_policies(UserName="alice")["PolicyNames"]) == 1
    boundary = iam.get_user(UserName="alice")["User"]["PermissionsBoundary"]
    assert boundary["PermissionsBoundaryArn"].endswith(":policy/alice-boundary")
    assert iam.get_role(RoleName="ops")["Role"]["Arn"].endswith(":role/ops")
    alice = client("sts", key=("AKIAALICEALICEALICE1", "secret")).get_caller_identity()
    assert alice["Arn"] == "arn:aws:iam::111122223333:user/alice"


def test_the_example_of_an_empty_account_loads() -> None:
    example = Path(__file__).parents[3] / "examples" / "scenarios" / "empty-account.yaml"
    assert read_scenario(example).value["account"]["alias"] == "empty-account"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("acount: {id: '111122223333'}\n", 1, "acount: is not a known key"),
        ("account:\n  id: 111122223333\n", 2, "account.id"),
        ("calls:\n- service: ec3\n  operation: X\n", 2, "no AWS client named ec3"),
        ("calls:\n- service: ec2\n  operation: MakeVpc\n", 3, "no operation MakeVpc"),
        (
            "calls:\n- service: ec2\n  operation: CreateVpc\n  parameters:\n    Cidr: x\n",
            5,
            "no parameter Cidr",
        ),
        (
            "calls:\n- service: ec2\n  operation: DeleteVpc\n  parameters: {VpcId: '${v}'}\n",
            4,
            r"\$\{v\} is not defined",
        ),
        (
            "calls:\n- service: ec2\n  operation: DeleteVpc\n  parameters: {VpcId: '${n}'}\n",
            4,
            r"\$\{n\} is not defined",
        ),
        (
            "calls:\n- service: ec2\n  operation: DescribeVpcs\n  save: {a: 'Vpcs['}\n",
            4,
            "not JMESPath",
        ),
        ("regions:\n  us-west-9: {sts: active}\n", 2, "no AWS Region us-west-9"),
        ("quotas:\n- {service: vpc, code: L-00000000, applied: 1}\n", 2, "no quota vpc/L-00000000"),
        ("faults:\n- {action: x}\n", 2, r"faults\[0\]"),
        ("principals:\n- {user: a}\n- {user: a}\n", 3, "user a is there twice"),
        ("principals:\n- {role: a}\n", 2, r"principals\[0\]"),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_reason(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    with pytest.raises(SpecError, match=reason) as error:
        read_scenario(file)
    assert error.value.where == f"{file}:{line}"


def test_an_index_is_text_or_number_as_the_parameter_wants(
    sandbox: Sandbox, client: Client
) -> None:
    call = {
        "service": "logs",
        "operation": "PutRetentionPolicy",
        "parameters": {"logGroupName": "g0", "retentionInDays": "${n}"},
        "repeat": 2,
    }
    group = {**call, "operation": "CreateLogGroup", "parameters": {"logGroupName": "g${n}"}}
    tag = {"service": "sns", "operation": "CreateTopic", "repeat": 2}
    tag["parameters"] = {"Name": "t${n}", "Tags": [{"Key": "n", "Value": "${n}"}]}
    sandbox.reset({"calls": [group, call, tag]})
    groups = client("logs").describe_log_groups()["logGroups"]
    assert [one.get("retentionInDays") for one in groups] == [1, None]
    topics = client("sns").list_topics()["Topics"]
    tags = client("sns").list_tags_for_resource(ResourceArn=topics[1]["TopicArn"])["Tags"]
    assert tags == [{"Key": "n", "Value": "1"}]


def test_several_regions_can_be_filled_with_buckets_and_networks(sandbox: Sandbox) -> None:
    network = {
        "service": "ec2",
        "operation": "CreateVpc",
        "parameters": {"CidrBlock": "10.9.0.0/16"},
    }
    bucket = {"service": "s3", "operation": "CreateBucket"}
    calls = [
        {**network, "region": "us-west-2"},
        {**bucket, "region": "us-east-1", "parameters": {"Bucket": "a-bucket-of-east"}},
        {**network, "region": "us-east-1"},
        {
            **bucket,
            "region": "us-west-2",
            "parameters": {
                "Bucket": "a-bucket-of-west",
                "CreateBucketConfiguration": {"LocationConstraint": "us-west-2"},
            },
        },
    ]

    sandbox.reset({"calls": calls})

    assert len(sandbox.world.backend("s3", "aws").buckets) == 2


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("{service: ec2, operation: DeleteVpc, parameters: {VpcId: vpc-1}}", "InvalidVpcID"),
        ("{service: ec2, operation: CreateVpc, parameters: {CidrBlock: 5}}", "Invalid type"),
        ("{service: sts, operation: GetCallerIdentity, save: {x: Nothing}}", "finds nothing"),
    ],
)
def test_a_call_that_fails_is_told_with_its_line(
    sandbox: Sandbox, tmp_path: Path, call: str, reason: str
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(f"calls:\n- {call}\n")
    with pytest.raises(SpecError, match=reason) as error:
        sandbox.reset(file)
    assert error.value.where == f"{file}:2"

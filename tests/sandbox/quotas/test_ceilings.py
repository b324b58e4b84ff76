from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.ec2.capacity import quota_code
from preflight.sandbox.server import Sandbox

Client = Any
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def limits(**applied: float) -> dict[str, Any]:
    codes = {
        "vpcs": ("vpc", "L-F678F1CE"),
        "subnets": ("vpc", "L-407747CB"),
        "gateways": ("vpc", "L-A4707A72"),
        "nats": ("vpc", "L-FE5A380F"),
        "rules": ("vpc", "L-0EA8095F"),
        "addresses": ("ec2", "L-0263D0A3"),
        "standard": ("ec2", "L-1216C47A"),
        "roles": ("iam", "L-FE177D64"),
        "attached": ("iam", "L-0DA4ABF3"),
        "buckets": ("s3", "L-DC2B2D3D"),
    }
    return {
        "quotas": [
            {"service": codes[name][0], "code": codes[name][1], "applied": value}
            for name, value in applied.items()
        ]
    }


def test_the_network_stops_at_its_limits(sandbox: Sandbox, client: Client) -> None:
    # The default VPC counts.
    sandbox.reset(limits(vpcs=2, subnets=1, gateways=1, addresses=1, rules=2))
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")
    ec2.create_internet_gateway()
    ec2.allocate_address(Domain="vpc")
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    ranges = [{"CidrIp": f"10.0.{n}.0/24"} for n in range(3)]
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": ranges}
    attempts = {
        "VpcLimitExceeded": lambda: ec2.create_vpc(CidrBlock="10.1.0.0/16"),
        "SubnetLimitExceeded": lambda: ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24"),
        "InternetGatewayLimitExceeded": ec2.create_internet_gateway,
        "AddressLimitExceeded": lambda: ec2.allocate_address(Domain="vpc"),
        "RulesPerSecurityGroupLimitExceeded": lambda: ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[rule]
        ),
    }
    for expected, attempt in attempts.items():
        with pytest.raises(ClientError) as error:
            attempt()
        assert code(error) == expected


def test_nat_gateways_are_counted_in_their_zone(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset(limits(nats=1))
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def make(number: int, zone: str) -> None:
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone
        )["Subnet"]["SubnetId"]
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)

    make(1, "us-west-2a")
    make(2, "us-west-2b")
    with pytest.raises(ClientError) as error:
        make(3, "us-west-2a")
    assert code(error) == "NatGatewayLimitExceeded"


def test_instances_stop_at_the_vcpus_of_their_family(sandbox: Sandbox, client: Client) -> None:
    sandbox.reset(limits(standard=4))
    ec2 = client("ec2")

    def run(kind: str, count: int) -> None:
        ec2.run_instances(ImageId="ami-12345678", InstanceType=kind, MinCount=count, MaxCount=count)

    run("t3.large", 1)
    with pytest.raises(ClientError, match="vCPU limit of 4 allows") as error:
        run("m5.xlarge", 1)
    assert code(error) == "VcpuLimitExceeded"
    run("m5.large", 1)
    with pytest.raises(ClientError) as error:
        run("g4dn.xlarge", 1)
    assert code(error) == "VcpuLimitExceeded"


@pytest.mark.parametrize(
    ("instance_type", "on_demand", "spot"),
    [
        ("inf1.xlarge", "L-1945791B", "L-B5D1601B"),
        ("trn1.2xlarge", "L-2C3B7624", "L-6B0D517C"),
        ("hpc6a.48xlarge", "L-F7808C92", None),
        ("dl1.24xlarge", "L-6E869C2A", "L-85EED4F7"),
        ("p5.48xlarge", "L-417A185B", "L-C4BD4855"),
        ("im4gn.large", "L-1216C47A", "L-34B43A08"),
        ("mac2.metal", None, None),
    ],
)
def test_a_family_is_not_its_first_letter(
    instance_type: str, on_demand: str | None, spot: str | None
) -> None:
    assert quota_code(instance_type, is_spot=False) == on_demand
    assert quota_code(instance_type, is_spot=True) == spot


def test_iam_and_s3_stop_at_their_limits_wherever_they_are_asked(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.reset(limits(roles=1, attached=1, buckets=1))
    iam, s3 = client("iam"), client("s3")
    iam.create_role(RoleName="a", AssumeRolePolicyDocument=TRUST)
    with pytest.raises(ClientError, match="Cannot exceed quota for RolesPerAccount: 1") as error:
        iam.create_role(RoleName="b", AssumeRolePolicyDocument=TRUST)
    assert code(error) == "LimitExceeded"
    for _ in range(2):  # the second time nothing is added
        iam.attach_role_policy(RoleName="a", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    with pytest.raises(ClientError, match="PoliciesPerRole: 1"):
        iam.attach_role_policy(RoleName="a", PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")
    where = {"CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
    s3.create_bucket(Bucket="one-bucket", **where)
    with pytest.raises(ClientError) as error:
        s3.create_bucket(Bucket="two-buckets", **where)
    assert code(error) == "TooManyBuckets"


def test_the_set_up_of_a_scenario_is_outside_the_quotas(sandbox: Sandbox, client: Client) -> None:
    call = {"service": "ec2", "operation": "CreateVpc", "parameters": {"CidrBlock": "10.0.0.0/16"}}
    sandbox.reset({**limits(vpcs=2), "calls": [{**call, "repeat": 4}]})
    assert len(client("ec2").describe_vpcs()["Vpcs"]) == 5
    with pytest.raises(ClientError) as error:
        client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert code(error) == "VpcLimitExceeded"

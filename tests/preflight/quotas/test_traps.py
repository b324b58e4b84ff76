"""One account full of traps, built by API calls: the use of each quota is known by construction."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from preflight.aws import Aws
from preflight.once import Once
from preflight.quota import Limit
from preflight.quotas.catalogue import CATALOGUE, by_key
from preflight.quotas.figures import Figure, read_figures
from preflight.quotas.limits import Limits
from preflight.quotas.usage import Usage
from preflight.sandbox.server import Sandbox

REGION, ZONE = "us-west-2", "us-west-2a"
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}],
    }
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
#: What is in use, and the trap in it.
TRUTH = {
    "vpc/L-F678F1CE": 3,  # the default VPC counts
    "vpc/L-83CA0A9D": 3,  # ranges of the fullest VPC, without one that was taken away again
    "vpc/L-A4707A72": 2,
    "vpc/L-45FE3B85": 1,
    "vpc/L-0EA8095F": 2 + 52 + 1,  # a prefix list as its maximum, a group as one more
    "vpc/L-2AFB9258": 3,
    "vpc/L-93826ACB": 1 + 1 + 7,  # the local route, one more, and a prefix list as its maximum
    "vpc/L-1B52E74A": 2,  # in the Region
    "vpc/L-29B6F2EB": 2,  # in one VPC, not three in the Region
    "vpc/L-FE5A380F": 2,  # one that is being deleted is still there
    "ec2/L-0263D0A3": 3,
    "ec2/L-FB451C26": 1,
    "autoscaling/L-CDE20ADC": 60,  # more than a page of 50
    "autoscaling/L-6B80B8FA": 1,
    "iam/L-FE177D64": 3,  # as IAM counts, with the role that Auto Scaling made for itself
    "iam/L-E95E4862": 2,  # the account's own, not AWS's
    "iam/L-0DA4ABF3": 3,  # attached ones, not those inside of the role, nor a service's own role
    "iam/L-6E65F664": 1,
    "iam/L-858F3967": 1,  # OpenID alone, though the summary counts SAML with it
    "s3/L-DC2B2D3D": 2,  # in whichever Region they are
    "ebs/L-7A658B76": 1.5,  # TiB of 1,024 GiB
    "ebs/L-D18FCD1D": 0.25,
    "ebs/L-FD252861": 0.5,
    "ebs/L-B3A130E6": 300,
    "ebs/L-8D977E7E": 0,
    "ebs/L-309BACF6": 2,
    "elasticloadbalancing/L-B22855CB": 1,
    "ecr/L-CFEB8E8D": 1,
    "sns/L-61103206": 1,
    "events/L-244521F2": 2,  # on one bus, not three on both
    "logs/L-C7B9AAAB": 1,
    "kms/L-C2F1777E": 2,  # one that waits for its deletion counts, and none of AWS's own
    "route53resolver/L-4A669CC0": 1,
    "route53resolver/L-51D8A1FB": 1,
}


def network(ec2: Any) -> None:
    first, second = (
        ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in (1, 2)
    )
    for number in (3, 4):
        ec2.associate_vpc_cidr_block(VpcId=first, CidrBlock=f"10.{number}.0.0/16")
    gone = ec2.associate_vpc_cidr_block(VpcId=first, CidrBlock="10.5.0.0/16")
    ec2.disassociate_vpc_cidr_block(AssociationId=gone["CidrBlockAssociation"]["AssociationId"])
    for vpc in (first, second):
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_egress_only_internet_gateway(VpcId=first)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=ZONE)["Subnet"]["SubnetId"]
        for vpc, block in ((first, "10.1.1.0/24"), (second, "10.2.1.0/24"))
    ]
    groups = [
        ec2.create_security_group(GroupName=name, Description="d", VpcId=first)["GroupId"]
        for name in "abc"
    ]
    lists = [
        ec2.create_managed_prefix_list(PrefixListName=name, MaxEntries=most, AddressFamily="IPv4")
        for name, most in (("offices", 52), ("far", 7))
    ]
    offices, far = (each["PrefixList"]["PrefixListId"] for each in lists)
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}
    ec2.authorize_security_group_ingress(
        GroupId=groups[0],
        IpPermissions=[
            rule
            | {
                "IpRanges": [{"CidrIp": "10.8.0.0/16"}, {"CidrIp": "10.9.0.0/16"}],
                "Ipv6Ranges": [{"CidrIpv6": f"2001:db{n}::/32"} for n in range(5)],
                "PrefixListIds": [{"PrefixListId": offices}],
                "UserIdGroupPairs": [{"GroupId": groups[1]}],
            }
        ],
    )
    ec2.create_network_interface(SubnetId=subnets[0], Groups=groups)
    table = ec2.create_route_table(VpcId=second)["RouteTable"]["RouteTableId"]
    for to in ({"DestinationCidrBlock": "0.0.0.0/0"}, {"DestinationPrefixListId": far}):
        ec2.create_route(RouteTableId=table, GatewayId=gateway, **to)
    for vpc, subnet, services in (
        (first, subnets[0], ("sqs", "sts")),
        (second, subnets[1], ("sqs",)),
    ):
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3")
        for service in services:
            ec2.create_vpc_endpoint(
                VpcId=vpc,
                VpcEndpointType="Interface",
                ServiceName=f"com.amazonaws.{REGION}.{service}",
                SubnetIds=[subnet],
            )
    nats = [
        ec2.create_nat_gateway(SubnetId=subnets[0], ConnectivityType="private")["NatGateway"]
        for _ in range(2)
    ]
    ec2.delete_nat_gateway(NatGatewayId=nats[0]["NatGatewayId"])
    for _ in range(3):
        ec2.allocate_address(Domain="vpc")
    boto3.client("elbv2", region_name=REGION).create_target_group(
        Name="t", Protocol="TCP", Port=80, VpcId=first
    )
    resolver = boto3.client("route53resolver", region_name=REGION)
    resolver.create_resolver_endpoint(
        CreatorRequestId="1",
        SecurityGroupIds=groups[:1],
        Direction="INBOUND",
        IpAddresses=[{"SubnetId": subnets[0], "Ip": f"10.1.1.{n}"} for n in (20, 21)],
    )
    resolver.create_resolver_rule(
        CreatorRequestId="1", RuleType="SYSTEM", DomainName="inside.example"
    )


def identities(iam: Any) -> None:
    own = [
        iam.create_policy(PolicyName=name, PolicyDocument=POLICY)["Policy"]["Arn"]
        for name in ("one", "two")
    ]
    iam.create_role(RoleName="plain", AssumeRolePolicyDocument=TRUST)
    iam.create_role(RoleName="laden", AssumeRolePolicyDocument=TRUST)
    for arn in (*own, "arn:aws:iam::aws:policy/ReadOnlyAccess"):
        iam.attach_role_policy(RoleName="laden", PolicyArn=arn)
    for number in range(5):
        iam.put_role_policy(RoleName="plain", PolicyName=f"p{number}", PolicyDocument=POLICY)
    iam.create_instance_profile(InstanceProfileName="p")
    iam.create_open_id_connect_provider(Url="https://issuer.example", ThumbprintList=["0" * 40])
    iam.create_saml_provider(Name="staff", SAMLMetadataDocument="x" * 1024)


def rest() -> None:
    def client(name: str) -> Any:
        return boto3.client(name, region_name=REGION)

    ec2, scaling, kms = client("ec2"), client("autoscaling"), client("kms")
    ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData={"ImageId": "ami-1"})
    scaling.create_launch_configuration(
        LaunchConfigurationName="c", ImageId="ami-1", InstanceType="t3.micro"
    )
    for number in range(60):
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=f"g{number}",
            LaunchConfigurationName="c",
            MinSize=0,
            MaxSize=0,
            AvailabilityZones=[ZONE],
        )
    volumes = [
        ec2.create_volume(AvailabilityZone=ZONE, Size=size, VolumeType=kind, **more)["VolumeId"]
        for size, kind, more in (
            (1024, "gp3", {}),
            (512, "gp3", {}),
            (256, "gp2", {}),
            (512, "io1", {"Iops": 300}),
        )
    ]
    for volume in volumes[:2]:
        ec2.create_snapshot(VolumeId=volume)
    s3 = client("s3")
    s3.create_bucket(
        Bucket="a-bucket-here", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="a-bucket-there")
    client("ecr").create_repository(repositoryName="images")
    client("sns").create_topic(Name="t")
    client("logs").create_log_group(logGroupName="g")
    events = client("events")
    events.create_event_bus(Name="orders")
    for bus, name in (("default", "a"), ("orders", "a"), ("orders", "b")):
        events.put_rule(Name=name, EventBusName=bus, EventPattern='{"source":["x"]}')
    kms.create_key()
    kms.schedule_key_deletion(KeyId=kms.create_key()["KeyMetadata"]["KeyId"])


@pytest.fixture(scope="module")
def figures(sandbox_server: Sandbox) -> dict[str, Figure]:
    """The account as the audit sees it."""
    raised = [("vpc", code, 99) for code in ("L-0EA8095F", "L-93826ACB", "L-FE5A380F")]
    rows = [{"service": s, "code": c, "applied": n} for s, c, n in raised]
    sandbox_server.reset({"rates": "off", "quotas": rows})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox_server.environment().items():
            patch.setenv(name, value)
        network(boto3.client("ec2", region_name=REGION))
        identities(boto3.client("iam"))
        rest()
        aws = Aws(REGION)
        usage = Usage(aws, Once(), deep=True)
        found = read_figures([(q, "") for q in CATALOGUE], usage, Limits(aws, usage))
    return {str(figure.quota): figure for figure in found}


@pytest.mark.parametrize("key", TRUTH)
def test_use_is_what_was_made(figures: dict[str, Figure], key: str) -> None:
    assert figures[key].used == TRUTH[key]


@pytest.mark.parametrize("key", ["iam/L-858F3967", "s3/L-DC2B2D3D"])
def test_global_limits_are_known_in_a_region_that_does_not_list_them(
    figures: dict[str, Figure], key: str
) -> None:
    limit = figures[key].limit

    assert figures[key].region == "us-east-1"
    assert isinstance(limit, Limit)
    assert limit.source == "applied"


def test_a_quota_without_an_applied_value_shows_its_default(figures: dict[str, Figure]) -> None:
    quota = by_key("ecr", "L-CFEB8E8D")
    assert quota is not None

    assert figures[str(quota)].limit == Limit(value=10_000, source="default")


def test_the_fullest_of_many_is_named(figures: dict[str, Figure]) -> None:
    assert figures["iam/L-0DA4ABF3"].fullest == "laden"
    assert figures["events/L-244521F2"].fullest == "orders"
    assert figures["vpc/L-FE5A380F"].fullest == ZONE

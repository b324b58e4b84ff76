"""Every quota of the catalogue, one by one: it bites, in its service's words, or says why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from preflight.quota import Quota
from preflight.quotas.catalogue import CATALOGUE, by_key
from preflight.quotas.families import VCPU_QUOTAS
from preflight.sandbox.ec2.capacity import quota_code, vcpus
from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]
Call = Callable[[int], Any]

REGION, ZONE = "us-west-2", "us-west-2a"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["ec2.amazonaws.com", "eks.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}],
    }
)
#: What the sandbox cannot exceed, and why.
NOT_BITING = {
    "eks/L-33415657": "Fargate profiles cannot be made",
    "eks/L-D78D8AF8": "Fargate profiles cannot be made",
    "eks/L-23414FF3": "Fargate profiles cannot be made",
    "fargate/L-3032A538": "nothing runs on Fargate",
}


class Made:
    """What a call needs to be made at all; each thing is made when it is first asked for."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._made: dict[str, str] = {}

    def once(self, name: str, make: Callable[[], str]) -> str:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    @property
    def ec2(self) -> Any:
        return self.client("ec2")

    @property
    def vpc(self) -> str:
        return self.once(
            "vpc", lambda: self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        )

    @property
    def subnet(self) -> str:
        wanted = {"CidrBlock": "10.0.250.0/24", "AvailabilityZone": ZONE}
        return self.once(
            "subnet",
            lambda: self.ec2.create_subnet(VpcId=self.vpc, **wanted)["Subnet"]["SubnetId"],
        )

    def group(self, name: str = "g") -> str:
        wanted = {"GroupName": name, "Description": "d"}
        return self.once(
            f"group {name}",
            lambda: self.ec2.create_security_group(VpcId=self.vpc, **wanted)["GroupId"],
        )

    @property
    def table(self) -> str:
        return self.once(
            "table",
            lambda: self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"],
        )

    @property
    def gateway(self) -> str:
        def make() -> str:
            made = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
            self.ec2.attach_internet_gateway(VpcId=self.vpc, InternetGatewayId=made)
            return str(made)

        return self.once("gateway", make)

    def role(self, name: str = "r") -> str:
        return self.once(
            f"role {name}",
            lambda: self.client("iam").create_role(
                RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST)
            )["Role"]["Arn"],
        )


def _volume(made: Made, kind: str, **more: Any) -> Call:
    return lambda _: made.ec2.create_volume(AvailabilityZone=ZONE, VolumeType=kind, **more)


def _rule(number: int) -> list[dict[str, Any]]:
    ranges = [{"CidrIp": f"10.1.{number}.0/24"}]
    return [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": ranges}]


def _bucket(made: Made, number: int) -> Any:
    where = {"LocationConstraint": REGION}
    return made.client("s3").create_bucket(
        Bucket=f"bucket-{number}", CreateBucketConfiguration=where
    )


def _scaling(made: Made, number: int) -> Any:
    made.once(
        "configuration",
        lambda: str(
            made.client("autoscaling").create_launch_configuration(
                LaunchConfigurationName="c", ImageId="ami-1", InstanceType="t3.micro"
            )
        ),
    )
    return made.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=f"a{number}",
        LaunchConfigurationName="c",
        MinSize=0,
        MaxSize=0,
        AvailabilityZones=[ZONE],
    )


def _attach(made: Made, number: int) -> Any:
    made.role()
    names = ("ReadOnlyAccess", "PowerUserAccess")
    return made.client("iam").attach_role_policy(
        RoleName="r", PolicyArn=f"arn:aws:iam::aws:policy/{names[number]}"
    )


def _cluster(made: Made, number: int, **network: Any) -> Any:
    more = {"CidrBlock": "10.0.251.0/24", "AvailabilityZone": "us-west-2b"}
    second = made.once(
        "second", lambda: made.ec2.create_subnet(VpcId=made.vpc, **more)["Subnet"]["SubnetId"]
    )
    role = made.role("cluster")
    return made.client("eks").create_cluster(
        name=f"c{number}",
        roleArn=role,
        resourcesVpcConfig={"subnetIds": [made.subnet, second], **network},
    )


def _nodegroup(made: Made, number: int, size: int = 1) -> Any:
    made.once("cluster", lambda: str(_cluster(made, 0)))
    made.client("sandbox-clock")(3600)
    return made.client("eks").create_nodegroup(
        clusterName="c0",
        nodegroupName=f"n{number}",
        nodeRole=made.role("nodes"),
        subnets=[made.subnet],
        scalingConfig={"minSize": 0, "maxSize": size, "desiredSize": 0},
    )


def _balancer(made: Made, kind: str, number: int) -> Any:
    more = {"CidrBlock": "10.0.252.0/24", "AvailabilityZone": "us-west-2c"}
    second = made.once(
        "third", lambda: made.ec2.create_subnet(VpcId=made.vpc, **more)["Subnet"]["SubnetId"]
    )
    return made.client("elbv2").create_load_balancer(
        Name=f"b{number}", Type=kind, Subnets=[made.subnet, second], Scheme="internal"
    )


def _endpoint_of_resolver(made: Made, number: int) -> Any:
    addresses = [{"SubnetId": made.subnet, "Ip": f"10.0.250.{10 * number + n}"} for n in (20, 21)]
    return made.client("route53resolver").create_resolver_endpoint(
        CreatorRequestId=f"request-{number}",
        SecurityGroupIds=[made.group()],
        Direction="INBOUND",
        IpAddresses=addresses,
    )


def _rule_of_resolver(made: Made, number: int) -> Any:
    return made.client("route53resolver").create_resolver_rule(
        CreatorRequestId=f"request-{number}", RuleType="SYSTEM", DomainName=f"d{number}.example"
    )


#: Quota -> the limit of the account, and the call that fits as often as `more` says. The limit is
#: what there is anyway (a default VPC with its subnets and groups) and one more.
LIMIT = Callable[[Made], Call]
CASES: dict[str, tuple[int, int, LIMIT]] = {
    "autoscaling/L-CDE20ADC": (1, 1, lambda m: lambda n: _scaling(m, n)),
    "autoscaling/L-6B80B8FA": (1, 1, lambda m: lambda n: m.client(
        "autoscaling").create_launch_configuration(
        LaunchConfigurationName=f"c{n}", ImageId="ami-1", InstanceType="t3.micro")),
    "ec2/L-FB451C26": (1, 1, lambda m: lambda n: m.ec2.create_launch_template(
        LaunchTemplateName=f"t{n}", LaunchTemplateData={"ImageId": "ami-1"})),
    "ec2/L-0263D0A3": (1, 1, lambda m: lambda _: m.ec2.allocate_address(Domain="vpc")),
    "vpc/L-F678F1CE": (2, 1, lambda m: lambda n: m.ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")),
    "vpc/L-407747CB": (1, 1, lambda m: lambda n: m.ec2.create_subnet(
        VpcId=m.vpc, CidrBlock=f"10.0.{n}.0/24")),
    "vpc/L-A4707A72": (1, 1, lambda m: lambda _: m.ec2.create_internet_gateway()),
    "vpc/L-45FE3B85": (1, 1, lambda m: lambda _: m.ec2.create_egress_only_internet_gateway(
        VpcId=m.vpc)),
    "vpc/L-83CA0A9D": (2, 1, lambda m: lambda n: m.ec2.associate_vpc_cidr_block(
        VpcId=m.vpc, CidrBlock=f"10.{7 + n}.0.0/16")),
    "vpc/L-FE5A380F": (1, 1, lambda m: lambda _: m.ec2.create_nat_gateway(
        SubnetId=m.subnet, ConnectivityType="private")),
    "vpc/L-E79EC296": (3, 1, lambda m: lambda n: m.group(f"g{n}")),
    "vpc/L-0EA8095F": (1, 1, lambda m: lambda n: m.ec2.authorize_security_group_ingress(
        GroupId=m.group(), IpPermissions=_rule(n))),
    "vpc/L-2AFB9258": (1, 1, lambda m: lambda n: m.ec2.create_network_interface(
        SubnetId=m.subnet, Groups=[m.group("a"), m.group("b")][: n + 1])),
    "vpc/L-DF5E4CA3": (1, 1, lambda m: lambda _: m.ec2.create_network_interface(
        SubnetId=m.subnet)),
    "vpc/L-589F43AA": (2, 1, lambda m: lambda _: m.ec2.create_route_table(VpcId=m.vpc)),
    "vpc/L-93826ACB": (1, 1, lambda m: lambda n: m.ec2.create_route(
        RouteTableId=m.table, DestinationCidrBlock=f"192.168.{n}.0/24", GatewayId=m.gateway)),
    "vpc/L-1B52E74A": (1, 1, lambda m: lambda n: m.ec2.create_vpc_endpoint(
        VpcId=m.vpc, ServiceName=f"com.amazonaws.us-west-2.{('s3', 'dynamodb')[n]}")),
    "vpc/L-29B6F2EB": (1, 1, lambda m: lambda n: m.ec2.create_vpc_endpoint(
        VpcId=m.vpc, VpcEndpointType="Interface", SubnetIds=[m.subnet],
        ServiceName=f"com.amazonaws.us-west-2.{('sqs', 'sts')[n]}")),
    "iam/L-FE177D64": (1, 1, lambda m: lambda n: m.role(f"r{n}")),
    "iam/L-E95E4862": (1, 1, lambda m: lambda n: m.client("iam").create_policy(
        PolicyName=f"p{n}", PolicyDocument=POLICY)),
    "iam/L-0DA4ABF3": (1, 1, lambda m: lambda n: _attach(m, n)),
    "iam/L-6E65F664": (1, 1, lambda m: lambda n: m.client("iam").create_instance_profile(
        InstanceProfileName=f"i{n}")),
    "iam/L-858F3967": (1, 1, lambda m: lambda n: m.client("iam").create_open_id_connect_provider(
        Url=f"https://issuer{n}.example", ThumbprintList=["0" * 40])),
    "iam/L-C07B4B0D": (170, 1, lambda m: lambda n: m.client("iam").create_role(
        RoleName=f"r{n}", AssumeRolePolicyDocument=json.dumps(
            TRUST | {"Id": "x" * 60} if n else TRUST, indent=9))),
    "s3/L-DC2B2D3D": (1, 1, lambda m: lambda n: _bucket(m, n)),
    "eks/L-1194D53C": (1, 1, lambda m: lambda n: _cluster(m, n)),
    "eks/L-6D54EA21": (1, 1, lambda m: lambda n: _nodegroup(m, n)),
    "eks/L-BD136A63": (1, 1, lambda m: lambda n: _nodegroup(m, n, size=1 + n)),
    "eks/L-11427A54": (1, 1, lambda m: lambda n: _cluster(
        m, n, securityGroupIds=[m.group("a"), m.group("b")][: n + 1])),
    "eks/L-93A74D60": (1, 1, lambda m: lambda n: _cluster(
        m, n, publicAccessCidrs=["203.0.113.0/24", "198.51.100.0/24"][: n + 1])),
    "elasticloadbalancing/L-E9E9831D": (1, 1, lambda m: lambda n: m.client(
        "elb").create_load_balancer(LoadBalancerName=f"c{n}", AvailabilityZones=[ZONE], Listeners=[
            {"Protocol": "tcp", "LoadBalancerPort": 80, "InstancePort": 80}])),
    "elasticloadbalancing/L-53DA6B97": (1, 1, lambda m: lambda n: _balancer(m, "application", n)),
    "elasticloadbalancing/L-69A177A2": (1, 1, lambda m: lambda n: _balancer(m, "network", n)),
    "elasticloadbalancing/L-B22855CB": (1, 1, lambda m: lambda n: m.client(
        "elbv2").create_target_group(Name=f"t{n}", Protocol="TCP", Port=80, VpcId=m.vpc)),
    "ebs/L-7A658B76": (1, 1, lambda m: _volume(m, "gp3", Size=1024)),
    "ebs/L-D18FCD1D": (1, 1, lambda m: _volume(m, "gp2", Size=1024)),
    "ebs/L-FD252861": (1, 1, lambda m: _volume(m, "io1", Size=1024, Iops=100)),
    "ebs/L-09BD8365": (1, 1, lambda m: _volume(m, "io2", Size=1024, Iops=100)),
    "ebs/L-B3A130E6": (100, 1, lambda m: _volume(m, "io1", Size=4, Iops=100)),
    "ebs/L-8D977E7E": (100, 1, lambda m: _volume(m, "io2", Size=4, Iops=100)),
    "ebs/L-309BACF6": (1, 1, lambda m: lambda _: m.ec2.create_snapshot(VolumeId=m.once(
        "volume", lambda: m.ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]))),
    "ecr/L-CFEB8E8D": (1, 1, lambda m: lambda n: m.client("ecr").create_repository(
        repositoryName=f"repository{n}")),
    "sns/L-61103206": (1, 1, lambda m: lambda n: m.client("sns").create_topic(Name=f"t{n}")),
    "events/L-244521F2": (1, 1, lambda m: lambda n: m.client("events").put_rule(
        Name=f"u{n}", ScheduleExpression="rate(1 day)")),
    "logs/L-C7B9AAAB": (1, 1, lambda m: lambda n: m.client("logs").create_log_group(
        logGroupName=f"g{n}")),
    "kms/L-C2F1777E": (1, 1, lambda m: lambda _: m.client("kms").create_key()),
    "route53resolver/L-4A669CC0": (1, 1, lambda m: lambda n: _endpoint_of_resolver(m, n)),
    "route53resolver/L-51D8A1FB": (1, 1, lambda m: lambda n: _rule_of_resolver(m, n)),
}  # fmt: skip
FAMILIES = {str(quota): quota for quota in VCPU_QUOTAS}


def test_every_quota_of_the_catalogue_is_tried_or_says_why_not() -> None:
    tried = CASES.keys() | FAMILIES.keys() | NOT_BITING.keys()

    assert tried == {str(quota) for quota in CATALOGUE}
    assert not CASES.keys() & NOT_BITING.keys()


@pytest.fixture
def made(sandbox: Sandbox, client: Client) -> Made:
    def clients(name: str) -> Any:
        return sandbox.world.clock.advance if name == "sandbox-clock" else client(name)

    return Made(clients)


def _quota(key: str) -> Quota:
    quota = by_key(*key.split("/"))
    assert quota is not None
    return quota


@pytest.mark.parametrize("key", CASES)
def test_one_more_than_the_limit_is_refused_and_with_a_higher_limit_is_not(
    key: str, sandbox: Sandbox, made: Made
) -> None:
    service, code = key.split("/")
    limit, fits, case = CASES[key]

    def allow(value: float) -> None:
        row = {"service": service, "code": code, "applied": value}
        sandbox.reset({"rates": "off", "quotas": [row]})

    allow(limit)
    call = case(made)
    for number in range(fits):
        call(number)
    with pytest.raises(ClientError) as error:
        call(fits)
    told = str(error.value.response["Error"]["Code"])
    assert told == (_quota(key).failure or told)
    assert "Limit" in told or told.startswith("TooMany")

    allow(2 * limit)
    call = case(Made(made.client))
    for number in range(fits + 1):
        call(number)


def _type_of(code: str, *, is_spot: bool) -> str:
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    fitting = [each for each in INSTANCE_TYPES if quota_code(each, is_spot=is_spot) == code]
    return min(fitting, key=vcpus)


@pytest.mark.parametrize("key", FAMILIES)
def test_vcpus_beyond_the_quota_of_a_family_are_refused(
    key: str, sandbox: Sandbox, made: Made
) -> None:
    quota = FAMILIES[key]
    is_spot = "Spot" in quota.name
    kind = _type_of(quota.code, is_spot=is_spot)
    row = {"service": "ec2", "code": quota.code, "applied": vcpus(kind)}
    sandbox.reset({"rates": "off", "quotas": [row]})
    more = {"InstanceMarketOptions": {"MarketType": "spot"}} if is_spot else {}
    wanted = {"ImageId": "ami-1", "InstanceType": kind, "MinCount": 1, "MaxCount": 1, **more}

    made.ec2.run_instances(**wanted)
    with pytest.raises(ClientError) as error:
        made.ec2.run_instances(**wanted)

    assert error.value.response["Error"]["Code"] == quota.failure

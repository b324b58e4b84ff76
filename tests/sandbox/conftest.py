"""An account without rates for each test, clients in it, and what a cluster needs."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """An empty account with no rates; `sandbox.reset({...})` makes it another one."""
    sandbox.reset({"rates": "off"})
    return sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """Make boto3 clients: `client("ec2")` as the admin, or with `region`, `key`, `credentials`."""
    made: list[Any] = []

    def make(
        service: str,
        region: str | None = None,
        key: tuple[str, str] | None = None,
        credentials: dict[str, Any] | None = None,
    ) -> Any:
        access_key, secret = key or (sandbox.access_key_id, sandbox.secret_access_key)
        token = None
        if credentials is not None:
            access_key, secret = credentials["AccessKeyId"], credentials["SecretAccessKey"]
            token = credentials["SessionToken"]
        made.append(
            boto3.client(
                service,
                region_name=region or sandbox.region,
                endpoint_url=sandbox.endpoint,
                aws_access_key_id=access_key,
                aws_secret_access_key=secret,
                aws_session_token=token,
                config=Config(retries={"total_max_attempts": 1}),
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def refusal() -> Callable[..., tuple[str, int, str]]:
    """Make a call that must fail, and give code, HTTP status and message."""

    def refused(call: Any, *given: Any, **parameters: Any) -> tuple[str, int, str]:
        with pytest.raises(ClientError) as caught:
            call(*given, **parameters)
        error = caught.value.response
        status = error["ResponseMetadata"]["HTTPStatusCode"]
        return error["Error"]["Code"], status, error["Error"]["Message"]

    return refused


ZONES = ("us-west-2a", "us-west-2b")


class Account:
    """An account with the roles and the network of a cluster, and the clients to use it."""

    def __init__(self, client: Client, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.advance = sandbox.world.clock.advance
        self.client = client
        self.eks, self.ec2, self.iam = client("eks"), client("ec2"), client("iam")
        self.role = self.make_role("control-plane", "eks.amazonaws.com")
        self.node_role = self.make_role("nodes", "ec2.amazonaws.com")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zone
            )["Subnet"]["SubnetId"]
            for n, zone in enumerate(ZONES)
        ]

    @cached_property
    def scaling(self) -> Any:
        """Auto Scaling."""
        return self.client("autoscaling")

    @cached_property
    def logs(self) -> Any:
        """CloudWatch Logs."""
        return self.client("logs")

    def make_role(self, name: str, service: str) -> str:
        """Make a role that a service can assume and give its ARN."""
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        document = json.dumps(trust)
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        return str(made["Role"]["Arn"])

    def create(self, name: str = "prod", **more: Any) -> Any:
        """Ask for a cluster."""
        network = {"subnetIds": self.subnets, **more.pop("network", {})}
        wanted = {"name": name, "roleArn": self.role, "resourcesVpcConfig": network} | more
        return self.eks.create_cluster(**wanted)["cluster"]

    def cluster(self, name: str = "prod", **more: Any) -> Any:
        """Have a cluster that is ACTIVE."""
        self.create(name, **more)
        self.advance(600)
        return self.eks.describe_cluster(name=name)["cluster"]

    def create_nodes(self, name: str = "workers", **more: Any) -> Any:
        """Ask for a node group."""
        wanted = {
            "clusterName": "prod",
            "nodegroupName": name,
            "nodeRole": self.node_role,
            "subnets": self.subnets,
            "scalingConfig": {"minSize": 0, "maxSize": 3, "desiredSize": 2},
        }
        return self.eks.create_nodegroup(**(wanted | more))["nodegroup"]

    def nodes(self, name: str = "workers") -> Any:
        """Describe a node group."""
        found = self.eks.describe_nodegroup(clusterName="prod", nodegroupName=name)
        return found["nodegroup"]

    def instances(self) -> list[Any]:
        """List the instances that run."""
        found = self.ec2.describe_instances(
            Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
        )
        return [one for reservation in found["Reservations"] for one in reservation["Instances"]]

    def addon_status(self, name: str) -> str:
        """Tell an add-on's status."""
        found = self.eks.describe_addon(clusterName="prod", addonName=name)
        return str(found["addon"]["status"])

    def template(self, name: str = "mine", **contents: Any) -> str:
        """Make a launch template and give its id."""
        made = self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=contents)
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def log_groups(self) -> list[str]:
        """List the log groups."""
        return [one["logGroupName"] for one in self.logs.describe_log_groups()["logGroups"]]

    def post(self, path: str, asked: Any) -> Any:
        """Ask for something beside AWS, such as `faults` or `leave`."""
        request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
            f"{self.sandbox.endpoint}/_sandbox/{path}", json.dumps(asked).encode(), method="POST"
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return json.loads(answer.read())

    def leave(self, **asked: Any) -> list[dict[str, str]]:
        """Let controllers leave things behind."""
        return list(self.post("leave", asked)["made"])


@pytest.fixture
def advance(sandbox: Sandbox) -> Callable[[float], Any]:
    """Move the sandbox's clock by virtual seconds."""
    return sandbox.world.clock.advance


@pytest.fixture
def new_account(client: Client, sandbox: Sandbox) -> Callable[[], Account]:
    """Make an account ready for a cluster, after `sandbox.reset({...})`."""
    return lambda: Account(client, sandbox)


@pytest.fixture
def account(new_account: Callable[[], Account]) -> Account:
    """An account that is ready for a cluster."""
    return new_account()

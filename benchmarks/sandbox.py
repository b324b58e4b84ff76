"""What the sandbox costs beside plain moto: time for the same calls, start, and memory.

Both servers run in processes of their own, and the same boto3 client makes the same calls of each
in turn, so that whatever else the machine does slows both down alike.

    python benchmarks/sandbox.py [--rounds 20] [--requests 100000]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.config import Config

REGION = "us-west-2"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "eks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
SCENARIO = """\
calls:
  - {service: ec2, operation: CreateVpc, parameters: {CidrBlock: 10.1.0.0/16}, save: {v: Vpc.VpcId}}
  - service: ec2
    operation: CreateSubnet
    parameters: {VpcId: "${v}", CidrBlock: "10.1.${n}.0/24"}
    repeat: 5
"""
Call = tuple[str, Callable[[], Any]]


@contextmanager
def sandbox(scenario: str = "") -> Iterator[tuple[int, dict[str, str], float]]:
    """Start the sandbox; gives its process, its banner, and the seconds until it was ready."""
    command = [sys.executable, "-m", "preflight", "sandbox", "serve"]
    with tempfile.TemporaryDirectory() as folder:
        if scenario:
            file = Path(folder) / "scenario.yaml"
            file.write_text(scenario, encoding="utf-8")
            command += ["--scenario", str(file)]
        began = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
            assert process.stdout is not None
            banner: dict[str, str] = json.loads(process.stdout.readline())
            seconds = time.monotonic() - began
            try:
                yield process.pid, banner, seconds
            finally:
                process.terminate()


@contextmanager
def moto() -> Iterator[tuple[int, dict[str, str], float]]:
    """Start plain moto, likewise."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.01)
        banner = {
            "endpoint": f"http://127.0.0.1:{port}",
            "access_key_id": "AKIAEXAMPLEEXAMPLE12",
            "secret_access_key": "secret",
        }
        try:
            yield process.pid, banner, time.monotonic() - began
        finally:
            process.terminate()


def connect(banner: dict[str, str]) -> Callable[[str], Any]:
    """Give a maker of clients for a server."""
    session = boto3.Session(
        banner["access_key_id"], banner["secret_access_key"], region_name=REGION
    )
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return lambda service: session.client(service, endpoint_url=banner["endpoint"], config=config)


def calls(client: Callable[[str], Any]) -> Callable[[int], list[Call]]:
    """Fill an account, and give the calls of one round in it."""
    ec2, iam, eks, s3, sts = (client(name) for name in ("ec2", "iam", "eks", "s3", "sts"))
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{n}.0/24", AvailabilityZone=f"{REGION}{z}")
        for n, z in enumerate("ab")
    ]
    role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    network = {"subnetIds": [one["Subnet"]["SubnetId"] for one in subnets]}
    eks.create_cluster(name="bench", roleArn=role, resourcesVpcConfig=network)
    where = {"LocationConstraint": REGION}

    def one_round(number: int) -> list[Call]:
        name = f"bench-{number}"
        return [
            *[("sts GetCallerIdentity", sts.get_caller_identity)] * 5,
            *[("ec2 DescribeVpcs", ec2.describe_vpcs)] * 5,
            *[("ec2 DescribeSubnets", ec2.describe_subnets)] * 5,
            (
                "iam CreateRole",
                lambda: iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST),
            ),
            ("iam GetRole", lambda: iam.get_role(RoleName=name)),
            ("iam DeleteRole", lambda: iam.delete_role(RoleName=name)),
            *[("eks DescribeCluster", lambda: eks.describe_cluster(name="bench"))] * 3,
            *[("eks ListClusters", eks.list_clusters)] * 2,
            (
                "s3 CreateBucket",
                lambda: s3.create_bucket(Bucket=name, CreateBucketConfiguration=where),
            ),
            ("s3 PutObject", lambda: s3.put_object(Bucket=name, Key="k", Body=b"x" * 1000)),
            ("s3 ListObjectsV2", lambda: s3.list_objects_v2(Bucket=name)),
            ("s3 DeleteObject", lambda: s3.delete_object(Bucket=name, Key="k")),
            ("s3 DeleteBucket", lambda: s3.delete_bucket(Bucket=name)),
        ]

    return one_round


def cpu_seconds(pid: int) -> float:
    """Tell how much processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Tell the resident megabytes of a process."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError("a process without memory")


def race(rounds: int) -> None:
    """Make the same calls of both, in turn, and print what they took."""
    took: dict[str, dict[str, list[float]]] = {"sandbox": {}, "moto": {}}
    with sandbox() as ours, moto() as theirs:
        servers = {"sandbox": ours, "moto": theirs}
        makers = {name: calls(connect(banner)) for name, (_, banner, _) in servers.items()}
        for warm_up in makers.values():
            for _, call in warm_up(10**6):
                call()
        before = {name: cpu_seconds(pid) for name, (pid, _, _) in servers.items()}
        for number in range(rounds):
            for name in ("sandbox", "moto") if number % 2 else ("moto", "sandbox"):
                for what, call in makers[name](number):
                    began = time.monotonic()
                    call()
                    took[name].setdefault(what, []).append(time.monotonic() - began)
        cpu = {name: cpu_seconds(pid) - before[name] for name, (pid, _, _) in servers.items()}
    count = sum(map(len, took["moto"].values()))
    print(f"{count} calls of each, milliseconds (median)      sandbox     moto    ratio")
    for what, times in took["moto"].items():
        mine, plain = statistics.median(took["sandbox"][what]), statistics.median(times)
        print(f"  {what:40} {mine * 1e3:10.1f} {plain * 1e3:8.1f} {mine / plain:8.2f}")
    mine, plain = (sum(map(sum, took[name].values())) for name in ("sandbox", "moto"))
    print(f"  {'all, seconds':40} {mine:10.2f} {plain:8.2f} {mine / plain:8.2f}")
    per_call = {name: seconds / count * 1e3 for name, seconds in cpu.items()}
    print(
        f"  {'processor time of the server per call':40} {per_call['sandbox']:10.1f}"
        f" {per_call['moto']:8.1f} {per_call['sandbox'] / per_call['moto']:8.2f}"
    )


def starts(times: int) -> None:
    """Print how long it takes until the first request can be sent."""
    for what, scenario in (("empty account", ""), ("scenario with EC2 calls", SCENARIO)):
        seconds, used = [], []
        for _ in range(times):
            with sandbox(scenario) as (pid, _, ready):
                seconds.append(ready)
                used.append(cpu_seconds(pid))
        print(
            f"start, {what}: {min(seconds):.2f} s at best, {statistics.median(seconds):.2f} s in"
            f" the middle; processor time {statistics.median(used):.2f} s"
        )


def soak(requests: int) -> None:
    """Send many requests, most of which make something and delete it; print the memory."""
    with sandbox() as (pid, banner, _):
        connection = http.client.HTTPConnection(banner["endpoint"].removeprefix("http://"))

        def send(service: str, action: str, **fields: str) -> str:
            key = f"{banner['access_key_id']}/20260101/{REGION}/{service}/aws4_request"
            signature = f"AWS4-HMAC-SHA256 Credential={key}, SignedHeaders=host, Signature=0"
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "Authorization": signature,
            }
            connection.request("POST", "/", urlencode({"Action": action, **fields}), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == 200, text
            return text

        marks = [requests * tenth // 10 for tenth in range(1, 11)]
        number, began = 0, time.monotonic()
        while number < requests:
            name, where = f"soak-{number}", f"{REGION}a"
            send("sts", "GetCallerIdentity")
            send("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST)
            send("iam", "DeleteRole", RoleName=name)
            # With a token, as every client sends one.
            made = send("ec2", "CreateVolume", Size="1", AvailabilityZone=where, ClientToken=name)
            send("ec2", "DeleteVolume", VolumeId=made.partition("<volumeId>")[2].partition("<")[0])
            number += 5
            while marks and number >= marks[0]:
                print(f"after {marks.pop(0):7,} requests: {memory(pid):.0f} MB", flush=True)
        rate = number / (time.monotonic() - began)
        connection.close()
    print(f"{rate:.0f} requests a second")


def main() -> None:
    """Run all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--starts", type=int, default=3)
    given = parser.parse_args()
    race(given.rounds)
    starts(given.starts)
    soak(given.requests)


if __name__ == "__main__":
    main()

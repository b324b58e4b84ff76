"""One account, audited by Preflight and by the auditors of the package index, in one run.

The account is in `quotas_account.json`; what is in use there is written out below by hand. Every
call takes 80 ms more than the embedded AWS needs. The peers live in an environment of their own:

    python -m venv /tmp/peers
    /tmp/peers/bin/pip install awslimitchecker aws-quota-checker setuptools
    python benchmarks/quotas.py /tmp/peers/bin

Each runs three times, in turn, and the fastest run is shown, since a machine has other work to do.
The last row is the floor of a whole audit: a program that imports boto3 and reads the limits of
EC2, page after page, and nothing else.

A tool covers a quota when it compares a use with a limit; a verdict is wrong when it is not the
one that use and limit make: full from 100 % on, tight from 80 %. awslimitchecker is asked about
the eight services of a cluster that it knows: asked about all it ends with a traceback, since the
embedded AWS does not have all of its services.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from preflight.quotas.catalogue import CATALOGUE
from preflight.sandbox.server import Sandbox

ACCOUNT = Path(__file__).with_name("quotas_account.json")
LATENCY_MS = 80.0
REGION = "us-west-2"
#: What awslimitchecker is asked about, in the words of Service Quotas.
EIGHT = "autoscaling,ebs,ec2,eks,elasticloadbalancing,iam,s3,vpc"
OK, TIGHT, FULL = "ok", "tight", "full"
#: What the account makes of each quota; everything else is ok.
TRUTH: Mapping[str, str] = {
    "ec2/L-1216C47A": TIGHT,  # 7 m5.2xlarge: 56 of 64 vCPU
    "ec2/L-DB2E81BA": FULL,  # a g5.xlarge: 4 of 0
    "ec2/L-1945791B": FULL,  # an inf1.2xlarge: 8 of 8
    "ec2/L-2C3B7624": FULL,  # a trn1.2xlarge: 8 of 8
    "ec2/L-0263D0A3": TIGHT,  # 4 addresses of 5
    "vpc/L-F678F1CE": FULL,  # 4 VPCs and the default one, of 5
    "vpc/L-FE5A380F": TIGHT,  # 4 gateways of 5 in one zone
    "vpc/L-0EA8095F": TIGHT,  # a prefix list of 52 entries and a range: 53 of 60
    "autoscaling/L-CDE20ADC": TIGHT,  # 120 of 125
    "iam/L-0DA4ABF3": TIGHT,  # 9 policies of 10 on one role
}
_CHECKER: Mapping[str, str] = {
    "All F EC2 Spot Instance Requests": "ec2/L-88CF9481",
    "All G EC2 Spot Instance Requests": "ec2/L-3819A6DF",
    "All Inf EC2 Spot Instance Requests": "ec2/L-B5D1601B",
    "All P EC2 Spot Instance Requests": "ec2/L-7212CCBC",
    "All Standard (A, C, D, H, I, M, R, T, Z) EC2 Spot Instance Requests": "ec2/L-34B43A08",
    "All X EC2 Spot Instance Requests": "ec2/L-E3A00192",
    "Running On-Demand F EC2 instances": "ec2/L-74FC7D96",
    "Running On-Demand G EC2 instances": "ec2/L-DB2E81BA",
    "Running On-Demand Inf EC2 instances": "ec2/L-1945791B",
    "Running On-Demand P EC2 instances": "ec2/L-417A185B",
    "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) EC2 instances": "ec2/L-1216C47A",
    "Running On-Demand X EC2 instances": "ec2/L-7295265B",
    "Application Load Balancers per Region": "elasticloadbalancing/L-53DA6B97",
    "Network Load Balancers per Region": "elasticloadbalancing/L-69A177A2",
    "Classic Load Balancers per Region": "elasticloadbalancing/L-E9E9831D",
    "Target Groups per Region": "elasticloadbalancing/L-B22855CB",
    "Attached IAM policies per role": "iam/L-0DA4ABF3",
    "Auto Scaling groups per Region": "autoscaling/L-CDE20ADC",
    "Launch configurations per Region": "autoscaling/L-6B80B8FA",
    "EBS Snapshots per Region": "ebs/L-309BACF6",
    "EC2 VPC Elastic IPs": "ec2/L-0263D0A3",
    "EKS Clusters per Region": "eks/L-1194D53C",
    "IAM policies per Account": "iam/L-E95E4862",
    "IAM roles per Account": "iam/L-FE177D64",
    "IPv4 CIDR blocks per VPC": "vpc/L-83CA0A9D",
    "Route Tables per VPC": "vpc/L-589F43AA",
    "Routes per Route Table": "vpc/L-93826ACB",
    "Route53 Resolver endpoints per Region": "route53resolver/L-4A669CC0",
    "Route53 Resolver rules per Region": "route53resolver/L-51D8A1FB",
    "Rules per VPC security group": "vpc/L-0EA8095F",
    "S3 Buckets per Account": "s3/L-DC2B2D3D",
    "SNS topics per Account": "sns/L-61103206",
    "Subnets per VPC": "vpc/L-407747CB",
    "VPC internet gateways per Region": "vpc/L-A4707A72",
    "VPC network interfaces per Region": "vpc/L-DF5E4CA3",
    "VPC security groups per Region": "vpc/L-E79EC296",
    "VPCs per Region": "vpc/L-F678F1CE",
}
#: awslimitchecker prints only what is not ok; these it compares without saying so.
_LIMITS: Mapping[str, str] = {
    "AutoScaling/Auto Scaling groups": "autoscaling/L-CDE20ADC",
    "AutoScaling/Launch configurations": "autoscaling/L-6B80B8FA",
    "EC2/All F Spot Instance Requests": "ec2/L-88CF9481",
    "EC2/All G Spot Instance Requests": "ec2/L-3819A6DF",
    "EC2/All Inf Spot Instance Requests": "ec2/L-B5D1601B",
    "EC2/All P Spot Instance Requests": "ec2/L-7212CCBC",
    "EC2/All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests": "ec2/L-34B43A08",
    "EC2/All X Spot Instance Requests": "ec2/L-E3A00192",
    "EC2/Rules per VPC security group": "vpc/L-0EA8095F",
    "EC2/Running On-Demand All F instances": "ec2/L-74FC7D96",
    "EC2/Running On-Demand All G instances": "ec2/L-DB2E81BA",
    "EC2/Running On-Demand All P instances": "ec2/L-417A185B",
    "EC2/Running On-Demand All Standard (A, C, D, H, I, M, R, T, Z) instances": "ec2/L-1216C47A",
    "EC2/Running On-Demand All X instances": "ec2/L-7295265B",
    "EC2/VPC Elastic IP addresses (EIPs)": "ec2/L-0263D0A3",
    "EC2/VPC security groups per Region": "vpc/L-E79EC296",
    "EC2/VPC security groups per elastic network interface": "vpc/L-2AFB9258",
    "EBS/Active snapshots": "ebs/L-309BACF6",
    "EBS/General Purpose (SSD gp2) volume storage (GiB)": "ebs/L-D18FCD1D",
    "EBS/General Purpose (SSD gp3) volume storage (GiB)": "ebs/L-7A658B76",
    "EBS/Provisioned IOPS SSD (io1) storage (GiB)": "ebs/L-FD252861",
    "EBS/Provisioned IOPS SSD (io2) storage (GiB)": "ebs/L-09BD8365",
    "EBS/Provisioned IOPS (io1)": "ebs/L-B3A130E6",
    "EBS/Provisioned IOPS (io2)": "ebs/L-8D977E7E",
    "EKS/Clusters": "eks/L-1194D53C",
    "EKS/Managed node groups per cluster": "eks/L-6D54EA21",
    "EKS/Fargate profiles per cluster": "eks/L-33415657",
    "EKS/Nodes per managed node group": "eks/L-BD136A63",
    "EKS/Selectors per Fargate profile": "eks/L-D78D8AF8",
    "EKS/Label pairs per Fargate profile selector": "eks/L-23414FF3",
    "EKS/Control plane security groups per cluster": "eks/L-11427A54",
    "EKS/Public endpoint access CIDR ranges per cluster": "eks/L-93A74D60",
    "ELB/Application load balancers": "elasticloadbalancing/L-53DA6B97",
    "ELB/Network load balancers": "elasticloadbalancing/L-69A177A2",
    "ELB/Classic load balancers": "elasticloadbalancing/L-E9E9831D",
    "ELB/Target groups": "elasticloadbalancing/L-B22855CB",
    "IAM/Roles": "iam/L-FE177D64",
    "IAM/Policies": "iam/L-E95E4862",
    "IAM/Instance profiles": "iam/L-6E65F664",
    "S3/Buckets": "s3/L-DC2B2D3D",
    "VPC/VPCs": "vpc/L-F678F1CE",
    "VPC/Internet gateways": "vpc/L-A4707A72",
    "VPC/NAT Gateways per AZ": "vpc/L-FE5A380F",
    "VPC/Network interfaces per Region": "vpc/L-DF5E4CA3",
    "VPC/Route tables per VPC": "vpc/L-589F43AA",
    "VPC/Entries per route table": "vpc/L-93826ACB",
    "VPC/Subnets per VPC": "vpc/L-407747CB",
}
Verdicts = Mapping[str, str]
ROUNDS = 3
FLOOR = """
import boto3
pages = boto3.client("service-quotas").get_paginator("list_service_quotas")
print(sum(len(page["Quotas"]) for page in pages.paginate(ServiceCode="ec2", MaxResults=100)))
"""


def ours(text: str) -> Verdicts:
    """Read a report of Preflight; what was not judged is not covered."""
    words = {"pass": OK, "warn": TIGHT, "fail": FULL}
    verdicts = {}
    for finding in json.loads(text)["findings"]:
        data = finding["data"]
        none_allowed = finding["status"] == "skip" and data.get("free") == 0
        if finding["status"] in words or none_allowed:
            verdicts[f"{data['service']}/{data['code']}"] = words.get(finding["status"], OK)
    return verdicts


def checker(text: str) -> Verdicts:
    """Read aws-quota-checker: the worst of the instances of each check."""
    signs, rank = {"✓": OK, "!": TIGHT, "X": FULL}, [OK, TIGHT, FULL]
    verdicts: dict[str, str] = {}
    for name, sign in re.findall(r"^(.+?) \[[^\]]+\]: \S+/\S+ (\S+)$", text, re.MULTILINE):
        key = _CHECKER.get(name)
        if key and sign in signs:
            verdicts[key] = max(verdicts.get(key, OK), signs[sign], key=rank.index)
    return verdicts


def limit_checker(text: str) -> Verdicts:
    """Read awslimitchecker: every limit of its services is ok unless it prints it."""
    verdicts = dict.fromkeys(_LIMITS.values(), OK)
    if "Traceback" in text:
        return {}
    for name, word in re.findall(
        r"^(\w+/.+?) +\(limit .+?\) (WARNING|CRITICAL)", text, re.MULTILINE
    ):
        if key := _LIMITS.get(name):
            verdicts[key] = FULL if word == "CRITICAL" else TIGHT
    return verdicts


@dataclass(frozen=True)
class Tool:
    """One auditor: how it is called, and how its answer is read."""

    name: str
    command: tuple[str, ...]
    read: Callable[[str], Verdicts]


def tools(peers: Path) -> tuple[Tool, ...]:
    """Name the auditors, each told to warn at 80 % and to fail at 100 %."""
    services = "AutoScaling EBS EC2 EKS ELB IAM S3 VPC".split()
    preflight = (sys.executable, "-m", "preflight", "quotas", "-o", "json")
    limits = ("--no-check-version", "--skip-ta", "--no-color", "-W", "80", "-C", "100")
    quota = ("check", "--warning-threshold", "0.799", "--error-threshold", "0.999")
    return (
        Tool("preflight quotas", preflight, ours),
        Tool("preflight quotas --deep", (*preflight, "--deep"), ours),
        Tool("preflight quotas, eight services", (*preflight, "--services", EIGHT), ours),
        Tool(
            "awslimitchecker, eight services",
            (str(peers / "awslimitchecker"), *limits, "-r", REGION, "-S", *services),
            limit_checker,
        ),
        Tool(
            "aws-quota-checker",
            (str(peers / "aws-quota-checker"), *quota, "--region", REGION, "all"),
            checker,
        ),
        Tool("EC2's list of limits alone", (sys.executable, "-c", FLOOR), lambda _: {}),
    )


@dataclass(frozen=True)
class Run:
    """One run of a tool: seconds on the clock and of the processor, its calls, what it said."""

    seconds: float
    processor: float
    calls: list[dict[str, object]]
    done: subprocess.CompletedProcess[str]


def run(tool: Tool, environment: Mapping[str, str], log: Path) -> Run:
    """Run a tool once against the account."""
    before, began = len(log.read_text().splitlines()), time.monotonic()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603 - the auditors named above
        tool.command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(
        seconds=time.monotonic() - began,
        processor=now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime,
        calls=[json.loads(line) for line in log.read_text().splitlines()[before:]],
        done=done,
    )


def row(tool: Tool, one: Run) -> str:
    """Write the row of a tool; what is wrong goes to standard error."""
    verdicts = tool.read(one.done.stdout)
    known = {str(quota) for quota in CATALOGUE} & verdicts.keys()
    wrong = sorted(key for key in known if verdicts[key] != TRUTH.get(key, OK))
    if wrong or not known:
        print(f"{tool.name}: {wrong or one.done.stderr[-400:]}", file=sys.stderr)
    throttled = sum("TooMany" in str(call["error"]) for call in one.calls)
    numbers = (f"{one.seconds:.1f}", f"{one.processor:.1f}", len(one.calls), throttled)
    return f"| {' | '.join(map(str, (tool.name, *numbers, len(known), len(wrong))))} |"


def main(peers: Path) -> None:
    """Run all and print the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(ACCOUNT, latency_ms=LATENCY_MS, call_log=Path(folder) / "calls") as sandbox,
    ):
        log = Path(folder) / "calls"
        log.touch()
        listed = tools(peers)
        runs = [[run(tool, sandbox.environment(), log) for tool in listed] for _ in range(ROUNDS)]
    print("| auditor | seconds | processor | calls | throttled | quotas covered | wrong verdicts |")
    print("|---|---|---|---|---|---|---|")
    for tool, of_tool in zip(listed, zip(*runs, strict=True), strict=True):
        print(row(tool, min(of_tool, key=lambda one: one.seconds)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

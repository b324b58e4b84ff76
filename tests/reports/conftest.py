"""Reports built by hand, one of each kind, and the strings an attacker would put in a tag."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from preflight.finding import Coverage, Finding, LeftoverStatus, Severity, Status
from reports.view import (
    Change,
    ClusterRow,
    Kind,
    Outcome,
    PlannedDemand,
    PlannedResource,
    PlanSection,
    Report,
    RoleSection,
    Step,
)

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
QUOTAS_URL = "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html"
NAT = "nat-0a1b2c3d4e5f60718"
NAT_ARN = f"arn:aws:ec2:us-west-2:111122223333:natgateway/{NAT}"


@pytest.fixture
def check_report() -> Report:
    """A gate with one of everything."""
    return Report(
        kind=Kind.CHECK,
        generated_at=NOW,
        version="0.1.0",
        account="111122223333",
        region="us-west-2",
        cluster="demo",
        verdict=Outcome.CLOSED,
        complete=False,
        findings=(
            Finding(
                check="quotas",
                status=Status.FAIL,
                severity=Severity.HIGH,
                subject="VPCs per Region (us-west-2)",
                message="1 needed, 5 of 5 used",
                hint="preflight quotas request --service vpc --code L-F678F1CE --value 6",
                url=QUOTAS_URL,
                data={
                    "service": "vpc",
                    "code": "L-F678F1CE",
                    "name": "VPCs per Region",
                    "region": "us-west-2",
                    "unit": "None",
                    "limit": 5.0,
                    "limit_source": "applied",
                    "used": 5.0,
                    "needed": 1.0,
                    "free": 0.0,
                    "request": None,
                },
            ),
            Finding(
                check="quotas",
                status=Status.PASS,
                subject="IAM roles",
                message="15 needed, 83 of 1,000 used",
                data={"limit": 1000.0, "used": 83.0, "needed": 15.0, "free": 917.0},
            ),
            Finding(
                check="sts",
                status=Status.PASS,
                subject="us-west-2",
                message="the regional endpoint answers",
            ),
            Finding(
                check="permissions",
                status=Status.UNKNOWN,
                severity=Severity.HIGH,
                subject="arn:aws:iam::111122223333:role/platform/byoc/grid-managed-cluster-creator",
                message="could not be simulated: iam:SimulatePrincipalPolicy is denied",
                hint="grant iam:SimulatePrincipalPolicy to the caller",
                data={"action": "iam:SimulatePrincipalPolicy", "decision": None},
            ),
            Finding(
                check="recommended-quotas",
                status=Status.WARN,
                severity=Severity.LOW,
                subject="Auto Scaling groups per region",
                message="the vendor recommends 800, the limit is 500; that is no problem for this "
                "plan, which needs 6, but clusters grow",
            ),
            Finding(
                check="naming",
                status=Status.SKIP,
                subject="demo",
                message="no bucket is wanted",
            ),
            Finding(
                check="existing",
                status=Status.FAIL,
                severity=Severity.MEDIUM,
                subject="demo",
                message="a log group of that name exists",
                waived="kept for the auditors",
            ),
        ),
        calls={"sts:GetCallerIdentity": 1, "servicequotas:ListServiceQuotas": 6},
        seconds=1.84,
    )


def leftover(
    status: LeftoverStatus, kind: str, thing: str, message: str, **data: object
) -> Finding:
    """One finding of the sweeper, with the keys that DESIGN 10 names."""
    severity = data.pop("severity", Severity.LOW)
    assert isinstance(severity, Severity)
    keys: dict[str, object] = {
        "type": kind,
        "arn": None,
        "id": thing,
        "region": "us-west-2",
        "cluster": "demo",
        "strength": "A",
        "evidence": [],
        "age_seconds": None,
        "monthly_usd": None,
        "blocks": [],
        "blocked_by": [],
        "delete": [],
    }
    return Finding(
        check="leftovers",
        status=status,
        severity=severity,
        subject=thing,
        message=message,
        data={**keys, **data},
    )


@pytest.fixture
def scan_report() -> Report:
    """An account where a cluster was torn down badly."""
    return Report(
        kind=Kind.SCAN,
        generated_at=NOW,
        version="0.1.0",
        account="111122223333",
        region="us-west-2",
        cluster="demo",
        verdict=Outcome.LEFTOVERS,
        complete=False,
        findings=(
            leftover(
                LeftoverStatus.LEFTOVER,
                "ec2/nat-gateway",
                NAT,
                "a NAT gateway of cluster demo, which is gone",
                severity=Severity.HIGH,
                arn=NAT_ARN,
                evidence=[{"key": "kubernetes.io/cluster/demo", "value": "owned", "strength": "A"}],
                age_seconds=3 * 86_400,
                monthly_usd=32.85,
                blocks=["vpc-0f00"],
                delete=["aws", "ec2", "delete-nat-gateway", "--nat-gateway-id", NAT],
            ),
            leftover(
                LeftoverStatus.LEFTOVER,
                "ec2/volume",
                "vol-0123456789abcdef0",
                "a volume of claim default/data-0",
                severity=Severity.MEDIUM,
                strength="B",
                evidence=["name kubernetes-dynamic-pvc-1", "claim default/data-0"],
                age_seconds=7200,
                monthly_usd=8.0,
                blocked_by=["snap-1"],
                delete=[["aws", "ec2", "delete-volume", "--volume-id", "vol-0123456789abcdef0"]],
            ),
            leftover(
                LeftoverStatus.POSSIBLE,
                "ec2/elastic-ip",
                "eipalloc-1",
                "some cluster allocated it; nothing says which",
                strength="C",
                monthly_usd=3.65,
            ),
            leftover(
                LeftoverStatus.WAIT,
                "ec2/network-interface",
                "eni-1",
                "AWS is deleting it; look again in an hour",
            ),
            leftover(
                LeftoverStatus.KEEP,
                "logs/log-group",
                "/aws/eks/demo/cluster",
                "kept: audit, until 2027-01-01",
            ),
        ),
        coverage=(
            Coverage(rule="nat-gateways", examined=4, matched=1, status=Status.PASS),
            Coverage(rule="volumes", examined=1200, matched=1, status=Status.PASS),
            Coverage(
                rule="load-balancers",
                examined=0,
                matched=0,
                status=Status.UNKNOWN,
                missing_action="elasticloadbalancing:DescribeLoadBalancers",
            ),
        ),
        calls={"ec2:DescribeNatGateways": 1},
        seconds=12.3,
    )


@pytest.fixture
def plan_report() -> Report:
    """A small plan; the subnet hangs on the VPC, the cluster on both and on its role."""

    def resource(address: str, kind: str, *needs: str, usd: float | None = 0.0) -> PlannedResource:
        return PlannedResource(
            address=address,
            kind=kind,
            name=f"demo-{address}",
            change=Change.ADOPT if address == "vpc" else Change.CREATE,
            depends_on=needs,
            monthly_usd=usd,
        )

    return Report(
        kind=Kind.PLAN,
        generated_at=NOW,
        version="0.1.0",
        account="111122223333",
        region="us-west-2",
        cluster="demo",
        verdict=Outcome.DONE,
        complete=True,
        plan=PlanSection(
            resources=(
                resource("vpc", "ec2/vpc"),
                resource("role", "iam/role"),
                resource("subnet-a", "ec2/subnet", "vpc"),
                resource("nat-a", "ec2/nat-gateway", "subnet-a", usd=32.85),
                resource("cluster", "eks/cluster", "role", "subnet-a", usd=73.0),
                resource("nodes", "eks/nodegroup", "cluster", "nat-a", usd=None),
            ),
            actions=("ec2:CreateVpc", "eks:CreateCluster", "iam:CreateRole"),
            demands=(
                PlannedDemand(service="vpc", code="L-F678F1CE", name="VPCs per Region", amount=1.0),
                PlannedDemand(
                    service="ec2",
                    code="L-1216C47A",
                    name="Running On-Demand Standard instances",
                    amount=64.0,
                    unit="vCPU",
                ),
            ),
            monthly_usd=105.85,
            usd_as_of="2026-01-15",
            unpriced=("nodes: Spot prices change by the hour",),
        ),
    )


@pytest.fixture
def clusters_report() -> Report:
    """Two clusters, one of them without a known date."""
    return Report(
        kind=Kind.CLUSTERS,
        generated_at=NOW,
        version="0.1.0",
        account="111122223333",
        verdict=Outcome.DONE,
        complete=True,
        clusters=(
            ClusterRow(
                id="grid-prod",
                name="grid-prod",
                status="running",
                region="us-west-2",
                created=datetime(2026, 3, 3, 11, 0, tzinfo=UTC),
            ),
            ClusterRow(id="dev", name="dev", status="failed", region="eu-west-2"),
        ),
    )


@pytest.fixture
def provision_report() -> Report:
    """A build that ran into a quota."""
    return Report(
        kind=Kind.PROVISION,
        generated_at=NOW,
        version="0.1.0",
        account="111122223333",
        region="us-west-2",
        cluster="demo",
        verdict=Outcome.FAILED,
        complete=True,
        steps=(
            Step(address="vpc", state="ready", id="vpc-1", seconds=2.5),
            Step(
                address="nat-a",
                state="failed",
                seconds=1.0,
                error="AddressLimitExceeded: 5 of 5 Elastic IPs are used",
                hint="preflight quotas request --service ec2 --code L-0263D0A3",
            ),
            Step(address="nodes", state="cancelled", error="nat-a failed"),
        ),
        seconds=200,
    )


@pytest.fixture
def delete_report(provision_report: Report, scan_report: Report) -> Report:
    """A tear-down and the scan after it."""
    steps = (Step(address="vpc", state="gone", id="vpc-1", seconds=700),)
    return replace(
        scan_report, kind=Kind.DELETE, verdict=Outcome.LEFTOVERS, steps=steps, seconds=790
    )


@pytest.fixture
def role_report() -> Report:
    """A role that was made; its secret stays in a file."""
    return Report(
        kind=Kind.ROLE,
        generated_at=NOW,
        version="0.1.0",
        account="111122223333",
        verdict=Outcome.DONE,
        complete=True,
        role=RoleSection(
            role_arn="arn:aws:iam::111122223333:role/grid-byoc",
            role_name="grid-byoc",
            external_id_file="~/.local/state/preflight/grid-byoc.external-id",
        ),
    )


@pytest.fixture
def permissions_report() -> Report:
    """The policy that a plan needs."""
    return Report(
        kind=Kind.PERMISSIONS,
        generated_at=NOW,
        version="0.1.0",
        verdict=Outcome.DONE,
        complete=True,
        policy={
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["ec2:CreateVpc"], "Resource": "*"}],
        },
    )


@pytest.fixture
def quotas_report(check_report: Report) -> Report:
    """An audit of the quotas."""
    findings = tuple(each for each in check_report.findings if each.check == "quotas")
    return replace(check_report, kind=Kind.QUOTAS, findings=findings, complete=True)


KINDS = [kind.value for kind in Kind]


@pytest.fixture(params=KINDS)
def any_report(request: pytest.FixtureRequest) -> Report:
    """Each kind of report in turn."""
    report = request.getfixturevalue(f"{request.param}_report")
    assert isinstance(report, Report)
    return report


#: One string with everything that somebody may put into a tag to reach a reader.
HOSTILE = (
    '=HYPERLINK("http://evil.example")\x1b[2J\x1b]8;;http://evil.example\x07[bold][/]'
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u202egpj\u2066"
    "\x00\x9b31m\ud800\ufffe|`a`|\r\n::error::owned%0A@team ${{ x }} ]]>&amp;"
)


@pytest.fixture
def hostile_report(scan_report: Report, plan_report: Report) -> Report:
    """A report in which every string that comes from AWS was written by an attacker."""
    data = {
        "type": HOSTILE,
        "arn": HOSTILE,
        "id": HOSTILE,
        "strength": "A",
        "evidence": [HOSTILE, {"key": HOSTILE, "value": HOSTILE}],
        "monthly_usd": 1.0,
        "blocks": [HOSTILE],
        "blocked_by": [HOSTILE],
        "delete": ["aws", "ec2", "delete-volume", "--volume-id", HOSTILE],
    }

    def evil_finding(check: str, status: Status | LeftoverStatus) -> Finding:
        url = f"javascript:{HOSTILE}"
        return Finding(
            check=check.replace("\ud800", ""),
            status=status,
            # `Finding.id` hashes check and subject, and cannot hash half a surrogate pair.
            subject=HOSTILE.replace("\ud800", ""),
            message=HOSTILE,
            hint=HOSTILE,
            url=url,
            data=data,
        )

    assert plan_report.plan is not None
    evil = PlannedResource(
        address=HOSTILE, kind=HOSTILE, name=HOSTILE, change=Change.CREATE, depends_on=(HOSTILE,)
    )
    return replace(
        scan_report,
        cluster=HOSTILE,
        region=HOSTILE,
        findings=(
            evil_finding(HOSTILE, LeftoverStatus.LEFTOVER),
            evil_finding("other", LeftoverStatus.POSSIBLE),
            evil_finding("third", Status.FAIL),
        ),
        coverage=(
            Coverage(
                rule=HOSTILE, examined=1, matched=1, status=Status.UNKNOWN, missing_action=HOSTILE
            ),
        ),
        calls={HOSTILE: 1},
        plan=replace(plan_report.plan, resources=(evil,), unpriced=(HOSTILE,)),
        clusters=(ClusterRow(id=HOSTILE, name=HOSTILE, status=HOSTILE),),
        steps=(Step(address=HOSTILE, state="failed", id=HOSTILE, error=HOSTILE, hint=HOSTILE),),
        role=RoleSection(role_arn=HOSTILE, role_name=HOSTILE, external_id_file=HOSTILE),
        policy={HOSTILE: HOSTILE},
    )

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from preflight.actions import actions
from preflight.aws import READS, Aws
from preflight.finding import LeftoverStatus, Severity, Status
from preflight.found import Evidence, Found, Owner, State, Strength
from preflight.price import Charge
from preflight.resource import Kind
from preflight.sandbox.server import Sandbox
from provision.resources.eks import Cluster
from provision.resources.kinds import KINDS
from provision.resources.logs import LogGroup
from provision.resources.vpc import Subnet, Vpc
from provision.strays.balancers import TargetGroup
from provision.strays.kinds import STRAYS
from provision.strays.log_groups import ClusterLogs
from provision.strays.volumes import Volume
from provision.sweeper import Sweep, findings, is_alive, join, sweep

ALL: tuple[type[Kind], ...] = (*KINDS, *STRAYS)
RULES = [kind for kind in ALL if kind.dies_with is None]
ISSUER = "oidc.eks.us-west-2.amazonaws.com/id"
IN_REGION = {"CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
NOW = datetime(2030, 1, 1, tzinfo=UTC)
Leave = Callable[..., set[str]]


@pytest.fixture
def owner(sandbox: Sandbox) -> Owner:
    """Whoever had the dead cluster `prod`."""
    return Owner(cluster="prod", account=sandbox.account, region=sandbox.region)


@pytest.fixture
def leave(sandbox: Sandbox) -> Leave:
    """Leave behind what controllers of a cluster make, and give its ids."""

    def leave(cluster: str, *what: str) -> set[str]:
        asked = {"cluster": cluster, "region": sandbox.region, "what": list(what)}
        return {made["id"] for made in post(sandbox, "leave", asked)["made"]}

    return leave


def post(sandbox: Sandbox, path: str, body: object) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        f"{sandbox.endpoint}/_sandbox/{path}", data=json.dumps(body).encode()
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return json.load(answer)


def by_status(result: Sweep) -> dict[LeftoverStatus, set[str]]:
    found: dict[LeftoverStatus, set[str]] = {}
    for one in result.leftovers:
        found.setdefault(one.status, set()).add(one.found.id)
    return found


@pytest.mark.parametrize("cluster", ["prod", "team.a"])
def test_exactly_what_a_dead_cluster_left_is_left_over_and_nothing_of_its_neighbours(
    cluster: str, aws: Aws, owner: Owner, leave: Leave
) -> None:
    owner = Owner(cluster=cluster, account=owner.account, region=owner.region)
    left = leave(owner.eks_name)
    for twin in ("-2", "2", "--2", ".2"):
        leave(Owner(cluster=f"{cluster}{twin}", account="", region="").eks_name)
    leave(f"a-{owner.eks_name}")
    leave(owner.eks_name.upper())

    result = sweep(aws, owner, ALL)

    assert by_status(result) == {LeftoverStatus.LEFTOVER: left}
    assert {one.found.strength for one in result.leftovers} == {Strength.A}
    assert {one.found.cluster for one in result.leftovers} == {cluster}
    assert result.complete
    assert [line.rule for line in result.coverage] == [kind.kind for kind in RULES]
    assert {line.status for line in result.coverage} == {Status.PASS}
    examined = {line.rule: (line.examined, line.matched) for line in result.coverage}
    assert examined["elbv2/target-group"] == (7, 1)
    assert examined["ec2/volume"] == (7, 1)


def test_a_sweep_only_looks_and_says_the_same_every_time(
    connect: Callable[[], Aws], owner: Owner, leave: Leave
) -> None:
    leave("prod")
    leave("prod", "volume", "eni")
    first, second = connect(), connect()

    said = [findings(sweep(each, owner, ALL), NOW) for each in (first, second)]

    assert said[0] == said[1]
    assert len(said[0]) == 10
    assert first.calls.by_operation == second.calls.by_operation
    assert all(name.split(":")[1].startswith(READS) for name in first.calls.by_operation)


@pytest.fixture
def crowded(sandbox: Sandbox) -> None:
    """A thousand roles of others, and what a living neighbour has that is listed with ours."""
    twin = {"preflight:cluster": "prod-2", "kubernetes.io/cluster/prod-2": "owned"}
    tags = [{"Key": key, "Value": value} for key, value in twin.items()]
    vpc = [{"ResourceType": "vpc", "Tags": tags}]
    calls = (
        ("ec2", "CreateVpc", {"CidrBlock": "10.9.0.0/16", "TagSpecifications": vpc}),
        ("iam", "CreateOpenIDConnectProvider", {"Url": f"https://{ISSUER}/TWIN", "Tags": tags}),
        ("guardduty", "CreateDetector", {"Enable": True, "Tags": twin}),
        ("sqs", "CreateQueue", {"QueueName": "prod-2--events", "tags": twin}),
        ("sns", "CreateTopic", {"Name": "prod-2--alarms", "Tags": tags}),
        ("ecr", "CreateRepository", {"repositoryName": "prod-2/images"}),
        ("logs", "CreateLogGroup", {"logGroupName": "/aws/eks/prod-2/dns"}),
        ("s3", "CreateBucket", {"Bucket": "prod-2--logs", **IN_REGION}),
    )
    scenario = [{"service": s, "operation": o, "parameters": p} for s, o, p in calls]
    sandbox.reset({"calls": scenario})
    iam = sandbox.world.backend("iam", "aws")
    for number in range(1000):
        iam.create_role(f"other-{number}", "{}", "/", None, "", [], 3600)


@pytest.mark.usefixtures("crowded")
def test_one_cluster_among_a_thousand_roles_and_a_neighbour_costs_at_most_35_calls(
    aws: Aws, owner: Owner, leave: Leave
) -> None:
    leave("prod-2")
    left = leave("prod")
    assert aws.identity.account == owner.account
    assert not is_alive(aws, owner.eks_name)

    result = sweep(aws, owner, ALL)

    assert by_status(result) == {LeftoverStatus.LEFTOVER: left}
    assert aws.calls.total <= 35, aws.calls.by_operation
    before = aws.calls.total
    for number in range(3, 9):
        leave(f"prod-{number}")
    sweep(aws, owner, ALL)
    assert aws.calls.total - before == before - 2  # without asking who calls and what lives


def test_pages_are_followed_to_the_last(aws: Aws, owner: Owner, sandbox: Sandbox) -> None:
    tags = [{"Key": "elbv2.k8s.aws/cluster", "Value": "prod"}]
    vpc = aws.call("ec2", "DescribeVpcs")["Vpcs"][0]["VpcId"]
    elb = sandbox.world.backend("elbv2", sandbox.region)
    for number in range(450):
        elb.create_target_group(
            f"k8s-{number}", protocol="TCP", port="80", vpc_id=vpc, target_type="ip", tags=tags
        )
    ec2 = sandbox.world.backend("ec2", sandbox.region)
    for _ in range(510):
        volume = ec2.create_volume(size=1, zone_name=f"{sandbox.region}a", volume_type="gp3")
        volume.add_tags({"KubernetesCluster": "prod"})
    before = aws.calls.total

    result = sweep(aws, owner, [TargetGroup, Volume])

    assert [line.matched for line in result.coverage] == [450, 510]
    assert len(result.to_delete) == 960
    assert aws.calls.total - before <= 40, aws.calls.by_operation


def looks(aws: Aws, owner: Owner, kind: type[Kind]) -> frozenset[str]:
    """Name the actions by which a rule looks; `finds` also has those that tell readiness."""
    for _ in kind.find(aws, owner):
        pass
    assert aws.calls.actions <= {action.name for action in kind.finds}
    return aws.calls.actions


def test_whatever_may_not_be_looked_at_is_unknown_and_never_clean(bench: Any, leave: Leave) -> None:
    owner, aws = bench.owner("prod"), bench.aws()
    bench.build(bench.plan("prod"))
    leave("prod")
    asked = [(kind, action) for kind in RULES for action in looks(bench.aws(), owner, kind)]
    wrong = []
    for kind, action in asked:
        code = "UnauthorizedOperation" if action.startswith("ec2:") else "AccessDenied"
        bench.fault(*({"action": each, "error": code} for each in (action, "ec2:DescribeTags")))

        # The cluster is always among them: OpenID providers name its class.
        result = sweep(aws, owner, [kind, Cluster] if kind is not Cluster else [kind])

        line = result.coverage[0]
        said = {one.check: one.status for one in findings(result, NOW)}
        if (
            (line.status, line.missing_action) != (Status.UNKNOWN, action)
            or said.get(f"scan.{kind.kind}") is not LeftoverStatus.UNKNOWN
            or result.complete
        ):
            wrong.append((kind.kind, action, line))
    assert len(asked) > 50
    assert wrong == []


def test_one_rule_that_may_not_look_does_not_blind_the_others(
    aws: Aws, owner: Owner, leave: Leave, sandbox: Sandbox
) -> None:
    left = leave("prod")
    post(sandbox, "faults", [{"action": "elasticloadbalancing:*", "error": "AccessDenied"}])

    result = sweep(aws, owner, ALL)

    assert not result.complete
    assert {one.subject for one in result.unseen} == {
        "elbv2/load-balancer of prod",
        "elb/load-balancer of prod",
        "elbv2/target-group of prod",
    }
    assert {id for id in left if ":elasticloadbalancing:" not in id} == {
        one.found.id for one in result.to_delete
    }
    assert {one.status for one in findings(result, NOW)} == {
        LeftoverStatus.LEFTOVER,
        LeftoverStatus.UNKNOWN,
    }


def test_a_log_group_that_comes_back_between_two_sweeps_is_reported(
    aws: Aws, owner: Owner, leave: Leave
) -> None:
    leave("prod", "log-group")
    for one in sweep(aws, owner, ALL).to_delete:
        one.kind.delete(aws, one.found)
    assert sweep(aws, owner, ALL).leftovers == ()

    leave("prod", "log-group")

    assert "/aws/eks/prod/cluster" in by_status(sweep(aws, owner, ALL))[LeftoverStatus.LEFTOVER]


def test_what_two_rules_find_is_one_thing_with_the_evidence_of_both(
    aws: Aws, owner: Owner, leave: Leave
) -> None:
    leave("prod", "log-group")

    found = {one.found.id: one for one in sweep(aws, owner, ALL).leftovers}

    assert len(found) == 2
    both = found["/aws/eks/prod/cluster"]
    assert both.kind is LogGroup
    assert [piece.text for piece in both.found.evidence] == [
        "name /aws/eks/prod/cluster",
        "its name starts with /aws/eks/prod/",
    ]
    assert both.found.charges == (Charge(sku="logs/gb", quantity=0.0),)
    assert both.found.created is not None
    assert found["/aws/containerinsights/prod/performance"].kind is ClusterLogs


def stray(kind: str, **fields: Any) -> Any:
    """A kind that finds exactly one thing, `made up`, by proof A."""
    proof = Evidence(strength=fields.pop("strength", Strength.A), text="made up")
    found = {"kind": kind, "id": f"{kind}-1", "region": "us-east-1", **fields}

    class Stray(Kind):
        finds = actions("ec2:DescribeVpcs")

        @classmethod
        def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
            del aws
            yield Found(cluster=owner.cluster, evidence=(proof,), **found)

        @classmethod
        def delete(cls, aws: Aws, found: Found) -> None:
            aws.call("ec2", "DeleteVpc", VpcId=found.id)

    Stray.kind = kind
    return Stray


def network(aws: Aws) -> tuple[str, str]:
    """Make a VPC and a subnet that a plan of `prod` made."""
    tags = [{"Key": "preflight:cluster", "Value": "prod"}]

    def made(thing: str) -> list[dict[str, Any]]:
        return [{"ResourceType": thing, "Tags": tags}]

    vpc = aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16", TagSpecifications=made("vpc"))
    subnet = aws.call(
        "ec2",
        "CreateSubnet",
        VpcId=vpc["Vpc"]["VpcId"],
        CidrBlock="10.0.0.0/24",
        TagSpecifications=made("subnet"),
    )
    return vpc["Vpc"]["VpcId"], subnet["Subnet"]["SubnetId"]


def test_what_a_stray_holds_waits_for_it_and_what_nothing_holds_is_left_over(
    aws: Aws, owner: Owner
) -> None:
    vpc, subnet = network(aws)
    kinds = (Vpc, Subnet)
    assert by_status(sweep(aws, owner, kinds)) == {LeftoverStatus.LEFTOVER: {vpc, subnet}}

    held = sweep(aws, owner, (*kinds, stray("x/machine", blocks=(subnet,))))

    assert by_status(held) == {
        LeftoverStatus.WAIT: {vpc, subnet},
        LeftoverStatus.LEFTOVER: {"x/machine-1"},
    }
    assert all(one.held for one in held.leftovers if one.found.id != "x/machine-1")
    assert len(held.to_delete) == 3
    said = {one.data["id"]: one for one in findings(held, NOW)}
    assert said[subnet].data["blocked_by"] == ["x/machine-1"]
    assert said[subnet].data["delete"] == []
    assert "`preflight delete`" in said[subnet].message

    first = by_status(sweep(aws, owner, (*kinds, stray("elbv2/load-balancer"))))
    assert first[LeftoverStatus.WAIT] == {vpc, subnet}  # it has to be gone before any subnet
    for harmless in (State.KEPT, State.GOING):
        result = sweep(aws, owner, (*kinds, stray("x/machine", blocks=(subnet,), state=harmless)))
        assert by_status(result)[LeftoverStatus.LEFTOVER] == {vpc, subnet}


@pytest.mark.parametrize(
    ("fields", "status", "severity"),
    [
        ({}, LeftoverStatus.LEFTOVER, Severity.LOW),
        ({"blocks": ("vpc-1",)}, LeftoverStatus.LEFTOVER, Severity.MEDIUM),
        ({"charges": (Charge(sku="ec2/nat-gateway"),)}, LeftoverStatus.LEFTOVER, Severity.HIGH),
        ({"charges": (Charge(sku="no/price"),)}, LeftoverStatus.LEFTOVER, Severity.MEDIUM),
        ({"strength": Strength.B}, LeftoverStatus.LEFTOVER, Severity.LOW),
        ({"strength": Strength.C}, LeftoverStatus.POSSIBLE, Severity.INFO),
        ({"state": State.KEPT}, LeftoverStatus.KEEP, Severity.INFO),
        ({"state": State.GOING}, LeftoverStatus.WAIT, Severity.INFO),
        ({"strength": Strength.C, "state": State.GOING}, LeftoverStatus.POSSIBLE, Severity.INFO),
    ],
)
def test_only_what_is_certain_and_free_is_left_over_and_gets_a_command(
    fields: dict[str, Any], status: LeftoverStatus, severity: Severity, aws: Aws, owner: Owner
) -> None:
    result = sweep(aws, owner, [stray("x/thing", **fields)])

    (said,) = findings(result, NOW)

    assert (said.status, said.severity) == (status, severity)
    assert bool(result.to_delete) is (status is LeftoverStatus.LEFTOVER)
    assert bool(said.data["delete"]) is bool(said.hint) is (status is LeftoverStatus.LEFTOVER)


def test_a_price_that_is_not_known_is_null_and_an_age_is_never_negative(
    aws: Aws, owner: Owner
) -> None:
    half = (Charge(sku="ec2/nat-gateway"), Charge(sku="no/price"))
    kinds = [
        stray("x/free", created=NOW + timedelta(days=1)),
        stray("x/half", charges=half, created=NOW - timedelta(hours=1)),
        stray("x/dear", charges=half[:1]),
        stray("x/elsewhere", charges=half[:1], region="mars-north-1"),
    ]

    said = {one.data["type"]: one.data for one in findings(sweep(aws, owner, kinds), NOW)}

    assert {kind: data["monthly_usd"] for kind, data in said.items()} == {
        "x/free": 0.0,
        "x/half": None,
        "x/dear": 32.85,
        "x/elsewhere": None,
    }
    ages = {kind: data["age_seconds"] for kind, data in said.items()}
    assert ages == {"x/free": 0, "x/half": 3600, "x/dear": None, "x/elsewhere": None}


def test_a_rule_that_falls_over_is_a_rule_that_did_not_look(aws: Aws, owner: Owner) -> None:
    class Broken(stray("x/broken")):  # type: ignore[misc]
        @classmethod
        def find(cls, *_: Any) -> Iterator[Found]:
            raise KeyError("VolumeId")

    result = sweep(aws, owner, [Broken, stray("x/thing")])

    assert not result.complete
    assert [line.status for line in result.coverage] == [Status.UNKNOWN, Status.PASS]
    assert "KeyError" in result.unseen[0].message


def test_sweeps_of_several_clusters_add_up_to_one_line_a_rule(
    aws: Aws, owner: Owner, leave: Leave, sandbox: Sandbox
) -> None:
    owners = [Owner(cluster=name, account=owner.account, region=owner.region) for name in "ab"]
    for one in owners:
        leave(one.cluster, "volume")
    kinds = [Volume, ClusterLogs]
    post(
        sandbox,
        "faults",
        [{"action": "logs:DescribeLogGroups", "error": "AccessDenied", "count": 1}],
    )

    result = join(sweep(aws, one, kinds) for one in owners)

    assert [(line.rule, line.matched, line.status) for line in result.coverage] == [
        ("ec2/volume", 2, Status.PASS),
        ("logs/cluster-log-group", 0, Status.UNKNOWN),
    ]
    assert {one.found.cluster for one in result.to_delete} == {"a", "b"}
    assert len({one.id for one in findings(result, NOW)}) == 3

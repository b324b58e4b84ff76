"""The checks of quotas, asked of an account in the sandbox."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any

import boto3
import pytest

from checks.quotas import quota_plan, quota_vendor
from preflight import profile, spec
from preflight.aws import Aws
from preflight.check import Answer, Check, Context
from preflight.clock import SystemClock
from preflight.facts import Facts, Gap
from preflight.finding import Coverage, Severity, Status
from preflight.found import Found, Owner
from preflight.once import Once
from preflight.plan import Plan
from preflight.quota import Demand, Quota
from preflight.quotas import catalogue
from preflight.quotas.catalogue import vcpu_quota
from preflight.quotas.figures import NEW
from preflight.resource import Ids, Resource
from preflight.sandbox.server import Sandbox

REGION = "us-west-2"
NUMBERS = {
    *("service", "code", "name", "region", "unit", "limit", "limit_source"),
    *("used", "needed", "free", "request"),
}
VPC_PER_REGION = "vpc/L-F678F1CE"
STANDARD, G_SPOT = "ec2/L-1216C47A", "ec2/L-3819A6DF"


ADMIN_KEY = ("AKIAADMIN00000000000", "admin-secret")
NARROW_KEY = ("AKIANARROW0000000000", "narrow-secret")
PRINCIPALS = [
    {
        "user": "admin",
        "access_key": list(ADMIN_KEY),
        "policies": ["arn:aws:iam::aws:policy/AdministratorAccess"],
    },
    {"user": "narrow", "access_key": list(NARROW_KEY), "policies": []},
]


class Wants(Resource):
    """Something that takes of quotas and is never built."""

    kind = "test/wants"
    wanted: tuple[Demand, ...]

    def demands(self) -> Iterator[Demand]:
        return iter(self.wanted)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        raise NotImplementedError

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        del aws, owner
        return iter(())

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        raise NotImplementedError


@pytest.fixture(scope="module")
def server(sandbox_server: Sandbox) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox_server.environment().items():
            patch.setenv(name, value)
        yield sandbox_server


class Hurry(SystemClock):
    """A clock that does not wait: how fast may be asked is tested elsewhere."""

    def sleep(self, seconds: float) -> None:
        del seconds


@pytest.fixture(scope="module")
def session(server: Sandbox) -> boto3.Session:
    del server  # its address is in the environment
    return boto3.Session(*ADMIN_KEY)


@pytest.fixture(scope="module")
def admin(session: boto3.Session) -> Aws:
    """One connection for many tests: making clients takes longer than what they are asked."""
    return Aws(REGION, clock=Hurry(), session=session)


def plan_of(server: Sandbox, wanted: Iterable[Demand]) -> Plan:
    owner = Owner(cluster="dev", account=server.account, region=REGION)
    resources = (Wants(name="all", wanted=tuple(wanted)),) if wanted else ()
    return Plan(owner=owner, resources=resources)


Given = Callable[..., Context]


@pytest.fixture
def given(server: Sandbox, admin: Aws) -> Given:
    """Make the context of a check: an account, what a plan takes of it, and who looks."""

    def make(
        *wanted: Demand,
        scenario: dict[str, Any] | None = None,
        instance_types: tuple[str, ...] = ("m5.large",),
        vendor: str = "grid",
        gaps: tuple[Gap, ...] = (),
        aws: Aws | None = None,
        caller: Aws | None = None,
    ) -> Context:
        server.reset({"rates": "off", "principals": PRINCIPALS, **(scenario or {})})
        return Context(
            spec=spec.from_mapping(
                {"name": "dev", "region": REGION}, instance_types=instance_types
            ),
            profile=profile.load(vendor),
            plan=plan_of(server, wanted),
            facts=Facts(
                account=server.account, partition="aws", region=REGION, principal="", gaps=gaps
            ),
            aws=aws or admin,
            caller=caller or aws or admin,
        )

    return make


def ask(check: Check, context: Context) -> dict[str, Answer]:
    answers = [each for each in check.ask(context) if isinstance(each, Answer)]
    by_subject = {each.subject: each for each in answers}
    assert len(by_subject) == len(answers)
    return by_subject


def limit(quota: Quota, applied: float | None, **more: Any) -> dict[str, Any]:
    where = quota.home or REGION
    row = {"service": quota.service, "code": quota.code, "region": where, "applied": applied}
    return {**row, **more}


def call(service: str, operation: str, repeat: int = 1, **parameters: Any) -> dict[str, Any]:
    made = {"service": service, "region": REGION, "operation": operation}
    return {**made, "parameters": parameters, "repeat": repeat}


VPC = call("ec2", "CreateVpc", CidrBlock="10.9.0.0/16")
ONE_VPC = Demand(quota=catalogue.VPCS)


def vcpus(instance_type: str, capacity: str, amount: float | None) -> Demand:
    quota = vcpu_quota(instance_type, "spot" if capacity == "spot" else "on-demand")
    assert quota is not None
    return Demand(quota=quota, amount=amount)


def test_a_plan_that_fits_passes_with_all_its_numbers(given: Given) -> None:
    context = given(ONE_VPC, scenario={"quotas": [limit(catalogue.VPCS, 20)]})

    answer = ask(quota_plan, context)[VPC_PER_REGION]

    assert answer.status is Status.PASS
    assert set(answer.data) == NUMBERS
    assert answer.data["limit"] == 20
    assert answer.data["limit_source"] == "applied"
    assert answer.data["used"] == 1  # the default VPC counts
    assert answer.data["needed"] == 1
    assert answer.data["free"] == 19
    assert answer.data["request"] is None


def test_a_plan_that_just_fits_warns(given: Given) -> None:
    answers = ask(quota_plan, given(ONE_VPC, scenario={"quotas": [limit(catalogue.VPCS, 2)]}))

    assert answers[VPC_PER_REGION].status is Status.WARN
    assert answers[VPC_PER_REGION].message == (
        "VPCs per Region: 1 of 2 in use; the plan takes 1 and leaves 0"
    )


def test_all_shortfalls_are_told_at_once_with_what_to_do(given: Given) -> None:
    scenario = {
        "quotas": [
            limit(catalogue.VPCS, 5),
            limit(vcpus("g5.xlarge", "spot", 0).quota, 0),
            limit(catalogue.ROLES, 1),
        ],
        "calls": [{**VPC, "repeat": 4}],
    }
    wanted = (ONE_VPC, vcpus("g5.xlarge", "spot", 48), Demand(quota=catalogue.ROLES, amount=3))

    answers = ask(quota_plan, given(*wanted, scenario=scenario))

    assert {answer.status for answer in answers.values()} == {Status.FAIL}
    vpc, spot, roles = answers[VPC_PER_REGION], answers[G_SPOT], answers["iam/L-FE177D64"]
    assert vpc.message == "VPCs per Region: 5 of 5 in use; the plan takes 1: 1 too many"
    assert vpc.data["request"] == 6
    assert vpc.hint is not None
    assert "`preflight quotas request vpc/L-F678F1CE=6 --region us-west-2`" in vpc.hint
    assert (
        "aws service-quotas request-service-quota-increase --service-code vpc"
        " --quota-code L-F678F1CE --desired-value 6 --region us-west-2" in vpc.hint
    )
    assert "takes 48 vCPU: 48 too many" in spot.message
    assert spot.data["limit"] == 0
    assert roles.data["region"] == "us-east-1"
    assert roles.hint is not None
    assert "--region us-east-1" in roles.hint


def test_what_aws_does_not_raise_has_no_command(given: Given) -> None:
    wanted = Demand(quota=catalogue.CONTROL_PLANE_SECURITY_GROUPS, amount=9, within="eks/cluster")

    (answer,) = ask(quota_plan, given(wanted)).values()

    assert answer.status is Status.FAIL
    assert answer.data["request"] is None
    assert answer.hint is not None
    assert answer.hint.startswith("AWS does not raise this limit")


def test_internet_gateways_are_raised_with_the_vpcs(given: Given) -> None:
    wanted = Demand(quota=catalogue.INTERNET_GATEWAYS, amount=50)

    (answer,) = ask(quota_plan, given(wanted)).values()

    assert answer.hint is not None
    assert "raising VPCs per Region raises this too" in answer.hint
    assert "--quota-code L-F678F1CE" in answer.hint


def test_a_shortfall_against_a_default_is_softer(given: Given) -> None:
    quotas = [limit(catalogue.VPCS, None, default=1)]

    answers = ask(quota_plan, given(ONE_VPC, scenario={"quotas": quotas}))

    answer = answers[VPC_PER_REGION]
    assert answer.status is Status.FAIL
    assert answer.data["limit_source"] == "default"
    assert answer.severity is Severity.MEDIUM
    assert "an increase that was granted would not show" in answer.message


def test_a_limit_that_aws_could_not_read_is_unknown_and_not_zero(given: Given) -> None:
    broken = limit(catalogue.VPCS, 5, error_reason="DEPENDENCY_THROTTLING_ERROR")

    answers = ask(quota_plan, given(ONE_VPC, scenario={"quotas": [broken]}))

    assert answers[VPC_PER_REGION].status is Status.UNKNOWN
    assert "DEPENDENCY_THROTTLING_ERROR" in answers[VPC_PER_REGION].message


def test_what_the_plan_makes_new_is_empty(given: Given) -> None:
    save = {**VPC, "save": {"vpc": "Vpc.VpcId"}}
    subnets = call("ec2", "CreateSubnet", VpcId="${vpc}", CidrBlock="10.9.${n}.0/24", repeat=3)
    scenario = {"quotas": [limit(catalogue.SUBNETS_PER_VPC, 6)], "calls": [save, subnets]}
    wanted = Demand(quota=catalogue.SUBNETS_PER_VPC, amount=6, within="ec2/vpc")

    (answer,) = ask(quota_plan, given(wanted, scenario=scenario)).values()

    assert answer.status is Status.PASS
    assert answer.data["used"] == 0


def test_zones_are_judged_one_by_one(given: Given) -> None:
    scenario = {
        "quotas": [limit(catalogue.NAT_GATEWAYS_PER_ZONE, 1)],
        "calls": [
            {**VPC, "save": {"vpc": "Vpc.VpcId"}},
            {
                **call(
                    "ec2",
                    "CreateSubnet",
                    VpcId="${vpc}",
                    CidrBlock="10.9.1.0/24",
                    AvailabilityZone="us-west-2a",
                ),
                "save": {"subnet": "Subnet.SubnetId"},
            },
            call("ec2", "CreateNatGateway", SubnetId="${subnet}", ConnectivityType="private"),
        ],
    }
    nat = catalogue.NAT_GATEWAYS_PER_ZONE
    wanted = (Demand(quota=nat, within="us-west-2a"), Demand(quota=nat, within="us-west-2b"))

    answers = ask(quota_plan, given(*wanted, scenario=scenario))

    assert answers[f"{nat} us-west-2a"].status is Status.FAIL
    assert answers[f"{nat} us-west-2b"].data["used"] == 0


def test_an_instance_type_without_a_known_quota_is_unknown(given: Given) -> None:
    context = given(ONE_VPC, instance_types=("mac2.metal",))

    answers = ask(quota_plan, context)

    assert answers["mac2.metal on-demand"].status is Status.UNKNOWN
    assert "Dedicated Hosts" in answers["mac2.metal on-demand"].message


def test_an_amount_the_plan_could_not_tell_is_unknown_and_names_what_was_missing(
    given: Given,
) -> None:
    gap = Gap(what="types", message="no", missing_action="ec2:DescribeInstanceTypes")

    (answer,) = ask(quota_plan, given(vcpus("m5.large", "spot", None), gaps=(gap,))).values()

    assert answer.status is Status.UNKNOWN
    assert answer.hint == "allow ec2:DescribeInstanceTypes"


def test_a_plan_that_takes_nothing_says_so(given: Given) -> None:
    (answer,) = ask(quota_plan, given()).values()
    assert answer.status is Status.SKIP


EVERYTHING = tuple(
    Demand(quota=quota, within="us-west-2a" if quota.scope.value == "zone" else "")
    for quota in catalogue.CATALOGUE
    if quota.code != "L-3032A538"  # Fargate has no measurement in the sandbox
)
INSTANCE = call(
    "ec2", "RunInstances", ImageId="ami-12c6146b", InstanceType="m5.large", MinCount=1, MaxCount=1
)
COUNTED = sorted(
    {
        action
        for demand in EVERYTHING
        if demand.quota.scope not in NEW
        for action in demand.quota.actions
    }
)


OTHERS = (
    ONE_VPC,
    Demand(quota=catalogue.ROLES),
    Demand(quota=catalogue.BUCKETS),
    vcpus("m5.large", "on-demand", 2),
    vcpus("m5.large", "spot", 2),
)


def deny(server: Sandbox, action: str) -> None:
    """Deny one action in the account as it is."""
    rules = [{"action": action, "error": "AccessDeniedException"}]
    connection = HTTPConnection(server.endpoint.removeprefix("http://"))
    connection.request("POST", "/_sandbox/faults", json.dumps(rules))
    assert connection.getresponse().status == 200
    connection.close()


def test_each_denied_look_makes_unknown_exactly_what_needs_it(
    given: Given, server: Sandbox
) -> None:
    account = given(scenario={"calls": [INSTANCE]})
    wrong = {}
    for action in COUNTED:
        deny(server, action)
        wanted = [each for each in EVERYTHING if action in each.quota.actions or each in OTHERS]
        context = replace(account, plan=plan_of(server, wanted), once=Once())

        answers = ask(quota_plan, context)

        needs_it = {
            f"{each.quota} {each.within}".strip()
            for each in wanted
            if action in each.quota.actions and each.quota.scope not in NEW
        }
        if action == "ec2:DescribeInstanceTypes":
            needs_it = {STANDARD}  # only this family runs something that has vCPUs to look up
        unknown = {name: each for name, each in answers.items() if each.status is Status.UNKNOWN}
        told = all(f"{action} is denied" in each.message for each in unknown.values())
        hinted = {each.hint for each in unknown.values()} == {f"allow {action}"}
        if set(unknown) != needs_it or not (told and hinted):
            wrong[action] = (set(unknown), needs_it, told, hinted)
    assert wrong == {}
    assert len(COUNTED) > 25


def test_denied_limits_are_unknown_unless_the_service_tells_them_itself(given: Given) -> None:
    action = "servicequotas:ListServiceQuotas"
    faults = [{"action": action, "error": "AccessDeniedException"}]
    wanted = (ONE_VPC, Demand(quota=catalogue.BUCKETS), Demand(quota=catalogue.ROLES))

    answers = ask(quota_plan, given(*wanted, scenario={"faults": faults}))

    assert answers[VPC_PER_REGION].status is Status.UNKNOWN
    assert answers["s3/L-DC2B2D3D"].status is Status.UNKNOWN
    assert answers[VPC_PER_REGION].hint == f"allow {action}"
    assert answers["iam/L-FE177D64"].data["limit_source"] == "applied"


def test_denied_defaults_are_unknown_only_where_they_are_needed(given: Given) -> None:
    denied = [
        {"action": f"servicequotas:{operation}", "error": "AccessDeniedException"}
        for operation in ("ListAWSDefaultServiceQuotas", "GetAWSDefaultServiceQuota")
    ]
    scenario = {
        "quotas": [limit(catalogue.VPCS, 20), limit(catalogue.ELASTIC_IPS, None)],
        "faults": denied,
    }

    answers = ask(
        quota_plan, given(ONE_VPC, Demand(quota=catalogue.ELASTIC_IPS), scenario=scenario)
    )

    assert answers[VPC_PER_REGION].status is Status.PASS
    assert answers[str(catalogue.ELASTIC_IPS)].status is Status.UNKNOWN
    assert (
        answers[str(catalogue.ELASTIC_IPS)].hint == "allow servicequotas:GetAWSDefaultServiceQuota"
    )


def test_the_coverage_names_what_was_missing(given: Given) -> None:
    faults = [{"action": "ec2:DescribeVpcs", "error": "UnauthorizedOperation"}]

    context = given(ONE_VPC, Demand(quota=catalogue.ROLES), scenario={"faults": faults})

    (coverage,) = [each for each in quota_plan.ask(context) if isinstance(each, Coverage)]
    assert coverage.status is Status.UNKNOWN
    assert coverage.missing_action == "ec2:DescribeVpcs"
    assert (coverage.examined, coverage.matched) == (2, 1)


@pytest.mark.parametrize("narrow", ["who builds", "the caller"])
def test_one_of_both_principals_may_look_for_the_other(
    given: Given, admin: Aws, narrow: str
) -> None:
    denied = Aws(REGION, clock=Hurry(), session=boto3.Session(*NARROW_KEY))
    aws, caller = (denied, admin) if narrow == "who builds" else (admin, denied)

    context = given(ONE_VPC, aws=aws, caller=caller)

    answer = ask(quota_plan, context)[VPC_PER_REGION]
    assert (answer.data["limit"], answer.data["used"]) == (5, 1)


def test_who_may_not_look_at_all_knows_nothing(given: Given) -> None:
    denied = Aws(REGION, clock=Hurry(), session=boto3.Session(*NARROW_KEY))

    context = given(ONE_VPC, aws=denied)

    answer = ask(quota_plan, context)[VPC_PER_REGION]
    assert answer.status is Status.UNKNOWN
    assert answer.hint == "allow ec2:DescribeVpcs, servicequotas:ListServiceQuotas"


def test_each_list_is_read_once_and_all_at_the_same_time(
    given: Given, session: boto3.Session
) -> None:
    delay = 0.2
    context = given(
        *EVERYTHING,
        scenario={"faults": [{"action": "*", "delay_ms": delay * 1000}]},
        aws=Aws(REGION, clock=Hurry(), session=session),
    )

    began = time.monotonic()
    ask(quota_plan, context)
    ask(quota_vendor, context)
    seconds = time.monotonic() - began

    made = context.aws.calls.by_operation
    lists = {name: count for name, count in made.items() if not name.startswith("service-quotas")}
    assert max(lists.values()) == 1
    assert seconds < context.aws.calls.total * delay / 2


def test_a_very_long_list_is_not_read_to_its_end(given: Given) -> None:
    groups = call("logs", "CreateLogGroup", logGroupName="group-${n}", repeat=101)
    wanted = Demand(quota=catalogue.LOG_GROUPS)

    (answer,) = ask(quota_plan, given(wanted, scenario={"calls": [groups]})).values()

    assert answer.status is Status.SKIP
    assert "more than 10" in answer.message


def test_a_very_long_list_that_is_over_the_limit_already_fails(given: Given) -> None:
    groups = call("logs", "CreateLogGroup", logGroupName="group-${n}", repeat=101)
    scenario = {"calls": [groups], "quotas": [limit(catalogue.LOG_GROUPS, 60)]}

    (answer,) = ask(
        quota_plan, given(Demand(quota=catalogue.LOG_GROUPS), scenario=scenario)
    ).values()

    assert answer.status is Status.FAIL


def test_limits_below_the_vendors_are_warned_of(given: Given) -> None:
    answers = ask(quota_vendor, given(instance_types=("g5.xlarge",)))

    groups = answers["autoscaling/L-CDE20ADC limit"]
    assert groups.status is Status.WARN
    assert groups.message.startswith("Auto Scaling groups per region: 500, Grid recommends 800")
    assert groups.data["request"] == 800
    assert set(groups.data) == NUMBERS
    assert answers[f"{G_SPOT} limit"].status is Status.WARN
    assert answers[f"{G_SPOT} limit"].data["request"] == 1000
    assert f"{STANDARD} limit" not in answers


def test_limits_as_high_as_the_vendors_pass(given: Given) -> None:
    quotas = [
        limit(catalogue.AUTO_SCALING_GROUPS, 800),
        limit(vcpus("m5.large", "spot", 0).quota, 1000),
    ]

    answers = ask(quota_vendor, given(scenario={"quotas": quotas}))

    assert answers["autoscaling/L-CDE20ADC limit"].status is Status.PASS
    assert answers["ec2/L-34B43A08 limit"].status is Status.PASS


def test_required_head_room_counts_what_is_in_use(given: Given) -> None:
    quotas = [limit(catalogue.VPCS, 5)]

    short = ask(quota_vendor, given(scenario={"quotas": quotas}))[f"{VPC_PER_REGION} free"]
    assert short.status is Status.FAIL
    assert short.message.startswith("VPCs per Region: 1 of 5 in use, 4 free; Grid needs 5 free")
    assert short.data["request"] == 6

    quotas = [limit(catalogue.VPCS, 6)]
    enough = ask(quota_vendor, given(scenario={"quotas": quotas}))[f"{VPC_PER_REGION} free"]
    assert enough.status is Status.PASS


LIMITS_NOT_TOLD_BY_SERVICES = {f"{VPC_PER_REGION} free", "s3/L-DC2B2D3D free"}
#: The list of EC2's quotas is long, so that a few are asked for one by one.
LIMITS_ASKED_SINGLY = {f"{STANDARD} limit", "ec2/L-34B43A08 limit"}
NEEDED_BY_VENDOR = {
    "ec2:DescribeVpcs": {f"{VPC_PER_REGION} free"},
    "iam:GetAccountSummary": {"iam/L-FE177D64 free", "iam/L-E95E4862 free"},
    "s3:ListAllMyBuckets": {"s3/L-DC2B2D3D free"},
    "autoscaling:DescribeAccountLimits": set(),
    "ec2:DescribeInstances": set(),
    "servicequotas:ListServiceQuotas": LIMITS_NOT_TOLD_BY_SERVICES,
    "servicequotas:GetServiceQuota": LIMITS_ASKED_SINGLY,
}


def test_each_denied_look_leaves_the_vendors_wishes_unknown_that_need_it(
    given: Given, server: Sandbox
) -> None:
    account = given()
    found, hints = {}, set()
    for action in NEEDED_BY_VENDOR:
        deny(server, action)
        answers = ask(quota_vendor, replace(account, once=Once()))
        unknown = {name: each for name, each in answers.items() if each.status is Status.UNKNOWN}
        found[action] = set(unknown)
        hints |= {(action, each.hint) for each in unknown.values()}
    assert found == NEEDED_BY_VENDOR
    assert hints == {(action, f"allow {action}") for action, names in found.items() if names}


def test_all_calls_a_usual_plan_makes_are_declared(given: Given, session: boto3.Session) -> None:
    seldom = {"ebs", "elasticloadbalancing", "fargate", "route53resolver"}
    seldom.add(str(catalogue.EGRESS_ONLY_GATEWAYS))
    usual = [one for one in EVERYTHING if not {one.quota.service, str(one.quota)} & seldom]

    aws = Aws(REGION, clock=Hurry(), session=session)
    context = given(*usual, scenario={"calls": [INSTANCE]}, aws=aws)
    ask(quota_plan, context)
    ask(quota_vendor, context)

    # Which of these are made depends on what AWS lists, and on how many of EC2's are wanted.
    at_times = {"servicequotas:ListAWSDefaultServiceQuotas", "servicequotas:GetServiceQuota"}
    at_times.add("servicequotas:GetAWSDefaultServiceQuota")
    made = context.aws.calls.actions - {"sts:GetCallerIdentity"}
    declared = quota_plan.actions
    assert made - at_times == declared - at_times


def test_a_few_quotas_of_ec2_are_asked_for_singly_and_many_by_their_list(
    given: Given, session: boto3.Session
) -> None:
    scenario = {
        "quotas": [limit(catalogue.ELASTIC_IPS, 7), limit(catalogue.LAUNCH_TEMPLATES, None)]
    }
    few = (Demand(quota=catalogue.ELASTIC_IPS), Demand(quota=catalogue.LAUNCH_TEMPLATES))
    of_ec2 = [one for one in EVERYTHING if one.quota.service == "ec2"]
    told, lists = [], []
    for demands in (few, (*few, *of_ec2)):
        aws = Aws(REGION, clock=Hurry(), session=session)
        answers = ask(quota_plan, given(*demands, scenario=scenario, aws=aws))
        told.append([answers[str(one.quota)].data["limit_source"] for one in few])
        lists.append(aws.calls.by_operation.get("service-quotas:ListServiceQuotas", 0))

    assert told == [["applied", "default"]] * 2
    assert lists[0] == 0
    assert lists[1] > 1

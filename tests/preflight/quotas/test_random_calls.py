"""Random accounts built by API calls, read in random pages, against a count made another way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from preflight.aws import Aws
from preflight.once import Once
from preflight.quota import Quota
from preflight.quotas.catalogue import EVENT_RULES, NAT_GATEWAYS_PER_ZONE, by_key
from preflight.quotas.families import VCPU_QUOTAS
from preflight.quotas.figures import read_figures, used_of
from preflight.quotas.limits import Limits, Unknown
from preflight.quotas.usage import Usage
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.server import Sandbox

REGION = "us-west-2"
#: vCPUs, quota when bought on demand, quota when bought as Spot: written out by hand.
TYPES = {
    "m5.large": (2, "L-1216C47A", "L-34B43A08"),
    "im4gn.large": (2, "L-1216C47A", "L-34B43A08"),
    "inf1.xlarge": (4, "L-1945791B", "L-B5D1601B"),
    "trn1.2xlarge": (8, "L-2C3B7624", "L-6B0D517C"),
    "g5.xlarge": (4, "L-DB2E81BA", "L-3819A6DF"),
    "dl2q.24xlarge": (96, "L-6E869C2A", "L-85EED4F7"),
    "p4d.24xlarge": (96, "L-417A185B", "L-7212CCBC"),
    "p5.48xlarge": (192, "L-417A185B", "L-C4BD4855"),
    "hpc6a.48xlarge": (96, "L-F7808C92", None),
}
PAGES = [None, "page-size-1", "duplicate-page"]
USUAL = settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),  # making an example smaller takes minutes here
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Machine:
    """Instances that are started together, and what becomes of them."""

    type: str
    count: int
    life: str
    tenancy: str
    then: str

    def start(self, ec2: Any) -> None:
        more: dict[str, Any] = {"Placement": {"AvailabilityZone": "us-west-2a"}}
        if self.tenancy != "default":
            more["Placement"]["Tenancy"] = self.tenancy
        if self.life:
            more["InstanceMarketOptions"] = {"MarketType": self.life}
        ids = [
            one["InstanceId"]
            for one in ec2.run_instances(
                ImageId="ami-1",
                InstanceType=self.type,
                MinCount=self.count,
                MaxCount=self.count,
                **more,
            )["Instances"]
        ]
        if self.then == "stop":
            ec2.stop_instances(InstanceIds=ids)
        if self.then == "terminate":
            ec2.terminate_instances(InstanceIds=ids)


machines = st.builds(
    Machine,
    st.sampled_from(sorted(TYPES)),
    st.integers(1, 3),
    st.sampled_from(["", "", "spot", "capacity-block"]),
    st.sampled_from(["default", "default", "dedicated", "host"]),
    st.sampled_from(["run", "run", "stop", "terminate"]),
)
reservations = st.tuples(
    st.sampled_from(sorted(TYPES)),
    st.integers(1, 4),
    st.sampled_from(["open", "targeted"]),
    st.sampled_from([False, False, True]),
)
requests = st.tuples(st.sampled_from(sorted(TYPES)), st.integers(1, 3), st.booleans())


def by_hand(
    started: list[Machine], reserved: list[Any], requested: list[Any]
) -> Counter[str | None]:
    """Count vCPUs by quota: room in open reservations is used by the machines that fit first."""
    count: Counter[str | None] = Counter()
    in_default: Counter[str] = Counter()
    for machine in started:
        vcpus, on_demand, spot = TYPES[machine.type]
        if machine.then != "run" or machine.tenancy == "host":
            continue
        if machine.life == "spot":
            count[spot] += vcpus * machine.count
        elif not machine.life:
            count[on_demand] += vcpus * machine.count
            if machine.tenancy == "default":
                in_default[machine.type] += machine.count
    for type, room, match, cancelled in reserved:
        vcpus, on_demand, _ = TYPES[type]
        taken = min(room, in_default[type]) if match == "open" and not cancelled else 0
        in_default[type] -= taken
        count[on_demand] += 0 if cancelled else vcpus * (room - taken)
    for type, number, cancelled in requested:
        vcpus, _, spot = TYPES[type]
        count[spot] += 0 if cancelled else vcpus * number
    return count


def build(ec2: Any, started: list[Machine], reserved: list[Any], requested: list[Any]) -> None:
    for type, room, match, cancelled in reserved:
        made = ec2.create_capacity_reservation(
            InstanceType=type,
            InstanceCount=room,
            InstanceMatchCriteria=match,
            InstancePlatform="Linux/UNIX",
            AvailabilityZone="us-west-2a",
        )["CapacityReservation"]["CapacityReservationId"]
        if cancelled:
            ec2.cancel_capacity_reservation(CapacityReservationId=made)
    for machine in started:
        machine.start(ec2)
    for type, number, cancelled in requested:
        rows = ec2.request_spot_instances(
            InstanceCount=number, LaunchSpecification={"ImageId": "ami-1", "InstanceType": type}
        )["SpotInstanceRequests"]
        if cancelled:
            ids = [row["SpotInstanceRequestId"] for row in rows]
            ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=ids)


def counted(quotas: tuple[Quota, ...], within: str = "") -> dict[str, Any]:
    usage = Usage(Aws(REGION), Once(), deep=True)
    return {quota.code: used_of(quota, within, usage) for quota in quotas}


def begin(sandbox: Sandbox) -> Any:
    """Empty the account, with limits that nothing reaches and no Spot capacity at all."""
    limits = {code for _, *codes in TYPES.values() for code in codes if code}
    sandbox.reset(
        {
            "rates": "off",
            "quotas": [{"service": "ec2", "code": code, "applied": 9999} for code in limits],
            "faults": [{"action": "sandbox:SpotCapacity", "error": "capacity-not-available"}],
        }
    )
    return boto3.client("ec2", region_name=REGION)


def page(sandbox: Sandbox, effect: str | None) -> None:
    rules = [{"action": "sandbox:SpotCapacity", "error": "capacity-not-available"}]
    if effect:
        rules.append({"action": "*", "effect": effect})
    sandbox.world.part(Faults).replace(rules)


@USUAL
@given(
    st.lists(machines, max_size=6),
    st.lists(reservations, max_size=3),
    st.lists(requests, max_size=3),
    st.sampled_from(PAGES),
)
def test_vcpus_are_those_of_whatever_was_started_reserved_and_asked_for(
    sandbox: Sandbox,
    started: list[Machine],
    reserved: list[Any],
    requested: list[Any],
    effect: str | None,
) -> None:
    ec2 = begin(sandbox)
    build(ec2, started, reserved, requested)
    page(sandbox, effect)

    found = counted(VCPU_QUOTAS)

    expected = by_hand(started, reserved, requested)
    assert {code: used for code, used in found.items() if used} == {
        code: used for code, used in expected.items() if used and code
    }


networks = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abc"), max_size=4),  # the zones of its subnets
        st.lists(st.sampled_from("abc"), max_size=3),  # the zones of its NAT gateways
        st.integers(0, 3),  # its security groups beside the default one
        st.integers(0, 3),  # its route tables beside the main one
        st.booleans(),  # whether it has an internet gateway
    ),
    max_size=3,
)


@USUAL
@given(networks, st.integers(0, 4), st.sampled_from(PAGES))
def test_networks_are_counted_where_aws_counts_them(
    sandbox: Sandbox, drawn: list[Any], addresses: int, effect: str | None
) -> None:
    sandbox.reset(
        {"rates": "off", "quotas": [{"service": "vpc", "code": "L-FE5A380F", "applied": 99}]}
    )
    ec2 = boto3.client("ec2", region_name=REGION)
    codes = {"L-F678F1CE", "L-A4707A72", "L-E79EC296", "L-407747CB", "L-589F43AA"}
    quotas = tuple(q for q in (by_key("vpc", c) for c in sorted(codes)) if q)
    eips = by_key("ec2", "L-0263D0A3")
    assert eips is not None
    before = counted((*quotas, eips))
    gateways: Counter[str] = Counter()
    subnets, tables = [before["L-407747CB"]], [before["L-589F43AA"]]
    for number, (zones, nats, groups, more_tables, has_gateway) in enumerate(drawn):
        vpc = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
        in_zone: dict[str, str] = {}
        for index, zone in enumerate([*zones, *sorted(set(nats) - set(zones))]):
            in_zone[zone] = ec2.create_subnet(
                VpcId=vpc,
                CidrBlock=f"10.{number}.{index}.0/24",
                AvailabilityZone=f"{REGION}{zone}",
            )["Subnet"]["SubnetId"]
        subnets.append(len(zones) + len(set(nats) - set(zones)))
        for zone in nats:
            ec2.create_nat_gateway(SubnetId=in_zone[zone], ConnectivityType="private")
            gateways[f"{REGION}{zone}"] += 1
        for index in range(groups):
            ec2.create_security_group(GroupName=f"g{index}", Description="d", VpcId=vpc)
        for _ in range(more_tables):
            ec2.create_route_table(VpcId=vpc)
        tables.append(1 + more_tables)
        if has_gateway:
            ec2.create_internet_gateway()
    for _ in range(addresses):
        ec2.allocate_address(Domain="vpc")
    page(sandbox, effect)

    found = counted((*quotas, eips, NAT_GATEWAYS_PER_ZONE))

    assert found == {
        "L-F678F1CE": before["L-F678F1CE"] + len(drawn),
        "L-A4707A72": before["L-A4707A72"] + sum(each[4] for each in drawn),
        "L-E79EC296": before["L-E79EC296"] + sum(1 + each[2] for each in drawn),
        "L-407747CB": max(subnets),
        "L-589F43AA": max(tables),
        "L-0263D0A3": addresses,
        "L-FE5A380F": max(gateways.values(), default=0),
    }
    for zone in "abc":
        here = counted((NAT_GATEWAYS_PER_ZONE,), f"{REGION}{zone}")
        assert here == {"L-FE5A380F": gateways[f"{REGION}{zone}"]}


@USUAL
@given(
    st.dictionaries(st.sampled_from(["default", "orders", "audit"]), st.integers(0, 4)),
    st.sampled_from(PAGES),
)
def test_rules_are_counted_on_each_bus(
    sandbox: Sandbox, drawn: dict[str, int], effect: str | None
) -> None:
    sandbox.reset({"rates": "off"})
    events = boto3.client("events", region_name=REGION)
    for bus, rules in drawn.items():
        if bus != "default":
            events.create_event_bus(Name=bus)
        for number in range(rules):
            events.put_rule(Name=f"r{number}", EventBusName=bus, EventPattern='{"source":["x"]}')
    page(sandbox, effect)

    assert counted((EVENT_RULES,)) == {EVENT_RULES.code: max(drawn.values(), default=0)}
    for bus, rules in drawn.items():
        assert counted((EVENT_RULES,), bus) == {EVENT_RULES.code: rules}


@pytest.mark.parametrize("effect", PAGES)
def test_every_limit_of_a_long_list_is_read_whatever_its_pages(
    sandbox: Sandbox, effect: str | None
) -> None:
    codes = [quota.code for quota in VCPU_QUOTAS]
    limits = {code: float(number) for number, code in enumerate(codes, 7)}
    rows = [{"service": "ec2", "code": code, "applied": n} for code, n in limits.items()]
    sandbox.reset({"rates": "off", "quotas": rows})
    page(sandbox, None if effect == "page-size-1" else effect)  # one thousand pages take too long
    aws = Aws(REGION)
    usage = Usage(aws, Once())

    figures = read_figures([(quota, "") for quota in VCPU_QUOTAS], usage, Limits(aws, usage))

    found = {each.quota.code: each.limit for each in figures}
    assert not [each for each in found.values() if isinstance(each, Unknown)]
    assert {c: getattr(each, "value", None) for c, each in found.items()} == limits

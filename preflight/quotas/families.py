"""Which vCPU quota an instance type counts against: AWS limits vCPUs by family, not instances.

https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-limits.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from preflight.errors import AwsError
from preflight.quota import Quota
from preflight.quotas import looks
from preflight.quotas.counted import Counted, Row, reads
from preflight.quotas.usage import Usage

Capacity = Literal["on-demand", "spot"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """Instance types that share a quota: `prefixes` are their names up to the first digit."""

    prefixes: frozenset[str]
    on_demand: Quota | None
    spot: Quota | None


def _on_demand(counts: Callable[[str], bool]) -> Counted:
    """Count the vCPUs of running On-Demand instances and of unused capacity reservations.

    `counts` says whether an instance type belongs to the family. Starting instances count, which
    errs on the safe side; so do default vCPUs where an instance was given fewer.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html
    """

    def count(usage: Usage) -> float:
        total = 0.0
        for instance in usage.rows(looks.INSTANCES):
            lifecycle = instance.get("InstanceLifecycle", "")
            bought = lifecycle in {"spot", "scheduled", "capacity-block"}
            if counts(instance["InstanceType"]) and _runs(instance) and not bought:
                total += _vcpus(usage, instance["InstanceType"])
        for reservation in usage.mine(looks.CAPACITY_RESERVATIONS):
            if counts(reservation["InstanceType"]) and (unused := _unused(reservation)):
                total += unused * _vcpus(usage, reservation["InstanceType"])
        return total

    return reads(looks.INSTANCES, looks.CAPACITY_RESERVATIONS, looks.INSTANCE_TYPES)(count)


def _spot(counts: Callable[[str], bool]) -> Counted:
    """Count the vCPUs of running Spot Instances and of Spot requests still open.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-limits.html
    """

    def count(usage: Usage) -> float:
        types = [
            instance["InstanceType"]
            for instance in usage.rows(looks.INSTANCES)
            if instance.get("InstanceLifecycle") == "spot" and _runs(instance)
        ]
        types += [
            request["LaunchSpecification"]["InstanceType"]
            for request in usage.rows(looks.SPOT_REQUESTS)
            if request.get("State") == "open"
        ]
        return sum((_vcpus(usage, each) for each in types if counts(each)), 0.0)

    return reads(looks.INSTANCES, looks.SPOT_REQUESTS, looks.INSTANCE_TYPES)(count)


def _vcpus(usage: Usage, instance_type: str) -> float:
    """Give the default vCPUs of an instance type in use."""
    for row in usage.rows(looks.INSTANCE_TYPES):
        if row["InstanceType"] == instance_type:
            return float(row["VCpuInfo"]["DefaultVCpus"])
    raise AwsError(
        f"EC2 does not say how many vCPUs {instance_type} has, which is in use",
        service="ec2",
        operation="DescribeInstanceTypes",
    )


def _runs(instance: Row) -> bool:
    on_host = instance.get("Placement", {}).get("Tenancy") == "host"
    return instance["State"]["Name"] in {"pending", "running"} and not on_host


def _unused(reservation: Row) -> int:
    """Count what is held for nobody; what is still being provided counts as a whole, to be safe.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-view.html
    """
    if reservation.get("ReservationType") == "capacity-block":
        return 0
    if reservation.get("State") == "pending":
        return int(reservation.get("TotalInstanceCount", 0))
    held = reservation.get("State") in {"active", "cancelling"}
    return int(reservation.get("AvailableInstanceCount", 0)) if held else 0


def _on_demand_quota(code: str, family: str, default: float) -> Quota:
    counted = _on_demand(lambda instance: _is_code(vcpu_quota(instance, "on-demand"), code))
    name = f"Running On-Demand {family} instances"
    return _quota(code, name, default, counted, "VcpuLimitExceeded")


def _spot_quota(code: str, family: str, default: float) -> Quota:
    counted = _spot(lambda instance: _is_code(vcpu_quota(instance, "spot"), code))
    name = f"All {family} Spot Instance Requests"
    return _quota(code, name, default, counted, "MaxSpotInstanceCountExceeded")


def _quota(code: str, name: str, default: float, counted: Counted, failure: str) -> Quota:
    return Quota(
        service="ec2",
        code=code,
        name=name,
        unit="vCPU",
        default=default,
        count=counted,
        actions=counted.actions,
        failure=failure,
    )


def _is_code(quota: Quota | None, code: str) -> bool:
    return quota is not None and quota.code == code


def _family(
    prefixes: str, name: str, on_demand: str, spot: str | None, *, spot_as: str = "", least: int = 0
) -> Family:
    return Family(
        prefixes=frozenset(prefixes.split()),
        on_demand=_on_demand_quota(on_demand, name, least),
        spot=_spot_quota(spot, spot_as or name, least) if spot else None,
    )


_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
_P = _family("p", "P", "L-417A185B", "L-7212CCBC", spot_as="P4, P3 and P2")
#: The only family whose Spot quota depends on the generation.
_P5_SPOT = _spot_quota("L-C4BD4855", "P5", 0)

#: In the order of the catalogue. The prefix is matched whole: `inf` is not `i`, `trn` not `t`,
#: `hpc` not `h`, `dl` not `d` and `mac` not `m`.
FAMILIES: tuple[Family, ...] = (
    _family("a c d h i im is m r t z", _STANDARD, "L-1216C47A", "L-34B43A08", least=5),
    _family("g gr vt", "G and VT", "L-DB2E81BA", "L-3819A6DF"),
    _P,
    _family("f", "F", "L-74FC7D96", "L-88CF9481"),
    _family("inf", "Inf", "L-1945791B", "L-B5D1601B"),
    _family("trn", "Trn", "L-2C3B7624", "L-6B0D517C"),
    _family("x", "X", "L-7295265B", "L-E3A00192"),
    _family("dl", "DL", "L-6E869C2A", "L-85EED4F7"),
    _family("u", "High Memory", "L-43DA4232", None),
    _family("hpc", "HPC", "L-F7808C92", None),
)

VCPU_QUOTAS: tuple[Quota, ...] = (
    *(family.on_demand for family in FAMILIES if family.on_demand),
    *(family.spot for family in FAMILIES if family.spot),
    _P5_SPOT,
)

_BY_PREFIX: Mapping[str, Family] = {
    prefix: family for family in FAMILIES for prefix in family.prefixes
}


def prefix_of(instance_type: str) -> str:
    """Give the letters before the first digit or hyphen: `u-6tb1.metal` is `u`."""
    found = re.match(r"[a-z]+", instance_type.lower())
    return found.group() if found else ""


def vcpu_quota(instance_type: str, capacity: Capacity) -> Quota | None:
    """Find the quota that the vCPUs of an instance type count against.

    None when AWS has no such quota or it is not known; `why_none` tells which. Either way whether
    it fits is UNKNOWN, never a pass.
    """
    family = _BY_PREFIX.get(prefix_of(instance_type))
    if family is None:
        return None
    if capacity == "on-demand":
        return family.on_demand
    if family is _P:
        return _p_spot(instance_type)
    return family.spot


def _p_spot(instance_type: str) -> Quota | None:
    generation = instance_type.lower()[1:2]
    if generation in {"2", "3", "4"}:
        return _P.spot
    return _P5_SPOT if generation == "5" else None


def why_none(instance_type: str, capacity: Capacity) -> str:
    """Say why `vcpu_quota` gives None; only asked when it does."""
    prefix = prefix_of(instance_type)
    if prefix == "mac":
        return f"{instance_type} runs on Dedicated Hosts, which have quotas of their own"
    if prefix not in _BY_PREFIX:
        return f"the family of {instance_type} is not known, nor which vCPU quota it counts against"
    if prefix in {"u", "hpc"}:
        return f"AWS lists no Spot quota for the {prefix} family of {instance_type}"
    return f"which {capacity} quota {instance_type} counts against is not known"

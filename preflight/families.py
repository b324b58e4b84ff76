"""Which vCPU quota an instance type counts against: AWS limits vCPUs by family, not instances.

https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-limits.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from preflight.quota import Quota

Capacity = Literal["on-demand", "spot"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """Instance types that share a quota: `prefixes` are their names up to the first digit."""

    prefixes: frozenset[str]
    on_demand: Quota | None
    spot: Quota | None


def _quota(code: str, name: str, default: float) -> Quota:
    return Quota(service="ec2", code=code, name=name, unit="vCPU", default=default)


def _family(
    prefixes: str,
    name: str,
    on_demand: str,
    spot: str | None,
    spot_name: str = "",
    vcpus: float = 0,
) -> Family:
    return Family(
        prefixes=frozenset(prefixes.split()),
        on_demand=_quota(on_demand, f"Running On-Demand {name} instances", vcpus),
        spot=_quota(spot, f"All {spot_name or name} Spot Instance Requests", vcpus)
        if spot
        else None,
    )


_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
_P = _family("p", "P", "L-417A185B", "L-7212CCBC", "P4, P3 and P2")
#: The only family whose Spot quota depends on the generation.
_P5_SPOT = _quota("L-C4BD4855", "All P5 Spot Instance Requests", 0)

#: In the order of the catalogue. The prefix is matched whole: `inf` is not `i`, `trn` not `t`,
#: `hpc` not `h`, `dl` not `d` and `mac` not `m`.
FAMILIES: tuple[Family, ...] = (
    _family("a c d h i im is m r t z", _STANDARD, "L-1216C47A", "L-34B43A08", vcpus=5),
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

"""What a look at the account and the Region told: the ground a plan is drawn on.

The plan itself is pure; whatever it needs from AWS is looked up here first. What could not be
looked up stays unknown and says which action was missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from preflight.aws import Aws
from preflight.errors import AccessDenied, AwsError

#: Zones in which EKS does not place a control plane, by id because names differ by account.
#: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
EKS_REFUSES = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})


@dataclass(frozen=True, kw_only=True)
class Zone:
    """An availability zone: `name` as this account calls it, `id` as everybody does."""

    name: str
    id: str


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """What EC2 says of an instance type, as far as a plan depends on it."""

    name: str
    vcpus: int
    architectures: tuple[str, ...]
    gpus: int = 0
    current: bool = True


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Something that could not be looked up: what, why, and the action that would have helped."""

    what: str
    message: str
    missing_action: str | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The account, its Region's zones, and the instance types asked for."""

    account: str
    partition: str
    region: str
    caller: str
    zones: tuple[Zone, ...] = ()
    instance_types: Mapping[str, InstanceType] = field(default_factory=dict)
    #: Instance types that EC2 does not know.
    unknown_types: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


ACTIONS = frozenset({"ec2:DescribeAvailabilityZones", "ec2:DescribeInstanceTypes"})


def look(aws: Aws, instance_types: tuple[str, ...]) -> Facts:
    """Look up what a plan needs. Raises `AwsError` only when nobody can say who is calling."""
    identity = aws.identity
    gaps: list[Gap] = []
    zones: tuple[Zone, ...] = ()
    try:
        zones = _zones(aws)
    except AwsError as error:
        gaps.append(_gap("zones", error))
    types: dict[str, InstanceType] = {}
    unknown: tuple[str, ...] = ()
    try:
        types = _instance_types(aws, instance_types)
        unknown = tuple(sorted(set(instance_types) - set(types)))
    except AwsError as error:
        gaps.append(_gap("instance types", error))
    return Facts(
        account=identity.account,
        partition=identity.partition,
        region=aws.region,
        caller=identity.arn,
        zones=zones,
        instance_types=types,
        unknown_types=unknown,
        gaps=tuple(gaps),
    )


def _gap(what: str, error: AwsError) -> Gap:
    action = error.action if isinstance(error, AccessDenied) else None
    return Gap(what=what, message=str(error), missing_action=action)


def _zones(aws: Aws) -> tuple[Zone, ...]:
    zones = [
        Zone(name=zone["ZoneName"], id=zone["ZoneId"])
        for zone in aws.each("ec2", "DescribeAvailabilityZones", "AvailabilityZones")
        if zone.get("ZoneType", "availability-zone") == "availability-zone"
        and zone.get("State") == "available"
        and zone["ZoneId"] not in EKS_REFUSES
    ]
    return tuple(sorted(zones, key=lambda zone: zone.name))


def _instance_types(aws: Aws, names: tuple[str, ...]) -> dict[str, InstanceType]:
    # A filter, not InstanceTypes=[...]: one wrong name there fails the whole call.
    wanted = [{"Name": "instance-type", "Values": sorted(set(names))}]
    return {
        found["InstanceType"]: InstanceType(
            name=found["InstanceType"],
            vcpus=int(found["VCpuInfo"]["DefaultVCpus"]),
            architectures=tuple(found.get("ProcessorInfo", {}).get("SupportedArchitectures", ())),
            gpus=sum(gpu.get("Count", 0) for gpu in found.get("GpuInfo", {}).get("Gpus", ())),
            current=bool(found.get("CurrentGeneration", True)),
        )
        for found in aws.each("ec2", "DescribeInstanceTypes", "InstanceTypes", Filters=wanted)
    }

"""What a look at the account and the Region told: the ground a plan is drawn on.

The plan itself is pure; whatever it needs from AWS is looked up here first. What could not be
looked up stays unknown and says which action was missing.
"""

from __future__ import annotations

import re
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
    #: NVIDIA's only: they decide the image. AMD's and Inferentia's need others.
    gpus: int = 0
    current: bool = True
    #: Network interfaces at most, and the IPv4 addresses each of them has room for; 0 is unsaid.
    interfaces: int = 0
    addresses_each: int = 0


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
    #: The IAM ARN of whoever builds, with its path; empty for the root user.
    principal: str
    zones: tuple[Zone, ...] = ()
    instance_types: Mapping[str, InstanceType] = field(default_factory=dict)
    #: Instance types that EC2 does not know.
    unknown_types: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


ACTIONS = frozenset({"ec2:DescribeAvailabilityZones", "ec2:DescribeInstanceTypes", "iam:GetRole"})


def look(aws: Aws, instance_types: tuple[str, ...], role_arn: str | None = None) -> Facts:
    """Look up what a plan needs; `role_arn` is the role that `aws` has assumed, if it has.

    Raises `AwsError` only when nobody can say who is calling.
    """
    identity = aws.identity
    gaps: list[Gap] = []
    principal = role_arn or _without_session(identity.arn)
    try:
        principal = role_arn or _principal(aws, principal)
    except AwsError as error:
        gaps.append(_gap("the path of the calling role", error))
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
        principal=principal,
        zones=zones,
        instance_types=types,
        unknown_types=unknown,
        gaps=tuple(gaps),
    )


def _without_session(arn: str) -> str:
    """Turn the ARN of a session into its role's, as far as it says: a session has no path."""
    found = re.fullmatch(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.*", arn)
    if found:
        return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}"
    return "" if arn.endswith(":root") else arn


def _principal(aws: Aws, arn: str) -> str:
    """Look up the path of a role: access entries and simulations want the whole ARN."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind != "role":
        return arn
    return str(aws.call("iam", "GetRole", RoleName=name)["Role"]["Arn"])


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
            gpus=sum(
                gpu.get("Count", 0)
                for gpu in found.get("GpuInfo", {}).get("Gpus", ())
                if gpu.get("Manufacturer") == "NVIDIA"
            ),
            current=bool(found.get("CurrentGeneration", True)),
            interfaces=int(found.get("NetworkInfo", {}).get("MaximumNetworkInterfaces", 0)),
            addresses_each=int(found.get("NetworkInfo", {}).get("Ipv4AddressesPerInterface", 0)),
        )
        for found in aws.each("ec2", "DescribeInstanceTypes", "InstanceTypes", Filters=wanted)
    }

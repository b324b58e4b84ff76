"""More quotas with teeth: volumes, templates, gateway endpoints, and the services around a cluster.

The codes of EC2 and EBS are those of EC2's list, the others those of each service's own model.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from preflight.sandbox.quotas.ceilings import Ceiling
from preflight.sandbox.request import Request

GIB_PER_TIB = 1024
# Quota codes of EBS by type of volume: storage in TiB, and provisioned IOPS.
STORAGE = {"gp2": "L-D18FCD1D", "gp3": "L-7A658B76", "io1": "L-FD252861", "io2": "L-09BD8365"}
IOPS = {"io1": "L-B3A130E6", "io2": "L-8D977E7E"}


def _size(request: Request) -> Callable[[Callable[[Any], int]], Callable[[Request], int]]:
    """Sum something over the volumes of the type asked for."""
    wanted = request.parameters.get("VolumeType") or "gp2"

    def over(measure: Callable[[Any], int]) -> Callable[[Request], int]:
        volumes = request.world.backend("ec2", request.region).volumes.values()
        return lambda _: sum(measure(one) for one in volumes if one.volume_type == wanted)

    return over


def refuse_volume(request: Request) -> None:
    """CreateVolume within the storage and the IOPS of its type."""
    kind, over = request.parameters.get("VolumeType") or "gp2", _size(request)
    if kind in STORAGE:
        stored = over(lambda volume: int(volume.size))(request)
        added = int(request.parameters.get("Size") or 0)
        Ceiling(
            quota=("ebs", STORAGE[kind]),
            used=lambda _: 0,
            added=lambda _: math.ceil((stored + added) / GIB_PER_TIB),
            code="VolumeLimitExceeded",
            message=f"You have exceeded your maximum {kind} storage limit of {{limit}} TiB in this"
            " region. Please contact AWS Support to request an Elastic Block Store service limit"
            " increase.",
        )(request)
    if kind in IOPS:
        Ceiling(
            quota=("ebs", IOPS[kind]),
            used=over(lambda volume: int(volume.iops or 0)),
            added=lambda r: int(r.parameters.get("Iops") or 0),
            code="MaxIOPSLimitExceeded",
            message=f"You have exceeded your maximum {kind} IOPS limit of {{limit}}.",
        )(request)


def _gateway_endpoints(request: Request) -> int:
    points = request.world.backend("ec2", request.region).vpc_end_points.values()
    return sum((one.vpc_endpoint_type or "gateway").lower() == "gateway" for one in points)


def _bus_rules(request: Request) -> int:
    """Count the rules of the bus meant; one that is there is only changed."""
    bus, name = request.parameters.get("EventBusName") or "default", request.parameters["Name"]
    found = request.world.backend("events", request.region).event_buses.get(bus.split("/")[-1])
    return len(set(found.rules) - {name}) if found is not None else 0


def _topics(request: Request) -> int:
    """Count the topics with other names; one that is there is not made."""
    arns = request.world.backend("sns", request.region).topics
    return sum(arn.rpartition(":")[2] != request.parameters["Name"] for arn in arns)


def _customer_keys(request: Request) -> int:
    """Count keys in any state, but those of AWS's services."""
    keys = request.world.backend("kms", request.region).keys.values()
    return sum(getattr(key, "key_manager", "CUSTOMER") == "CUSTOMER" for key in keys)


def _without_moto(model: str, limit: str, ceiling: Ceiling) -> Callable[[Request], None]:
    """Take moto's own limit out of the way, which no quota raises."""

    def refuse(request: Request) -> None:
        from moto.route53resolver import models

        setattr(getattr(models, model), limit, math.inf)
        ceiling(request)

    return refuse


def _of(service: str, code: str, what: str, error: str, used: Callable[[Request], int]) -> Ceiling:
    message = f"The limit of {{limit}} {what} is reached."
    return Ceiling(quota=(service, code), used=used, code=error, message=message)


def _count(service: str, attribute: str) -> Callable[[Request], int]:
    return lambda r: len(getattr(r.world.backend(service, r.region), attribute))


EXCEEDED = "LimitExceededException"
RULES: dict[tuple[str, str], Callable[[Request], None]] = {
    ("autoscaling", "CreateLaunchConfiguration"): _of(
        "autoscaling",
        "L-6B80B8FA",
        "launch configurations",
        "LimitExceeded",
        _count("autoscaling", "launch_configurations"),
    ),
    ("ec2", "CreateLaunchTemplate"): _of(
        "ec2",
        "L-FB451C26",
        "launch templates",
        "ResourceLimitExceeded",
        _count("ec2", "launch_templates"),
    ),
    ("ec2", "CreateSnapshot"): _of(
        "ebs", "L-309BACF6", "snapshots", "SnapshotLimitExceeded", _count("ec2", "snapshots")
    ),
    ("ec2", "CreateVolume"): refuse_volume,
    ("ec2", "CreateVpcEndpoint"): Ceiling(
        quota=("vpc", "L-1B52E74A"),
        used=_gateway_endpoints,
        added=lambda r: int((r.parameters.get("VpcEndpointType") or "Gateway") == "Gateway"),
        code="VpcEndpointLimitExceeded",
        message="The maximum number of VPC endpoints has been reached.",
    ),
    ("ecr", "CreateRepository"): _of(
        "ecr", "L-CFEB8E8D", "repositories", EXCEEDED, _count("ecr", "repositories")
    ),
    ("events", "PutRule"): _of("events", "L-244521F2", "rules", EXCEEDED, _bus_rules),
    ("kms", "CreateKey"): _of("kms", "L-C2F1777E", "keys", EXCEEDED, _customer_keys),
    ("logs", "CreateLogGroup"): _of(
        "logs", "L-C7B9AAAB", "log groups", EXCEEDED, _count("logs", "groups")
    ),
    ("route53resolver", "CreateResolverEndpoint"): _without_moto(
        "ResolverEndpoint",
        "MAX_ENDPOINTS_PER_REGION",
        _of(
            "route53resolver",
            "L-4A669CC0",
            "resolver endpoints",
            EXCEEDED,
            _count("route53resolver", "resolver_endpoints"),
        ),
    ),
    ("route53resolver", "CreateResolverRule"): _without_moto(
        "ResolverRule",
        "MAX_RULES_PER_REGION",
        _of(
            "route53resolver",
            "L-51D8A1FB",
            "resolver rules",
            EXCEEDED,
            _count("route53resolver", "resolver_rules"),
        ),
    ),
    ("sns", "CreateTopic"): Ceiling(
        quota=("sns", "L-61103206"),
        used=_topics,
        code="TopicLimitExceeded",
        message="The limit of {limit} topics is reached.",
        status=403,
    ),
}

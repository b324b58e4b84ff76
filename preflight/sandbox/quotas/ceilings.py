"""Quotas with teeth: what would go over the limit in force is refused in the service's own words.

One row a limit: the operation, the quota, how many there are already, how many the request adds,
and the error. The set-up of a scenario is outside the quotas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.quotas.book import QuotaBook
from preflight.sandbox.request import Request

# What counts as a NAT gateway: one that failed or is gone does not.
NAT_COUNTED = frozenset({"pending", "available", "deleting"})


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """One limit of one operation; in `message`, `{limit}` is the value in force."""

    quota: tuple[str, str]
    used: Callable[[Request], int]
    code: str
    message: str
    added: Callable[[Request], int] = lambda _: 1
    status: int = 400

    def __call__(self, request: Request) -> None:
        """Refuse the request when it goes over."""
        if request.is_privileged:
            return
        limit = request.world.part(QuotaBook).limit(*self.quota, request.region)
        if self.used(request) + self.added(request) > limit:
            raise AwsFault(self.code, self.message.format(limit=f"{limit:g}"), self.status)


def _ec2(request: Request) -> Any:
    return request.world.backend("ec2", request.region)


def _iam(request: Request) -> Any:
    return request.world.backend("iam", "aws")


def _subnets(request: Request) -> int:
    vpc = request.parameters["VpcId"]
    zones = list(_ec2(request).subnets.values())
    return sum(subnet.vpc_id == vpc for zone in zones for subnet in zone.values())


def _nat_gateways(request: Request) -> int:
    """Count those in the zone of the subnet asked for."""
    zones = {
        identifier: zone for zone, found in _ec2(request).subnets.items() for identifier in found
    }
    zone = zones.get(request.parameters.get("SubnetId", ""))
    return sum(
        zones.get(gateway.subnet_id) == zone and gateway.state in NAT_COUNTED
        for gateway in _ec2(request).nat_gateways.values()
    )


def _route_tables(request: Request) -> int:
    vpc = request.parameters["VpcId"]
    return sum(table.vpc_id == vpc for table in _ec2(request).route_tables.values())


def _endpoints(request: Request) -> int:
    found = _ec2(request).vpc_end_points.values()
    wanted = request.parameters["VpcId"]
    return sum(
        point.vpc_id == wanted
        and point.vpc_endpoint_type.lower() != "gateway"
        and point.state != "deleted"
        for point in found
    )


def _interface_endpoint(request: Request) -> int:
    return int(request.parameters.get("VpcEndpointType", "Gateway") != "Gateway")


def _load_balancers(kind: str) -> Callable[[Request], int]:
    def count(request: Request) -> int:
        found = request.world.backend("elbv2", request.region).load_balancers.values()
        return sum(one.type == kind for one in found)

    return count


def _is_kind(kind: str) -> Callable[[Request], int]:
    return lambda request: int(request.parameters.get("Type", "application") == kind)


def _customer_policies(request: Request) -> int:
    return sum(not arn.startswith("arn:aws:iam::aws:") for arn in _iam(request).managed_policies)


def _role(request: Request) -> Any:
    """Find the role meant; moto keeps roles by id."""
    wanted = request.parameters["RoleName"]
    return next((role for role in _iam(request).roles.values() if role.name == wanted), None)


def _attached(request: Request) -> int:
    role = _role(request)
    return len(role.managed_policies) if role is not None else 0


def _attaches(request: Request) -> int:
    """An attachment that is there already adds none."""
    role = _role(request)
    return int(role is None or request.parameters["PolicyArn"] not in role.managed_policies)


def _of_iam(name: str, code: str, used: Callable[[Request], int], **more: Any) -> Ceiling:
    return Ceiling(
        quota=("iam", code),
        used=used,
        code="LimitExceeded",
        message=f"Cannot exceed quota for {name}: {{limit}}",
        status=409,
        **more,
    )


def _length(name: str) -> Callable[[Request], int]:
    """Count the characters of a policy, without white space as IAM does."""
    return lambda request: len("".join(str(request.parameters.get(name) or "").split()))


_TRUST = _of_iam(
    "ACLSizePerRole", "L-C07B4B0D", lambda _: 0, added=_length("AssumeRolePolicyDocument")
)
_TRUST_CHANGED = _of_iam(
    "ACLSizePerRole", "L-C07B4B0D", lambda _: 0, added=_length("PolicyDocument")
)
_ROLES = _of_iam("RolesPerAccount", "L-FE177D64", lambda r: len(_iam(r).roles))


def _refuse_role(request: Request) -> None:
    _ROLES(request)
    _TRUST(request)


def _of_ec2(code: str, what: str, error: str, used: Callable[[Request], int]) -> Ceiling:
    message = f"The maximum number of {what} has been reached."
    return Ceiling(quota=("vpc", code), used=used, code=error, message=message)


def _load_balancer_rules(request: Request) -> None:
    for kind, code in (("application", "L-53DA6B97"), ("network", "L-69A177A2")):
        Ceiling(
            quota=("elasticloadbalancing", code),
            used=_load_balancers(kind),
            added=_is_kind(kind),
            code="TooManyLoadBalancers",
            message=f"You have reached the maximum number of {kind} load balancers: {{limit}}",
        )(request)


RULES: dict[tuple[str, str], Callable[[Request], None]] = {
    ("autoscaling", "CreateAutoScalingGroup"): Ceiling(
        quota=("autoscaling", "L-CDE20ADC"),
        used=lambda r: len(r.world.backend("autoscaling", r.region).autoscaling_groups),
        code="LimitExceeded",
        message="You have reached the maximum number of Auto Scaling groups: {limit}",
    ),
    ("ec2", "AllocateAddress"): Ceiling(
        quota=("ec2", "L-0263D0A3"),
        used=lambda r: len(_ec2(r).addresses),
        code="AddressLimitExceeded",
        message="The maximum number of addresses has been reached.",
    ),
    ("ec2", "CreateInternetGateway"): _of_ec2(
        "L-A4707A72",
        "internet gateways",
        "InternetGatewayLimitExceeded",
        lambda r: len(_ec2(r).internet_gateways),
    ),
    ("ec2", "CreateNatGateway"): Ceiling(
        quota=("vpc", "L-FE5A380F"),
        used=_nat_gateways,
        code="NatGatewayLimitExceeded",
        message="Performing this operation would exceed the limit of {limit} NAT gateways",
    ),
    ("ec2", "CreateNetworkInterface"): _of_ec2(
        "L-DF5E4CA3",
        "network interfaces",
        "NetworkInterfaceLimitExceeded",
        lambda r: len(_ec2(r).enis),
    ),
    ("ec2", "CreateRouteTable"): _of_ec2(
        "L-589F43AA", "route tables", "RouteTableLimitExceeded", _route_tables
    ),
    ("ec2", "CreateSecurityGroup"): _of_ec2(
        "L-E79EC296",
        "security groups",
        "SecurityGroupLimitExceeded",
        lambda r: sum(len(groups) for groups in _ec2(r).groups.values()),
    ),
    ("ec2", "CreateSubnet"): _of_ec2("L-407747CB", "subnets", "SubnetLimitExceeded", _subnets),
    ("ec2", "CreateVpc"): _of_ec2(
        "L-F678F1CE", "VPCs", "VpcLimitExceeded", lambda r: len(_ec2(r).vpcs)
    ),
    ("ec2", "CreateVpcEndpoint"): Ceiling(
        quota=("vpc", "L-29B6F2EB"),
        used=_endpoints,
        added=_interface_endpoint,
        code="VpcEndpointLimitExceeded",
        message="The maximum number of VPC endpoints has been reached.",
    ),
    ("elb", "CreateLoadBalancer"): Ceiling(
        quota=("elasticloadbalancing", "L-E9E9831D"),
        used=lambda r: len(r.world.backend("elb", r.region).load_balancers),
        code="TooManyLoadBalancers",
        message="Exceeded quota of account {limit}",
    ),
    ("elbv2", "CreateLoadBalancer"): _load_balancer_rules,
    ("elbv2", "CreateTargetGroup"): Ceiling(
        quota=("elasticloadbalancing", "L-B22855CB"),
        used=lambda r: len(r.world.backend("elbv2", r.region).target_groups),
        code="TooManyTargetGroups",
        message="You have reached the maximum number of target groups: {limit}",
    ),
    ("iam", "AttachRolePolicy"): _of_iam(
        "PoliciesPerRole", "L-0DA4ABF3", _attached, added=_attaches
    ),
    ("iam", "CreateInstanceProfile"): _of_iam(
        "InstanceProfilesPerAccount", "L-6E65F664", lambda r: len(_iam(r).instance_profiles)
    ),
    ("iam", "CreateOpenIDConnectProvider"): _of_iam(
        "OpenIdConnectProvidersPerAccount", "L-858F3967", lambda r: len(_iam(r).open_id_providers)
    ),
    ("iam", "CreatePolicy"): _of_iam("PoliciesPerAccount", "L-E95E4862", _customer_policies),
    ("iam", "CreateRole"): _refuse_role,
    ("iam", "UpdateAssumeRolePolicy"): _TRUST_CHANGED,
    ("s3", "CreateBucket"): Ceiling(
        quota=("s3", "L-DC2B2D3D"),
        used=lambda r: len(r.world.backend("s3", "aws").buckets),
        code="TooManyBuckets",
        message="You have attempted to create more buckets than allowed",
    ),
}

"""How the use of each quota is counted: AWS's own rules, each over lists that `Usage` has read.

A counter knows the lists it reads, and so the IAM actions it needs. `within` is a zone's name for
zonal quotas. For quotas inside a VPC or another container it gives the use of the fullest one.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from preflight import usage as looks
from preflight.errors import AwsError
from preflight.usage import Look, Usage

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Counted:
    """A counter with the lists it reads."""

    count: Callable[[Usage, str], float]
    looks: tuple[Look, ...]

    def __call__(self, usage: Usage, within: str = "") -> float:
        """Count what is in use. Raises `AwsError` when one of the lists could not be read."""
        return self.count(usage, within)

    @property
    def actions(self) -> frozenset[str]:
        """The IAM actions that counting needs."""
        return frozenset(look.action for look in self.looks)


def _reads(*needed: Look) -> Callable[[Callable[[Usage, str], float]], Counted]:
    return lambda count: Counted(count, needed)


def _rows_of(look: Look) -> Counted:
    return Counted(lambda usage, _: float(len(usage.rows(look))), (look,))


def _own_of(look: Look) -> Counted:
    return Counted(lambda usage, _: float(len(usage.mine(look))), (look,))


def _number(look: Look, name: str) -> Counted:
    return Counted(lambda usage, _: float(usage.rows(look)[0][name]), (look,))


def _fullest(containers: Iterable[str]) -> float:
    return float(max(Tally(containers).values(), default=0))


def _fullest_of(look: Look, container: str) -> Counted:
    return Counted(lambda usage, _: _fullest(row[container] for row in usage.rows(look)), (look,))


def _most(look: Look, count: str) -> Counted:
    return Counted(
        lambda usage, _: max((float(row[count]) for row in usage.mine(look)), default=0.0), (look,)
    )


auto_scaling_groups = _number(looks.SCALING_LIMITS, "NumberOfAutoScalingGroups")
launch_configurations = _number(looks.SCALING_LIMITS, "NumberOfLaunchConfigurations")
launch_templates = _rows_of(looks.LAUNCH_TEMPLATES)
roles = _number(looks.ACCOUNT_SUMMARY, "Roles")
policies = _number(looks.ACCOUNT_SUMMARY, "Policies")
instance_profiles = _number(looks.ACCOUNT_SUMMARY, "InstanceProfiles")
oidc_providers = _rows_of(looks.OIDC_PROVIDERS)
buckets = _rows_of(looks.BUCKETS)
clusters = _rows_of(looks.CLUSTERS)
classic_load_balancers = _rows_of(looks.CLASSIC_LOAD_BALANCERS)
target_groups = _rows_of(looks.TARGET_GROUPS)
repositories = _rows_of(looks.REPOSITORIES)
topics = _rows_of(looks.TOPICS)
log_groups = _rows_of(looks.LOG_GROUPS)
event_rules = _rows_of(looks.EVENT_RULES)
resolver_endpoints = _rows_of(looks.RESOLVER_ENDPOINTS)
nodegroups_per_cluster = _fullest_of(looks.NODEGROUPS, "cluster")
fargate_profiles_per_cluster = _fullest_of(looks.FARGATE_PROFILES, "cluster")
managed_policies_per_role = _most(looks.ROLES_IN_DETAIL, "Policies")
snapshots = _own_of(looks.SNAPSHOTS)
vpcs = _own_of(looks.VPCS)
internet_gateways = _own_of(looks.INTERNET_GATEWAYS)
egress_only_gateways = _own_of(looks.EGRESS_ONLY_GATEWAYS)
security_groups = _own_of(looks.SECURITY_GROUPS)
network_interfaces = _own_of(looks.INTERFACES)
security_groups_per_interface = Counted(
    lambda usage, _: float(
        max((len(row.get("Groups", ())) for row in usage.mine(looks.INTERFACES)), default=0)
    ),
    (looks.INTERFACES,),
)


#: Who manages an address that does not count; the first is documented by a user's report, the
#: others follow from it.
_MANAGED = frozenset({"alb", "nlb", "rnat", "rds"})


@_reads(looks.ADDRESSES)
def elastic_ips(usage: Usage, within: str) -> float:
    """Count addresses of Amazon's pool, not brought ones nor those a service manages."""
    del within
    return float(
        sum(
            address.get("PublicIpv4Pool") in {None, "", "amazon"}
            and address.get("ServiceManaged") not in _MANAGED
            for address in usage.rows(looks.ADDRESSES)
        )
    )


@_reads(looks.NAT_GATEWAYS, looks.SUBNETS)
def nat_gateways_per_zone(usage: Usage, within: str) -> float:
    """Count the gateways of one zone, or of the fullest one; those being deleted count too.

    One that does not tell its zone (a regional gateway) counts in every zone.
    https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    zone_of = {row["SubnetId"]: row["AvailabilityZone"] for row in usage.rows(looks.SUBNETS)}
    per_zone: Tally[str] = Tally()
    everywhere = 0
    for gateway in usage.rows(looks.NAT_GATEWAYS):
        if gateway.get("State") not in {"pending", "available", "deleting"}:
            continue
        zones = _zones_of(gateway, zone_of)
        per_zone.update(zones)
        everywhere += not zones
    here = per_zone[within] if within else max(per_zone.values(), default=0)
    return float(here + everywhere)


def _zones_of(gateway: Row, zone_of: Mapping[str, str]) -> set[str]:
    subnet = gateway.get("SubnetId", "")
    if subnet in zone_of:
        return {zone_of[subnet]}
    addresses = gateway.get("NatGatewayAddresses", ())
    return {address["AvailabilityZone"] for address in addresses if "AvailabilityZone" in address}


@_reads(looks.VPCS)
def ranges_per_vpc(usage: Usage, within: str) -> float:
    """Count the IPv4 ranges of the VPC that has the most."""
    del within
    return _fullest(
        vpc["VpcId"]
        for vpc in usage.mine(looks.VPCS)
        for block in vpc.get("CidrBlockAssociationSet", ())
        if block.get("CidrBlockState", {}).get("State") != "disassociated"
    )


@_reads(looks.SUBNETS)
def subnets_per_vpc(usage: Usage, within: str) -> float:
    """Count the subnets of the fullest VPC."""
    del within
    return _fullest(subnet["VpcId"] for subnet in usage.mine(looks.SUBNETS))


@_reads(looks.ROUTE_TABLES)
def route_tables_per_vpc(usage: Usage, within: str) -> float:
    """Count the route tables of the fullest VPC."""
    del within
    return _fullest(table["VpcId"] for table in usage.mine(looks.ROUTE_TABLES))


@_reads(looks.ROUTE_TABLES)
def routes_per_table(usage: Usage, within: str) -> float:
    """Count the routes of the fullest table, IPv4 and IPv6 apart, without propagated ones."""
    del within
    fullest = 0
    for table in usage.mine(looks.ROUTE_TABLES):
        routes = [
            route
            for route in table.get("Routes", ())
            if route.get("Origin") != "EnableVgwRoutePropagation"
        ]
        ipv6 = sum("DestinationIpv6CidrBlock" in route for route in routes)
        fullest = max(fullest, ipv6, len(routes) - ipv6)
    return float(fullest)


_DEAD_ENDPOINTS = frozenset({"deleted", "rejected", "expired"})


def _endpoints(usage: Usage, *types: str) -> list[Row]:
    return [
        endpoint
        for endpoint in usage.mine(looks.ENDPOINTS)
        if endpoint.get("VpcEndpointType", "Gateway") in types
        and endpoint.get("State", "").lower() not in _DEAD_ENDPOINTS
    ]


@_reads(looks.ENDPOINTS)
def gateway_endpoints(usage: Usage, within: str) -> float:
    """Count gateway endpoints in the Region."""
    del within
    return float(len(_endpoints(usage, "Gateway")))


@_reads(looks.ENDPOINTS)
def interface_endpoints_per_vpc(usage: Usage, within: str) -> float:
    """Count interface and Gateway Load Balancer endpoints of the fullest VPC."""
    del within
    endpoints = _endpoints(usage, "Interface", "GatewayLoadBalancer")
    return _fullest(endpoint["VpcId"] for endpoint in endpoints)


@_reads(looks.SECURITY_GROUPS, looks.PREFIX_LISTS)
def rules_per_security_group(usage: Usage, within: str) -> float:
    """Count the rules of the fullest group, each direction and IPv4 and IPv6 apart.

    A rule for a group counts as IPv4 and as IPv6, one for a prefix list as the list's maximum
    number of entries. https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    del within
    lists = {row["PrefixListId"]: row for row in usage.rows(looks.PREFIX_LISTS)}
    return max(
        (
            _rules(group.get(direction, ()), family, lists)
            for group in usage.mine(looks.SECURITY_GROUPS)
            for direction in ("IpPermissions", "IpPermissionsEgress")
            for family in ("IPv4", "IPv6")
        ),
        default=0.0,
    )


def _rules(permissions: Iterable[Row], family: str, lists: Mapping[str, Row]) -> float:
    ranges = "IpRanges" if family == "IPv4" else "Ipv6Ranges"
    total = 0.0
    for permission in permissions:
        total += len(permission.get(ranges, ())) + len(permission.get("UserIdGroupPairs", ()))
        for entry in permission.get("PrefixListIds", ()):
            total += _entries(lists.get(entry["PrefixListId"], {}), family, entry["PrefixListId"])
    return total


def _entries(prefix_list: Row, family: str, id: str) -> float:
    if prefix_list.get("AddressFamily", family) != family:
        return 0.0
    if "MaxEntries" not in prefix_list:
        raise AwsError(
            f"how many rules the prefix list {id} counts as is not known",
            service="ec2",
            operation="DescribeManagedPrefixLists",
        )
    return float(prefix_list["MaxEntries"])


def _load_balancers(type: str) -> Counted:
    def count(usage: Usage, within: str) -> float:
        del within
        return float(sum(row.get("Type") == type for row in usage.rows(looks.LOAD_BALANCERS)))

    return Counted(count, (looks.LOAD_BALANCERS,))


application_load_balancers = _load_balancers("application")
network_load_balancers = _load_balancers("network")


def _volumes(type: str, key: str, unit: float) -> Counted:
    def count(usage: Usage, within: str) -> float:
        del within
        volumes = [row for row in usage.rows(looks.VOLUMES) if row.get("VolumeType") == type]
        return sum((row.get(key, 0) for row in volumes), 0.0) / unit

    return Counted(count, (looks.VOLUMES,))


#: Volumes are sized in GiB, and limited in TiB.
_GIB_PER_TIB = 1024
gp3_storage = _volumes("gp3", "Size", _GIB_PER_TIB)
gp2_storage = _volumes("gp2", "Size", _GIB_PER_TIB)
io1_storage = _volumes("io1", "Size", _GIB_PER_TIB)
io2_storage = _volumes("io2", "Size", _GIB_PER_TIB)
io1_iops = _volumes("io1", "Iops", 1)
io2_iops = _volumes("io2", "Iops", 1)


@_reads(looks.KEYS, looks.KEY_ALIASES)
def kms_keys(usage: Usage, within: str) -> float:
    """Count customer managed keys in any state: all but those that an `alias/aws/` names.

    https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
    """
    del within
    managed = {
        alias.get("TargetKeyId")
        for alias in usage.rows(looks.KEY_ALIASES)
        if alias["AliasName"].startswith("alias/aws/")
    }
    return float(sum(key["KeyId"] not in managed for key in usage.rows(looks.KEYS)))


@_reads(looks.RESOLVER_RULES)
def resolver_rules(usage: Usage, within: str) -> float:
    """Count the account's own rules: not those of AWS, nor those shared with it."""
    del within
    return float(len(usage.mine(looks.RESOLVER_RULES)))


@_reads(looks.FARGATE_METRICS, looks.FARGATE_VCPUS)
def fargate_vcpus(usage: Usage, within: str) -> float:
    """Take AWS's own measurement, and none in use where nothing was measured for two weeks.

    Raises `AwsError` when there was a measurement before the last hour: its lack is not zero.
    """
    del within
    if not usage.rows(looks.FARGATE_METRICS):
        return 0.0
    values = [value for row in usage.rows(looks.FARGATE_VCPUS) for value in row["Values"]]
    if not values:
        raise AwsError(
            "CloudWatch has no measurement of Fargate vCPUs in the last hour",
            service="cloudwatch",
            operation="GetMetricData",
        )
    return float(values[0])

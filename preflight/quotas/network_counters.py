"""How the quotas of VPCs are counted: AWS's own rules, each over lists that `Usage` has read.

https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping

from preflight.errors import AwsError
from preflight.quotas import looks
from preflight.quotas.counted import Counted, Row, Shares, own_in, own_of, reads, shared
from preflight.quotas.usage import Usage

vpcs = own_of(looks.VPCS)
internet_gateways = own_of(looks.INTERNET_GATEWAYS)
egress_only_gateways = own_of(looks.EGRESS_ONLY_GATEWAYS)
security_groups = own_of(looks.SECURITY_GROUPS)
network_interfaces = own_of(looks.INTERFACES)
subnets_per_vpc = own_in(looks.SUBNETS, "VpcId")
route_tables_per_vpc = own_in(looks.ROUTE_TABLES, "VpcId")

#: Who manages an address that does not count; the first is documented by a user's report, the
#: others follow from it.
_MANAGED = frozenset({"alb", "nlb", "rnat", "rds"})


@reads(looks.ADDRESSES)
def elastic_ips(usage: Usage) -> float:
    """Count addresses of Amazon's pool, not brought ones nor those a service manages."""
    return float(
        sum(
            address.get("PublicIpv4Pool") in {None, "", "amazon"}
            and address.get("ServiceManaged") not in _MANAGED
            for address in usage.rows(looks.ADDRESSES)
        )
    )


def _gateways(usage: Usage) -> tuple[Tally[str], int]:
    """Count NAT gateways by zone, and those that do not tell theirs (regional ones)."""
    zone_of = {row["SubnetId"]: row["AvailabilityZone"] for row in usage.rows(looks.SUBNETS)}
    per_zone: Tally[str] = Tally()
    everywhere = 0
    for gateway in usage.rows(looks.NAT_GATEWAYS):
        if gateway.get("State") not in {"pending", "available", "deleting"}:
            continue
        zones = _zones_of(gateway, zone_of)
        per_zone.update(zones)
        everywhere += not zones
    return per_zone, everywhere


def _zones_of(gateway: Row, zone_of: Mapping[str, str]) -> set[str]:
    subnet = gateway.get("SubnetId", "")
    if subnet in zone_of:
        return {zone_of[subnet]}
    addresses = gateway.get("NatGatewayAddresses", ())
    return {address["AvailabilityZone"] for address in addresses if "AvailabilityZone" in address}


def _gateways_of_zone(usage: Usage, within: str) -> float:
    per_zone, everywhere = _gateways(usage)
    here = per_zone[within] if within else max(per_zone.values(), default=0)
    return float(here + everywhere)


#: Of one zone, or of the fullest one. Those being deleted count too, and one that does not tell its
#: zone counts in every zone.
nat_gateways_per_zone = Counted(
    _gateways_of_zone, (looks.NAT_GATEWAYS, looks.SUBNETS), lambda usage: _gateways(usage)[0]
)


@shared(looks.VPCS)
def ranges_per_vpc(usage: Usage) -> Shares:
    """Count the IPv4 ranges of each VPC."""
    return Tally(
        vpc["VpcId"]
        for vpc in usage.mine(looks.VPCS)
        for block in vpc.get("CidrBlockAssociationSet", ())
        if block.get("CidrBlockState", {}).get("State") != "disassociated"
    )


@shared(looks.INTERFACES)
def security_groups_per_interface(usage: Usage) -> Shares:
    """Count the security groups of each network interface."""
    return {
        row["NetworkInterfaceId"]: len(row.get("Groups", ()))
        for row in usage.mine(looks.INTERFACES)
    }


@shared(looks.ROUTE_TABLES, looks.PREFIX_LISTS)
def routes_per_table(usage: Usage) -> Shares:
    """Count the routes of each table, IPv4 and IPv6 apart, without propagated ones.

    A route for a prefix list counts as the list's maximum number of entries, as rules do.
    """
    lists = _prefix_lists(usage)
    return {
        table["RouteTableId"]: max(
            _routes(table.get("Routes", ()), family, lists) for family in ("IPv4", "IPv6")
        )
        for table in usage.mine(looks.ROUTE_TABLES)
    }


def _routes(routes: Iterable[Row], family: str, lists: Mapping[str, Row]) -> float:
    total = 0.0
    for route in routes:
        if route.get("Origin") == "EnableVgwRoutePropagation":
            continue
        if (prefix_list := route.get("DestinationPrefixListId")) is not None:
            total += _entries(lists.get(prefix_list, {}), family, prefix_list)
        else:
            total += ("DestinationIpv6CidrBlock" in route) == (family == "IPv6")
    return total


_DEAD_ENDPOINTS = frozenset({"deleted", "rejected", "expired"})


def _endpoints(usage: Usage, *types: str) -> list[Row]:
    return [
        endpoint
        for endpoint in usage.mine(looks.ENDPOINTS)
        if endpoint.get("VpcEndpointType", "Gateway") in types
        and endpoint.get("State", "").lower() not in _DEAD_ENDPOINTS
    ]


@reads(looks.ENDPOINTS)
def gateway_endpoints(usage: Usage) -> float:
    """Count gateway endpoints in the Region."""
    return float(len(_endpoints(usage, "Gateway")))


@shared(looks.ENDPOINTS)
def interface_endpoints_per_vpc(usage: Usage) -> Shares:
    """Count interface and Gateway Load Balancer endpoints of each VPC."""
    endpoints = _endpoints(usage, "Interface", "GatewayLoadBalancer")
    return Tally(endpoint["VpcId"] for endpoint in endpoints)


@shared(looks.SECURITY_GROUPS, looks.PREFIX_LISTS)
def rules_per_security_group(usage: Usage) -> Shares:
    """Count the rules of each group, each direction and IPv4 and IPv6 apart, and take the most.

    A rule for a group counts as IPv4 and as IPv6, one for a prefix list as the list's maximum
    number of entries: https://docs.aws.amazon.com/vpc/latest/userguide/managed-prefix-lists.html
    """
    lists = _prefix_lists(usage)
    return {
        group["GroupId"]: max(
            _rules(group.get(direction, ()), family, lists)
            for direction in ("IpPermissions", "IpPermissionsEgress")
            for family in ("IPv4", "IPv6")
        )
        for group in usage.mine(looks.SECURITY_GROUPS)
    }


def _rules(permissions: Iterable[Row], family: str, lists: Mapping[str, Row]) -> float:
    ranges = "IpRanges" if family == "IPv4" else "Ipv6Ranges"
    total = 0.0
    for permission in permissions:
        total += len(permission.get(ranges, ())) + len(permission.get("UserIdGroupPairs", ()))
        for entry in permission.get("PrefixListIds", ()):
            total += _entries(lists.get(entry["PrefixListId"], {}), family, entry["PrefixListId"])
    return total


def _prefix_lists(usage: Usage) -> Mapping[str, Row]:
    return {row["PrefixListId"]: row for row in usage.rows(looks.PREFIX_LISTS)}


#: As how many entries a list of AWS's own counts, by the end of its name.
#: https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
_WEIGHTS: Mapping[str, float] = {
    "cloudfront.origin-facing": 55,
    "dynamodb": 1,
    "ec2-instance-connect": 2,
    "groundstation": 5,
    "route53-healthchecks": 25,
    "s3": 1,
    "s3express": 6,
    "vpc-lattice": 10,
}


def _entries(prefix_list: Row, family: str, id: str) -> float:
    """Say as how many entries a list counts: its maximum, whatever it holds now."""
    name = str(prefix_list.get("PrefixListName", ""))
    its_own = "IPv6" if ".ipv6." in name else "IPv4" if prefix_list.get("OwnerId") == "AWS" else ""
    if (prefix_list.get("AddressFamily") or its_own or family) != family:
        return 0.0
    most = prefix_list.get("MaxEntries")
    if most is None and prefix_list.get("OwnerId") == "AWS":
        # com.amazonaws.us-west-2.ipv6.vpc-lattice
        where_and_what = name.removeprefix("com.amazonaws.").replace(".ipv6", "")
        most = _WEIGHTS.get(where_and_what.partition(".")[2])
    if most is None:
        raise AwsError(
            f"as how many entries the prefix list {id} counts is not known",
            service="ec2",
            operation="DescribeManagedPrefixLists",
        )
    return float(most)

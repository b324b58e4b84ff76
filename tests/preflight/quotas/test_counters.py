"""How use is counted: each rule of AWS over data as AWS writes it, and each trap."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from preflight.aws import Aws, Identity
from preflight.errors import AccessDenied, AwsError
from preflight.once import Once
from preflight.quotas import counters, looks
from preflight.quotas import network_counters as network
from preflight.quotas.catalogue import by_key
from preflight.quotas.counted import Counted
from preflight.quotas.usage import Look, Usage

T = TypeVar("T")
Lists = dict[Look, list[dict[str, Any]] | Exception]
ME, OTHER = "111122223333", "999988887777"
STANDARD, STANDARD_SPOT, G, INF = "L-1216C47A", "L-34B43A08", "L-DB2E81BA", "L-1945791B"
TYPES = [
    {"InstanceType": name, "VCpuInfo": {"DefaultVCpus": vcpus}}
    for name, vcpus in {"m5.large": 2, "m5.4xlarge": 16, "g5.xlarge": 4, "inf1.xlarge": 4}.items()
]
DENIED = AccessDenied("no", action="ec2:DescribeSpotInstanceRequests")


class Given:
    """Lists that were read already; asking for any other is a mistake of the test."""

    def __init__(self, lists: Lists) -> None:
        self._lists = {f"usage:us-west-2:{look.key}": rows for look, rows in lists.items()}

    def get(self, key: str, fetch: Callable[[], T]) -> T:
        del fetch
        value: Any = self._lists[key]
        if isinstance(value, Exception):
            raise value
        given: T = value
        return given


def of(lists: Lists) -> Usage:
    aws = Aws("us-west-2")
    aws.identity = Identity(account=ME, arn=f"arn:aws:iam::{ME}:root", user_id=ME)
    return Usage(aws, Given({looks.INSTANCE_TYPES: TYPES, **lists}))


def vcpus(code: str, lists: Lists) -> float:
    nothing: Lists = {
        looks.INSTANCES: [],
        looks.CAPACITY_RESERVATIONS: [],
        looks.SPOT_REQUESTS: [],
    }
    quota = by_key("ec2", code)
    assert quota is not None
    assert quota.count is not None
    return quota.count(of({**nothing, **lists}), "")


def instance(type: str = "m5.large", state: str = "running", **more: Any) -> dict[str, Any]:
    return {"InstanceType": type, "State": {"Name": state}, **more}


@pytest.mark.parametrize(
    ("described", "counted"),
    [
        pytest.param(instance(), 2, id="running counts"),
        pytest.param(instance(state="pending"), 2, id="starting counts, to be safe"),
        pytest.param(instance(state="stopping"), 0, id="stopping does not"),
        pytest.param(instance(state="stopped"), 0, id="stopped does not"),
        pytest.param(instance(state="terminated"), 0, id="terminated does not"),
        pytest.param(instance(InstanceLifecycle="spot"), 0, id="spot has its own quota"),
        pytest.param(instance(InstanceLifecycle="scheduled"), 0, id="scheduled was bought"),
        pytest.param(instance(InstanceLifecycle="capacity-block"), 0, id="a block was bought"),
        pytest.param(instance(Placement={"Tenancy": "host"}), 0, id="hosts have their own"),
        pytest.param(instance(Placement={"Tenancy": "dedicated"}), 2, id="dedicated counts"),
        pytest.param(instance("inf1.xlarge"), 0, id="inf is not i"),
        pytest.param(
            instance("m5.4xlarge", CpuOptions={"CoreCount": 1, "ThreadsPerCore": 1}),
            16,
            id="default vCPUs where fewer were asked for",
        ),
    ],
)
def test_an_instance_counts_its_vcpus_while_it_runs(
    described: dict[str, Any], counted: float
) -> None:
    assert vcpus(STANDARD, {looks.INSTANCES: [described]}) == counted


def test_each_family_has_its_own_sum() -> None:
    running = [instance(), instance("m5.4xlarge"), instance("g5.xlarge"), instance("inf1.xlarge")]

    assert vcpus(STANDARD, {looks.INSTANCES: running}) == 18
    assert vcpus(G, {looks.INSTANCES: running}) == 4
    assert vcpus(INF, {looks.INSTANCES: running}) == 4


@pytest.mark.parametrize(
    ("more", "counted"),
    [
        pytest.param({}, 6, id="only what is not used of it"),
        pytest.param({"State": "expired"}, 0, id="an expired one does not count"),
        pytest.param({"State": "scheduled"}, 0, id="one for later does not count"),
        pytest.param({"State": "pending"}, 20, id="all of one that is being provided"),
        pytest.param({"State": "cancelling"}, 6, id="one that is being given up still does"),
        pytest.param({"OwnerId": OTHER}, 0, id="one shared by another account does not"),
        pytest.param({"ReservationType": "capacity-block"}, 0, id="a capacity block does not"),
    ],
)
def test_an_unused_capacity_reservation_counts(more: dict[str, Any], counted: float) -> None:
    reservation = {
        "InstanceType": "m5.large",
        "State": "active",
        "OwnerId": ME,
        "TotalInstanceCount": 10,
        "AvailableInstanceCount": 3,
        **more,
    }
    assert vcpus(STANDARD, {looks.CAPACITY_RESERVATIONS: [reservation]}) == counted


def test_spot_counts_what_runs_and_what_is_still_asked_for() -> None:
    asked = {"LaunchSpecification": {"InstanceType": "m5.4xlarge"}}
    lists: Lists = {
        looks.INSTANCES: [instance(InstanceLifecycle="spot"), instance()],
        looks.SPOT_REQUESTS: [{"State": "open", **asked}, {"State": "active", **asked}],
    }
    assert vcpus(STANDARD_SPOT, lists) == 18


def test_a_type_without_known_vcpus_is_an_error_and_not_zero() -> None:
    with pytest.raises(AwsError, match=r"m9\.large"):
        vcpus(STANDARD, {looks.INSTANCES: [instance("m9.large")]})


def test_a_denied_list_costs_the_quotas_that_need_it_and_no_other() -> None:
    lists: Lists = {looks.INSTANCES: [instance()], looks.SPOT_REQUESTS: DENIED}

    assert vcpus(STANDARD, lists) == 2
    with pytest.raises(AccessDenied):
        vcpus(STANDARD_SPOT, lists)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        pytest.param({}, 1, id="a plain one counts"),
        pytest.param({"PublicIpv4Pool": "amazon"}, 1, id="the pool called amazon is the usual"),
        pytest.param({"PublicIpv4Pool": "ipv4pool-ec2-01"}, 0, id="a brought one does not"),
        pytest.param({"ServiceManaged": "alb"}, 0, id="one of a load balancer does not"),
        pytest.param({"ServiceManaged": "rnat"}, 0, id="one of a regional gateway does not"),
        pytest.param({"AssociationId": "eipassoc-1"}, 1, id="in use or not does not matter"),
    ],
)
def test_an_address_counts_if_it_is_amazons_and_nobody_manages_it(
    address: dict[str, Any], counted: float
) -> None:
    assert network.elastic_ips(of({looks.ADDRESSES: [address]})) == counted


SUBNETS = [
    {"SubnetId": "subnet-a", "AvailabilityZone": "us-west-2a", "VpcId": "vpc-1", "OwnerId": ME},
    {"SubnetId": "subnet-b", "AvailabilityZone": "us-west-2b", "VpcId": "vpc-1", "OwnerId": ME},
    {"SubnetId": "subnet-c", "AvailabilityZone": "us-west-2b", "VpcId": "vpc-9", "OwnerId": OTHER},
]


def nats(within: str, *gateways: tuple[str, str]) -> float:
    rows = [{"SubnetId": subnet, "State": state} for subnet, state in gateways]
    given: Lists = {looks.NAT_GATEWAYS: rows, looks.SUBNETS: SUBNETS}
    return network.nat_gateways_per_zone(of(given), within)


def test_a_nat_gateway_counts_in_its_zone_until_it_is_gone() -> None:
    gateways = (
        ("subnet-a", "pending"),
        ("subnet-a", "available"),
        ("subnet-a", "deleting"),
        ("subnet-a", "deleted"),
        ("subnet-a", "failed"),
        ("subnet-b", "available"),
    )
    assert nats("us-west-2a", *gateways) == 3
    assert nats("us-west-2b", *gateways) == 1
    assert nats("us-west-2c", *gateways) == 0
    assert nats("", *gateways) == 3


def test_a_regional_nat_gateway_counts_in_its_zones_or_else_everywhere() -> None:
    rows = [
        {"State": "available", "AvailabilityMode": "regional"},
        {"State": "available", "NatGatewayAddresses": [{"AvailabilityZone": "us-west-2a"}]},
    ]
    given: Lists = {looks.NAT_GATEWAYS: rows, looks.SUBNETS: SUBNETS}

    assert network.nat_gateways_per_zone(of(given), "us-west-2a") == 2
    assert network.nat_gateways_per_zone(of(given), "us-west-2c") == 1


@pytest.mark.parametrize(
    ("count", "look"),
    [
        (network.vpcs, looks.VPCS),
        (network.internet_gateways, looks.INTERNET_GATEWAYS),
        (network.security_groups, looks.SECURITY_GROUPS),
        (network.network_interfaces, looks.INTERFACES),
        (counters.resolver_rules, looks.RESOLVER_RULES),
    ],
)
def test_what_another_account_shares_does_not_count(count: Counted, look: Look) -> None:
    rows = [{"OwnerId": ME, "IsDefault": True}, {}, {"OwnerId": OTHER}, {"OwnerId": "AWS"}]
    assert count(of({look: rows})) == 2


def test_the_fullest_container_counts() -> None:
    assert network.subnets_per_vpc(of({looks.SUBNETS: SUBNETS})) == 2
    assert network.subnets_per_vpc(of({looks.SUBNETS: []})) == 0


def managed(id: str, name: str) -> dict[str, Any]:
    return {"PrefixListId": id, "PrefixListName": f"com.amazonaws.{name}", "OwnerId": "AWS"}


LISTS = [
    {"PrefixListId": "pl-big", "AddressFamily": "IPv4", "MaxEntries": 53},
    {"PrefixListId": "pl-6", "AddressFamily": "IPv6", "MaxEntries": 9},
    {"PrefixListId": "pl-unsized", "AddressFamily": "IPv4"},
    managed("pl-s3", "us-west-2.s3"),
    managed("pl-edge", "global.cloudfront.origin-facing"),
    managed("pl-edge-6", "global.ipv6.cloudfront.origin-facing"),
    managed("pl-lattice-6", "us-west-2.ipv6.vpc-lattice"),
    managed("pl-newer", "us-west-2.newer-than-this"),
]


def test_routes_count_by_family_and_without_propagated_ones() -> None:
    routes = [
        {"DestinationCidrBlock": "10.0.0.0/16", "Origin": "CreateRouteTable"},
        {"DestinationCidrBlock": "0.0.0.0/0", "Origin": "CreateRoute"},
        {"DestinationPrefixListId": "pl-big", "Origin": "CreateRoute"},
        {"DestinationIpv6CidrBlock": "::/0", "Origin": "CreateRoute"},
        {"DestinationCidrBlock": "10.9.0.0/16", "Origin": "EnableVgwRoutePropagation"},
    ]
    tables = [
        {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": routes},
        {"RouteTableId": "rtb-2", "VpcId": "vpc-1", "Routes": []},
    ]
    given: Lists = {looks.ROUTE_TABLES: tables, looks.PREFIX_LISTS: LISTS}

    assert network.routes_per_table(of(given)) == 2 + 53
    assert network.routes_per_table.fullest(of(given)) == "rtb-1"
    assert network.route_tables_per_vpc(of(given)) == 2


def test_endpoints_count_by_type_and_only_living_ones() -> None:
    rows = [
        {"VpcEndpointType": "Gateway", "VpcId": "vpc-1", "State": "available"},
        {"VpcEndpointType": "Interface", "VpcId": "vpc-1", "State": "pending"},
        {"VpcEndpointType": "GatewayLoadBalancer", "VpcId": "vpc-1", "State": "available"},
        {"VpcEndpointType": "Interface", "VpcId": "vpc-1", "State": "deleted"},
        {"VpcEndpointType": "Interface", "VpcId": "vpc-2", "State": "available"},
    ]
    assert network.gateway_endpoints(of({looks.ENDPOINTS: rows})) == 1
    assert network.interface_endpoints_per_vpc(of({looks.ENDPOINTS: rows})) == 2


def rules(*permissions: dict[str, Any], direction: str = "IpPermissions") -> float:
    group = {"GroupId": "sg-1", "OwnerId": ME, direction: list(permissions)}
    given: Lists = {looks.SECURITY_GROUPS: [group], looks.PREFIX_LISTS: LISTS}
    return network.rules_per_security_group(of(given))


V4, V6 = {"CidrIp": "10.0.0.0/8"}, {"CidrIpv6": "::/0"}
GROUP = {"GroupId": "sg-1"}


@pytest.mark.parametrize(
    ("permission", "counted"),
    [
        pytest.param({"IpRanges": [V4, V4], "Ipv6Ranges": [V6]}, 2, id="families apart"),
        pytest.param(
            {"IpRanges": [V4], "Ipv6Ranges": [V6, V6], "UserIdGroupPairs": [GROUP]},
            3,
            id="a group counts in both families",
        ),
        pytest.param(
            {"IpRanges": [V4, V4], "PrefixListIds": [{"PrefixListId": "pl-big"}]},
            55,
            id="a prefix list counts at its largest",
        ),
        pytest.param(
            {"IpRanges": [V4], "PrefixListIds": [{"PrefixListId": "pl-6"}]},
            9,
            id="a prefix list counts in its own family",
        ),
        pytest.param(
            {"IpRanges": [V4], "PrefixListIds": [{"PrefixListId": "pl-edge"}]},
            56,
            id="a list of AWS's own counts as its weight",
        ),
        pytest.param(
            {
                "IpRanges": [V4],
                "PrefixListIds": [{"PrefixListId": "pl-edge-6"}, {"PrefixListId": "pl-lattice-6"}],
            },
            65,
            id="a list of AWS's own counts in its family",
        ),
    ],
)
@pytest.mark.parametrize("direction", ["IpPermissions", "IpPermissionsEgress"])
def test_rules_count_by_direction_and_family(
    permission: dict[str, Any], counted: float, direction: str
) -> None:
    assert rules(permission, direction=direction) == counted


@pytest.mark.parametrize("id", ["pl-unsized", "pl-not-listed", "pl-newer"])
def test_a_prefix_list_of_unknown_size_is_an_error_and_not_one_rule(id: str) -> None:
    with pytest.raises(AwsError, match=id):
        rules({"PrefixListIds": [{"PrefixListId": id}]})


def test_storage_is_counted_in_tib_of_1024_gib() -> None:
    volumes = [
        {"VolumeType": "gp3", "Size": 1024},
        {"VolumeType": "gp3", "Size": 512},
        {"VolumeType": "gp2", "Size": 256},
        {"VolumeType": "io1", "Size": 1, "Iops": 3000},
    ]
    given = of({looks.VOLUMES: volumes})

    assert counters.gp3_storage(given) == 1.5
    assert counters.gp2_storage(given) == 0.25
    assert counters.io1_iops(given) == 3000
    assert counters.io2_iops(given) == 0


def test_load_balancers_count_by_type() -> None:
    rows = [{"Type": "application"}, {"Type": "network"}, {"Type": "gateway"}]
    given = of({looks.LOAD_BALANCERS: rows})

    assert counters.application_load_balancers(given) == 1
    assert counters.network_load_balancers(given) == 1


def test_keys_of_aws_itself_do_not_count() -> None:
    keys = [{"KeyId": "mine"}, {"KeyId": "unnamed"}, {"KeyId": "of-aws"}]
    aliases = [
        {"AliasName": "alias/aws/ebs", "TargetKeyId": "of-aws"},
        {"AliasName": "alias/aws/s3"},
        {"AliasName": "alias/mine", "TargetKeyId": "mine"},
    ]
    assert counters.kms_keys(of({looks.KEYS: keys, looks.KEY_ALIASES: aliases})) == 2


def test_no_measurement_of_fargate_is_not_zero_where_there_were_some_before() -> None:
    metric = {looks.FARGATE_METRICS: [{"MetricName": "ResourceCount"}]}
    measured: Lists = {**metric, looks.FARGATE_VCPUS: [{"Values": [4.0, 2.0]}]}
    assert counters.fargate_vcpus(of(measured)) == 4
    with pytest.raises(AwsError, match="no measurement"):
        counters.fargate_vcpus(of({**metric, looks.FARGATE_VCPUS: [{"Values": []}]}))
    assert counters.fargate_vcpus(of({looks.FARGATE_METRICS: []})) == 0


def test_the_fullest_interface_role_cluster_and_vpc_count() -> None:
    interfaces = [
        {"NetworkInterfaceId": "eni-1", "Groups": [{}]},
        {"NetworkInterfaceId": "eni-2", "Groups": [{}, {}]},
        {"NetworkInterfaceId": "eni-3", "Groups": [{}] * 4, "OwnerId": OTHER},
    ]
    given = of({looks.INTERFACES: interfaces})
    assert network.security_groups_per_interface.fullest(given) == "eni-2"
    assert network.security_groups_per_interface(of({looks.INTERFACES: interfaces})) == 2
    roles = [{"Name": "a", "Policies": 3}, {"Name": "b", "Policies": 9}]
    assert counters.managed_policies_per_role(of({looks.ROLES_IN_DETAIL: roles})) == 9
    groups = [{"name": name, "cluster": cluster} for name, cluster in ("ax", "by", "cy")]
    assert counters.nodegroups_per_cluster(of({looks.NODEGROUPS: groups})) == 2
    assert counters.nodegroups_per_cluster(of({looks.NODEGROUPS: []})) == 0
    ranges = [{"CidrBlock": "a"}, {"CidrBlock": "b"}]
    gone = {"CidrBlockState": {"State": "disassociated"}}
    vpcs = [
        {"VpcId": "vpc-1", "CidrBlockAssociationSet": [*ranges, gone]},
        {"VpcId": "vpc-2", "CidrBlockAssociationSet": [ranges[0]]},
    ]
    assert network.ranges_per_vpc(of({looks.VPCS: vpcs})) == 2


def test_a_counter_needs_the_actions_of_the_lists_it_reads() -> None:
    assert network.nat_gateways_per_zone.actions == {
        "ec2:DescribeNatGateways",
        "ec2:DescribeSubnets",
    }
    assert counters.event_rules.actions == {"events:ListEventBuses", "events:ListRules"}
    assert counters.nodegroups_per_cluster.actions == {"eks:ListClusters", "eks:ListNodegroups"}
    assert counters.buckets.actions == {"s3:ListAllMyBuckets"}
    assert counters.target_groups.actions == {"elasticloadbalancing:DescribeTargetGroups"}


def test_many_who_ask_at_once_share_one_fetch() -> None:
    once, fetched, start = Once(), [], threading.Barrier(8)

    def fetch() -> int:
        fetched.append(1)
        return 7

    def ask() -> None:
        start.wait()
        assert once.get("key", fetch) == 7

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1


def test_an_error_is_remembered_for_all_who_ask() -> None:
    once, tries = Once(), []

    def fetch() -> int:
        tries.append(1)
        raise AccessDenied("no", action="ec2:DescribeVpcs")

    for _ in range(3):
        with pytest.raises(AccessDenied):
            once.get("key", fetch)
    assert len(tries) == 1

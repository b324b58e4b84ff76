"""The lists that counting reads, one row each: the call, and where in its answer the rows are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from preflight.aws import Aws
from preflight.errors import AwsError
from preflight.quotas.usage import Look, Rows, Usage


def _where(**values: str) -> list[dict[str, Any]]:
    return [
        {"Name": name.replace("_", "-"), "Values": value.split()} for name, value in values.items()
    ]


INSTANCES = Look(
    "ec2",
    "DescribeInstances",
    "Reservations[].Instances[]",
    {"MaxResults": 1000, "Filters": _where(instance_state_name="pending running")},
)
CAPACITY_RESERVATIONS = Look("ec2", "DescribeCapacityReservations", "CapacityReservations")
SPOT_REQUESTS = Look(
    "ec2",
    "DescribeSpotInstanceRequests",
    "SpotInstanceRequests",
    {"Filters": _where(state="open")},
)


@dataclass(frozen=True, eq=False)
class _TypesInUse(Look):
    """The instance types that anything runs, reserves or asks for, and no others."""

    def read(self, usage: Usage) -> Rows:
        """Ask for 200 types at a time, as many as a filter takes; for none when none is used."""
        types = sorted(_types_in_use(usage))
        rows: Rows = []
        for start in range(0, len(types), 200):
            asked = {"Filters": [{"Name": "instance-type", "Values": types[start : start + 200]}]}
            rows += Look(self.service, self.operation, self.path, asked).read(usage)
        return rows


def _types_in_use(usage: Usage) -> set[str]:
    types: set[str] = set()
    for look in (INSTANCES, CAPACITY_RESERVATIONS, SPOT_REQUESTS):
        try:
            for row in usage.rows(look):
                types.add(row.get("InstanceType") or row["LaunchSpecification"]["InstanceType"])
        except AwsError:
            # Whoever counts those rows gets the error; what could be read is still worth asking.
            continue
    return types


INSTANCE_TYPES = _TypesInUse("ec2", "DescribeInstanceTypes", "InstanceTypes")
LAUNCH_TEMPLATES = Look("ec2", "DescribeLaunchTemplates", "LaunchTemplates")
ADDRESSES = Look("ec2", "DescribeAddresses", "Addresses")
VPCS = Look("ec2", "DescribeVpcs", "Vpcs")
SUBNETS = Look("ec2", "DescribeSubnets", "Subnets")
INTERNET_GATEWAYS = Look("ec2", "DescribeInternetGateways", "InternetGateways")
EGRESS_ONLY_GATEWAYS = Look(
    "ec2", "DescribeEgressOnlyInternetGateways", "EgressOnlyInternetGateways"
)
NAT_GATEWAYS = Look("ec2", "DescribeNatGateways", "NatGateways")
SECURITY_GROUPS = Look("ec2", "DescribeSecurityGroups", "SecurityGroups")
PREFIX_LISTS = Look("ec2", "DescribeManagedPrefixLists", "PrefixLists")
INTERFACES = Look("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces", {"MaxResults": 1000})
ENDPOINTS = Look("ec2", "DescribeVpcEndpoints", "VpcEndpoints")
ROUTE_TABLES = Look("ec2", "DescribeRouteTables", "RouteTables")
VOLUMES = Look("ec2", "DescribeVolumes", "Volumes", {"MaxResults": 500})
SNAPSHOTS = Look(
    "ec2",
    "DescribeSnapshots",
    "Snapshots[].{SnapshotId: SnapshotId, OwnerId: OwnerId}",
    {"OwnerIds": ["self"], "MaxResults": 1000},
    long=True,
)
SCALING_LIMITS = Look("autoscaling", "DescribeAccountLimits", "[@]")
ACCOUNT_SUMMARY = Look("iam", "GetAccountSummary", "[SummaryMap]")
ROLES_IN_DETAIL = Look(
    "iam",
    "GetAccountAuthorizationDetails",
    # Service-linked roles are AWS's own.
    "RoleDetailList[?!starts_with(Path, '/aws-service-role/')]"
    ".{Name: RoleName, Policies: length(AttachedManagedPolicies)}",
    {"Filter": ["Role"], "MaxItems": 1000},
)
OIDC_PROVIDERS = Look("iam", "ListOpenIDConnectProviders", "OpenIDConnectProviderList")
# An account with more than 10,000 buckets is refused a list without pages.
BUCKETS = Look("s3", "ListBuckets", "Buckets[].{Name: Name}", {"MaxBuckets": 1000})
CLUSTERS = Look("eks", "ListClusters", "clusters[].{name: @}")


@dataclass(frozen=True, eq=False, kw_only=True)
class _OfEach(Look):
    """A list that AWS gives for one container at a time, of which `of` lists all."""

    of: Look
    #: The parameter of the call that names the container, and the row's field that will.
    named: str
    container: str

    @property
    def needs(self) -> tuple[Look, ...]:
        """The list of containers before that of what is in them."""
        return (self.of, self)

    def read(self, usage: Usage) -> Rows:
        """Ask for one container after the other; every row says which one it is from."""
        rows: Rows = []
        for container in usage.rows(self.of):
            asked = {**self.parameters, self.named: container["name"]}
            found = Look(self.service, self.operation, self.path, asked).read(usage)
            rows += [{**row, self.container: container["name"]} for row in found]
        return rows


def _of_each_cluster(operation: str, path: str) -> Look:
    return _OfEach("eks", operation, path, of=CLUSTERS, named="clusterName", container="cluster")


NODEGROUPS = _of_each_cluster("ListNodegroups", "nodegroups[].{name: @}")
FARGATE_PROFILES = _of_each_cluster("ListFargateProfiles", "fargateProfileNames[].{name: @}")
CLASSIC_LOAD_BALANCERS = Look("elb", "DescribeLoadBalancers", "LoadBalancerDescriptions")
LOAD_BALANCERS = Look("elbv2", "DescribeLoadBalancers", "LoadBalancers")
TARGET_GROUPS = Look("elbv2", "DescribeTargetGroups", "TargetGroups")
EVENT_BUSES = Look("events", "ListEventBuses", "EventBuses[].{name: Name}")
EVENT_RULES = _OfEach(
    "events",
    "ListRules",
    "Rules[].{name: Name}",
    of=EVENT_BUSES,
    named="EventBusName",
    container="bus",
)
REPOSITORIES = Look("ecr", "DescribeRepositories", "repositories", {"maxResults": 1000}, long=True)
TOPICS = Look("sns", "ListTopics", "Topics", long=True)
LOG_GROUPS = Look("logs", "DescribeLogGroups", "logGroups", {"limit": 50}, long=True)
KEYS = Look("kms", "ListKeys", "Keys", {"Limit": 1000}, long=True)
KEY_ALIASES = Look("kms", "ListAliases", "Aliases", {"Limit": 100})
RESOLVER_ENDPOINTS = Look("route53resolver", "ListResolverEndpoints", "ResolverEndpoints")
RESOLVER_RULES = Look("route53resolver", "ListResolverRules", "ResolverRules")


FARGATE_METRICS = Look(
    "cloudwatch",
    "ListMetrics",
    "Metrics",
    {
        "Namespace": "AWS/Usage",
        "MetricName": "ResourceCount",
        "Dimensions": [{"Name": "Service", "Value": "Fargate"}],
    },
)


@dataclass(frozen=True, eq=False)
class _LastHour(Look):
    """The use that AWS itself measures, of the last hour because the newest minute may lack."""

    def read(self, usage: Usage) -> Rows:
        """Read nothing where there has been no such measurement at all for two weeks.

        CloudWatch lists a metric for two weeks after its last value:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
        """
        return super().read(usage) if usage.rows(FARGATE_METRICS) else []

    def asked(self, aws: Aws, usage: Usage) -> Mapping[str, Any]:
        """Ask for the greatest value of each five minutes."""
        del usage
        now = aws.clock.now()
        return {
            "StartTime": now - timedelta(hours=1),
            "EndTime": now,
            "MetricDataQueries": [self.parameters],
        }


FARGATE_VCPUS = _LastHour(
    "cloudwatch",
    "GetMetricData",
    "MetricDataResults[].{Values: Values}",
    {
        "Id": "fargate",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Usage",
                "MetricName": "ResourceCount",
                "Dimensions": [
                    {"Name": "Service", "Value": "Fargate"},
                    {"Name": "Type", "Value": "Resource"},
                    {"Name": "Resource", "Value": "vCPU"},
                    {"Name": "Class", "Value": "Standard/OnDemand"},
                ],
            },
            "Period": 300,
            "Stat": "Maximum",
        },
    },
)

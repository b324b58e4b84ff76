"""What an account uses: each list read at most once, shared by every counter that needs it.

A `Look` is one call that lists something; `Usage` makes it when a counter first asks. A look that
was denied raises for every counter that needs it, and for no other: nothing is ever "none in use".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from preflight.actions import action_of
from preflight.aws import Aws
from preflight.errors import AccessDenied, AwsError, PreflightError
from preflight.finding import EMPTY

T = TypeVar("T")
Rows = list[dict[str, Any]]

#: How many pages are read of a list that may be very long, unless asked for all.
FIRST_PAGES = 2


class NotCounted(PreflightError):
    """A list was too long to be read to its end; `at_least` is what was seen of it."""

    def __init__(self, at_least: int) -> None:
        super().__init__(f"there are more than {at_least}, and they were not counted to the end")
        self.at_least = at_least


class Remembers(Protocol):
    """Gives the same value for the same key, fetched at most once (`preflight.once.Once`)."""

    def get(self, key: str, fetch: Callable[[], T]) -> T:
        """Fetch under a key at most once."""
        ...


def first_allowed(principals: tuple[Aws, ...], look: Callable[[Aws], T]) -> T:
    """Look as the first principal that may; raises the first one's `AccessDenied` if none may."""
    denied: AccessDenied | None = None
    for aws in principals:
        try:
            return look(aws)
        except AccessDenied as error:
            denied = denied or error
    assert denied is not None, "there is always a first principal"  # noqa: S101
    raise denied


@dataclass(frozen=True, eq=False)
class Look:
    """One list of an account: an operation, and where in its answer the rows are (JMESPath)."""

    service: str
    operation: str
    path: str
    parameters: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    #: May be very long: not read to its end unless `Usage.deep`.
    long: bool = False

    @property
    def action(self) -> str:
        """The IAM action of the call."""
        return action_of(self.service, self.operation)

    @property
    def key(self) -> str:
        """The same for the same list."""
        return f"{self.service}:{self.operation}"

    def read(self, usage: Usage) -> Rows:
        """Read all pages."""
        return first_allowed(usage.principals, lambda aws: self._read_as(aws, usage))

    def _read_as(self, aws: Aws, usage: Usage) -> Rows:
        import jmespath

        expression = jmespath.compile(self.path)
        rows: Rows = []
        pages = aws.pages(self.service, self.operation, **self.asked(aws, usage))
        for number, page in enumerate(pages, 1):
            rows += expression.search(page) or ()
            if self.long and not usage.deep and number > FIRST_PAGES:
                raise NotCounted(len(rows))
        return rows

    def asked(self, aws: Aws, usage: Usage) -> Mapping[str, Any]:
        """Give the parameters of the call."""
        del aws, usage
        return self.parameters


class Usage:
    """What is in use in one account and Region, read as it is needed; safe between threads.

    `also` is another principal of the same account to look as where `aws` is denied: a vendor's
    role seldom may list what the customer's own user may. `deep` reads very long lists to the end.
    """

    def __init__(
        self, aws: Aws, once: Remembers, *, also: Aws | None = None, deep: bool = False
    ) -> None:
        self.principals = (aws,) if also is None or also is aws else (aws, also)
        self.deep = deep
        self._once = once

    @property
    def account(self) -> str:
        """The account's id: what others share with it does not count against its limits."""
        return self.principals[0].identity.account

    def rows(self, look: Look) -> Rows:
        """Give the rows of a list, whoever owns them. Raises `AwsError` and `NotCounted`."""
        where = self.principals[0].region
        return self._once.get(f"usage:{where}:{look.key}", lambda: look.read(self))

    def mine(self, look: Look) -> Rows:
        """Give the rows that this account owns; a row that names no owner is its own."""
        rows = self.rows(look)
        account = self.account
        return [row for row in rows if row.get("OwnerId", account) == account]

    def vcpus(self, instance_type: str) -> float:
        """Give the default vCPUs of an instance type in use."""
        for row in self.rows(INSTANCE_TYPES):
            if row["InstanceType"] == instance_type:
                return float(row["VCpuInfo"]["DefaultVCpus"])
        raise AwsError(
            f"EC2 does not say how many vCPUs {instance_type} has, which is in use",
            service="ec2",
            operation="DescribeInstanceTypes",
        )


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
    "Snapshots[].{OwnerId: OwnerId}",
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
    ".{Policies: length(AttachedManagedPolicies)}",
    {"Filter": ["Role"], "MaxItems": 1000},
)
OIDC_PROVIDERS = Look("iam", "ListOpenIDConnectProviders", "OpenIDConnectProviderList")
# An account with more than 10,000 buckets is refused a list without pages.
BUCKETS = Look("s3", "ListBuckets", "Buckets[].{Name: Name}", {"MaxBuckets": 1000})
CLUSTERS = Look("eks", "ListClusters", "clusters[].{name: @}")


@dataclass(frozen=True, eq=False)
class _OfEachCluster(Look):
    """A list that EKS gives for one cluster at a time; `path` makes rows that name it."""

    def read(self, usage: Usage) -> Rows:
        """Ask for one cluster after the other; the row's `cluster` says whose it is."""
        rows: Rows = []
        for cluster in usage.rows(CLUSTERS):
            asked = {"clusterName": cluster["name"]}
            found = Look(self.service, self.operation, self.path, asked).read(usage)
            rows += [{**row, "cluster": cluster["name"]} for row in found]
        return rows


NODEGROUPS = _OfEachCluster("eks", "ListNodegroups", "nodegroups[].{name: @}")
FARGATE_PROFILES = _OfEachCluster("eks", "ListFargateProfiles", "fargateProfileNames[].{name: @}")
CLASSIC_LOAD_BALANCERS = Look("elb", "DescribeLoadBalancers", "LoadBalancerDescriptions")
LOAD_BALANCERS = Look("elbv2", "DescribeLoadBalancers", "LoadBalancers")
TARGET_GROUPS = Look("elbv2", "DescribeTargetGroups", "TargetGroups")
EVENT_RULES = Look("events", "ListRules", "Rules")
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

"""The quotas Preflight knows, one row each, but for the vCPUs (`preflight.quotas.families`).

Keyed by service and code: codes never change, names and defaults do. The defaults here are for
accounts that may not list their own, and are labelled as such wherever they are used.
https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
"""

from __future__ import annotations

from typing import Any

from preflight.quota import HOME, Quota, Scope
from preflight.quotas import counters as use
from preflight.quotas import network_counters as network
from preflight.quotas.counted import Counted
from preflight.quotas.families import VCPU_QUOTAS, vcpu_quota

__all__ = ["CATALOGUE", "by_key", "vcpu_quota"]


def _row(
    key: str, name: str, default: float | None, counted: Counted | None = None, **more: Any
) -> Quota:
    service, code = key.split("/")
    if counted is not None:
        more |= {"count": counted, "actions": counted.actions}
    return Quota(service=service, code=code, name=name, default=default, **more)


# fmt: off
# A table: one row in as few lines as it takes.

# https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html
AUTO_SCALING_GROUPS = _row(
    "autoscaling/L-CDE20ADC", "Auto Scaling groups per region", 500, use.auto_scaling_groups,
    failure="LimitExceeded",
)
LAUNCH_CONFIGURATIONS = _row(
    "autoscaling/L-6B80B8FA", "Launch configurations per region", 200, use.launch_configurations,
    failure="LimitExceeded",
)
LAUNCH_TEMPLATES = _row("ec2/L-FB451C26", "Launch templates", 5000, use.launch_templates)
ELASTIC_IPS = _row(
    "ec2/L-0263D0A3", "EC2-VPC Elastic IPs", 5, network.elastic_ips, failure="AddressLimitExceeded",
)

# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
VPCS = _row("vpc/L-F678F1CE", "VPCs per Region", 5, network.vpcs, failure="VpcLimitExceeded")
SUBNETS_PER_VPC = _row(
    "vpc/L-407747CB", "Subnets per VPC", 200, network.subnets_per_vpc, scope=Scope.VPC,
    failure="SubnetLimitExceeded",
)
INTERNET_GATEWAYS = _row(
    "vpc/L-A4707A72", "Internet gateways per Region", 5, network.internet_gateways,
    follows=str(VPCS), failure="InternetGatewayLimitExceeded",
)
EGRESS_ONLY_GATEWAYS = _row(
    "vpc/L-45FE3B85", "Egress-only internet gateways per Region", 5, network.egress_only_gateways,
    follows=str(VPCS), failure="GatewayLimitExceeded",
)
RANGES_PER_VPC = _row(
    "vpc/L-83CA0A9D", "IPv4 CIDR blocks per VPC", 5, network.ranges_per_vpc, scope=Scope.VPC,
    maximum=50, failure="CidrLimitExceeded",
)
NAT_GATEWAYS_PER_ZONE = _row(
    "vpc/L-FE5A380F", "NAT gateways per Availability Zone", 5, network.nat_gateways_per_zone,
    scope=Scope.ZONE, failure="NatGatewayLimitExceeded",
)
SECURITY_GROUPS = _row(
    "vpc/L-E79EC296", "VPC security groups per Region", 2500, network.security_groups,
    failure="SecurityGroupLimitExceeded",
)
RULES_PER_SECURITY_GROUP = _row(
    "vpc/L-0EA8095F", "Inbound or outbound rules per security group", 60,
    network.rules_per_security_group, scope=Scope.PARENT,
    failure="RulesPerSecurityGroupLimitExceeded",
)
SECURITY_GROUPS_PER_INTERFACE = _row(
    "vpc/L-2AFB9258", "Security groups per network interface", 5,
    network.security_groups_per_interface, scope=Scope.PARENT, maximum=16,
    failure="SecurityGroupsPerInterfaceLimitExceeded",
)
NETWORK_INTERFACES = _row(
    "vpc/L-DF5E4CA3", "Network interfaces per Region", 5000, network.network_interfaces,
    failure="NetworkInterfaceLimitExceeded",
)
ROUTE_TABLES_PER_VPC = _row(
    "vpc/L-589F43AA", "Route tables per VPC", 200, network.route_tables_per_vpc, scope=Scope.VPC,
    failure="RouteTableLimitExceeded",
)
# Sources disagree on the default, 50 or 500: the lower one errs on the safe side.
ROUTES_PER_TABLE = _row(
    "vpc/L-93826ACB", "Routes per route table", 50, network.routes_per_table, scope=Scope.PARENT,
    maximum=1000, failure="RouteLimitExceeded",
)
GATEWAY_ENDPOINTS = _row(
    "vpc/L-1B52E74A", "Gateway VPC endpoints per Region", 20, network.gateway_endpoints,
    failure="VpcEndpointLimitExceeded",
)
INTERFACE_ENDPOINTS_PER_VPC = _row(
    "vpc/L-29B6F2EB", "Interface VPC endpoints per VPC", 50, network.interface_endpoints_per_vpc,
    scope=Scope.VPC, failure="VpcEndpointLimitExceeded",
)

# Global, yet listed in one Region only.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_IAM: dict[str, Any] = {"scope": Scope.ACCOUNT, "home": HOME, "failure": "LimitExceeded"}
_PER_ROLE: dict[str, Any] = _IAM | {"scope": Scope.PARENT}
ROLES = _row("iam/L-FE177D64", "Roles per account", 1000, use.roles, maximum=10_000, **_IAM)
POLICIES = _row(
    "iam/L-E95E4862", "Customer managed policies per account", 1500, use.policies, maximum=10_000,
    **_IAM,
)
# 10 or 20, by the age of the source: the lower one errs on the safe side.
MANAGED_POLICIES_PER_ROLE = _row(
    "iam/L-0DA4ABF3", "Managed policies per role", 10, use.managed_policies_per_role, maximum=25,
    **_PER_ROLE,
)
INSTANCE_PROFILES = _row(
    "iam/L-6E65F664", "Instance profiles per account", 1000, use.instance_profiles, maximum=10_000,
    **_IAM,
)
OIDC_PROVIDERS = _row(
    "iam/L-858F3967", "OpenId connect providers per account", 100, use.oidc_providers, maximum=700,
    **_IAM,
)
TRUST_POLICY_LENGTH = _row(
    "iam/L-C07B4B0D", "Role trust policy length", 2048, unit="characters", maximum=8192,
    **_PER_ROLE,
)
BUCKETS = _row(
    "s3/L-DC2B2D3D", "General purpose buckets", 10_000, use.buckets, scope=Scope.ACCOUNT, home=HOME,
    failure="TooManyBuckets",
)

# https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
CLUSTERS = _row(
    "eks/L-1194D53C", "Clusters", 100, use.clusters, failure="ResourceLimitExceededException",
)
NODEGROUPS_PER_CLUSTER = _row(
    "eks/L-6D54EA21", "Managed node groups per cluster", 30, use.nodegroups_per_cluster,
    scope=Scope.CLUSTER, deep=True,
    failure="ResourceLimitExceededException",
)
NODES_PER_NODEGROUP = _row(
    "eks/L-BD136A63", "Nodes per managed node group", 450, scope=Scope.PARENT,
    failure="ResourceLimitExceededException",
)
FARGATE_PROFILES_PER_CLUSTER = _row(
    "eks/L-33415657", "Fargate profiles per cluster", 10, use.fargate_profiles_per_cluster,
    scope=Scope.CLUSTER, deep=True, failure="ResourceLimitExceededException",
)
SELECTORS_PER_FARGATE_PROFILE = _row(
    "eks/L-D78D8AF8", "Selectors per Fargate profile", 5, scope=Scope.PARENT,
)
LABELS_PER_FARGATE_SELECTOR = _row(
    "eks/L-23414FF3", "Label pairs per Fargate profile selector", 5, scope=Scope.PARENT,
)
CONTROL_PLANE_SECURITY_GROUPS = _row(
    "eks/L-11427A54", "Control plane security groups per cluster", 4, scope=Scope.CLUSTER,
    adjustable=False,
)
PUBLIC_ACCESS_RANGES = _row(
    "eks/L-93A74D60", "Public endpoint access CIDR ranges per cluster", 40, scope=Scope.CLUSTER,
    adjustable=False,
)
FARGATE_VCPUS = _row(
    "fargate/L-3032A538", "Fargate On-Demand vCPU resource count", 6, use.fargate_vcpus,
    unit="vCPU",
)

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
CLASSIC_LOAD_BALANCERS = _row(
    "elasticloadbalancing/L-E9E9831D", "Classic Load Balancers per Region", 20,
    use.classic_load_balancers, failure="TooManyLoadBalancers",
)
APPLICATION_LOAD_BALANCERS = _row(
    "elasticloadbalancing/L-53DA6B97", "Application Load Balancers per Region", 50,
    use.application_load_balancers, failure="TooManyLoadBalancers",
)
NETWORK_LOAD_BALANCERS = _row(
    "elasticloadbalancing/L-69A177A2", "Network Load Balancers per Region", 50,
    use.network_load_balancers, failure="TooManyLoadBalancers",
)
TARGET_GROUPS = _row(
    "elasticloadbalancing/L-B22855CB", "Target Groups per Region", 3000, use.target_groups,
    failure="TooManyTargetGroups",
)

# https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html
GP3_STORAGE = _row(
    "ebs/L-7A658B76", "Storage for General Purpose SSD (gp3) volumes, in TiB", 50, use.gp3_storage,
    unit="TiB", failure="VolumeLimitExceeded",
)
GP2_STORAGE = _row(
    "ebs/L-D18FCD1D", "Storage for General Purpose SSD (gp2) volumes, in TiB", 50, use.gp2_storage,
    unit="TiB", failure="VolumeLimitExceeded",
)
IO1_STORAGE = _row(
    "ebs/L-FD252861", "Storage for Provisioned IOPS SSD (io1) volumes, in TiB", 50, use.io1_storage,
    unit="TiB", failure="VolumeLimitExceeded",
)
IO2_STORAGE = _row(
    "ebs/L-09BD8365", "Storage for Provisioned IOPS SSD (io2) volumes, in TiB", 20, use.io2_storage,
    unit="TiB", failure="VolumeLimitExceeded",
)
IO1_IOPS = _row(
    "ebs/L-B3A130E6", "IOPS for Provisioned IOPS SSD (io1) volumes", 300_000, use.io1_iops,
    unit="IOPS", failure="MaxIOPSLimitExceeded",
)
IO2_IOPS = _row(
    "ebs/L-8D977E7E", "IOPS for Provisioned IOPS SSD (io2) volumes", 100_000, use.io2_iops,
    unit="IOPS", failure="MaxIOPSLimitExceeded",
)
SNAPSHOTS = _row(
    "ebs/L-309BACF6", "Snapshots per Region", 100_000, use.snapshots, deep=True,
    failure="SnapshotLimitExceeded",
)

# The rest: registry, topics, rules, logs, keys, names.
REPOSITORIES = _row(
    "ecr/L-CFEB8E8D", "Registered repositories", 10_000, use.repositories, deep=True,
    failure="LimitExceededException",
)
TOPICS = _row(
    "sns/L-61103206", "Topics per Account", 100_000, use.topics, deep=True,
    failure="TopicLimitExceeded",
)
# The default is 300, in some Regions 100: the lower one errs on the safe side.
EVENT_RULES = _row(
    "events/L-244521F2", "Number of rules", 100, use.event_rules, scope=Scope.BUS,
    failure="LimitExceededException",
)
LOG_GROUPS = _row(
    "logs/L-C7B9AAAB", "Log groups", 1_000_000, use.log_groups, deep=True,
    failure="LimitExceededException",
)
KMS_KEYS = _row(
    "kms/L-C2F1777E", "Customer Master Keys (CMKs)", 100_000, use.kms_keys, deep=True,
    failure="LimitExceededException",
)
RESOLVER_ENDPOINTS = _row(
    "route53resolver/L-4A669CC0", "Maximum number of resolver endpoints per AWS Region", 4,
    use.resolver_endpoints, failure="LimitExceededException",
)
RESOLVER_RULES = _row(
    "route53resolver/L-51D8A1FB", "Resolver rules per AWS Region", 1000, use.resolver_rules,
    failure="LimitExceededException",
)

CATALOGUE: tuple[Quota, ...] = (
    AUTO_SCALING_GROUPS, LAUNCH_CONFIGURATIONS, LAUNCH_TEMPLATES, ELASTIC_IPS, *VCPU_QUOTAS,
    VPCS, SUBNETS_PER_VPC, INTERNET_GATEWAYS, EGRESS_ONLY_GATEWAYS, RANGES_PER_VPC,
    NAT_GATEWAYS_PER_ZONE, SECURITY_GROUPS,
    RULES_PER_SECURITY_GROUP, SECURITY_GROUPS_PER_INTERFACE, NETWORK_INTERFACES,
    ROUTE_TABLES_PER_VPC, ROUTES_PER_TABLE, GATEWAY_ENDPOINTS, INTERFACE_ENDPOINTS_PER_VPC,
    ROLES, POLICIES, MANAGED_POLICIES_PER_ROLE, INSTANCE_PROFILES, OIDC_PROVIDERS,
    TRUST_POLICY_LENGTH, BUCKETS, CLUSTERS, NODEGROUPS_PER_CLUSTER, NODES_PER_NODEGROUP,
    FARGATE_PROFILES_PER_CLUSTER, SELECTORS_PER_FARGATE_PROFILE, LABELS_PER_FARGATE_SELECTOR,
    CONTROL_PLANE_SECURITY_GROUPS, PUBLIC_ACCESS_RANGES, FARGATE_VCPUS, CLASSIC_LOAD_BALANCERS,
    APPLICATION_LOAD_BALANCERS, NETWORK_LOAD_BALANCERS, TARGET_GROUPS, GP3_STORAGE, GP2_STORAGE,
    IO1_STORAGE, IO2_STORAGE, IO1_IOPS, IO2_IOPS, SNAPSHOTS, REPOSITORIES, TOPICS, EVENT_RULES,
    LOG_GROUPS, KMS_KEYS, RESOLVER_ENDPOINTS, RESOLVER_RULES,
)

# fmt: on
_BY_KEY = {(quota.service, quota.code): quota for quota in CATALOGUE}


def by_key(service: str, code: str) -> Quota | None:
    """Find a row by the codes of Service Quotas; None when Preflight does not know it."""
    return _BY_KEY.get((service, code))

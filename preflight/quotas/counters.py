"""How the other quotas are counted: AWS's own rules, each over lists that `Usage` has read."""

from __future__ import annotations

from preflight.errors import AwsError
from preflight.quotas import looks
from preflight.quotas.counted import Counted, Shares, number, own_in, own_of, reads, rows_of, shared
from preflight.quotas.usage import Usage

auto_scaling_groups = number(looks.SCALING_LIMITS, "NumberOfAutoScalingGroups")
launch_configurations = number(looks.SCALING_LIMITS, "NumberOfLaunchConfigurations")
launch_templates = rows_of(looks.LAUNCH_TEMPLATES)
roles = number(looks.ACCOUNT_SUMMARY, "Roles")
policies = number(looks.ACCOUNT_SUMMARY, "Policies")
instance_profiles = number(looks.ACCOUNT_SUMMARY, "InstanceProfiles")
oidc_providers = rows_of(looks.OIDC_PROVIDERS)
buckets = rows_of(looks.BUCKETS)
clusters = rows_of(looks.CLUSTERS)
nodegroups_per_cluster = own_in(looks.NODEGROUPS, "cluster")
fargate_profiles_per_cluster = own_in(looks.FARGATE_PROFILES, "cluster")
classic_load_balancers = rows_of(looks.CLASSIC_LOAD_BALANCERS)
target_groups = rows_of(looks.TARGET_GROUPS)
snapshots = own_of(looks.SNAPSHOTS)
repositories = rows_of(looks.REPOSITORIES)
topics = rows_of(looks.TOPICS)
log_groups = rows_of(looks.LOG_GROUPS)
event_rules = own_in(looks.EVENT_RULES, "bus")
resolver_endpoints = rows_of(looks.RESOLVER_ENDPOINTS)
#: The account's own: not those of AWS, nor those shared with it.
resolver_rules = own_of(looks.RESOLVER_RULES)


@shared(looks.ROLES_IN_DETAIL)
def managed_policies_per_role(usage: Usage) -> Shares:
    """Count the managed policies attached to each role."""
    return {role["Name"]: role["Policies"] for role in usage.rows(looks.ROLES_IN_DETAIL)}


def _load_balancers(type: str) -> Counted:
    def count(usage: Usage) -> float:
        return float(sum(row.get("Type") == type for row in usage.rows(looks.LOAD_BALANCERS)))

    return reads(looks.LOAD_BALANCERS)(count)


application_load_balancers = _load_balancers("application")
network_load_balancers = _load_balancers("network")


def _volumes(type: str, key: str, unit: float) -> Counted:
    def count(usage: Usage) -> float:
        volumes = [row for row in usage.rows(looks.VOLUMES) if row.get("VolumeType") == type]
        return sum((row.get(key, 0) for row in volumes), 0.0) / unit

    return reads(looks.VOLUMES)(count)


#: Volumes are sized in GiB, and limited in TiB.
_GIB_PER_TIB = 1024
gp3_storage = _volumes("gp3", "Size", _GIB_PER_TIB)
gp2_storage = _volumes("gp2", "Size", _GIB_PER_TIB)
io1_storage = _volumes("io1", "Size", _GIB_PER_TIB)
io2_storage = _volumes("io2", "Size", _GIB_PER_TIB)
io1_iops = _volumes("io1", "Iops", 1)
io2_iops = _volumes("io2", "Iops", 1)


@reads(looks.KEYS, looks.KEY_ALIASES)
def kms_keys(usage: Usage) -> float:
    """Count customer managed keys in any state: all but those that an `alias/aws/` names.

    https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
    """
    managed = {
        alias.get("TargetKeyId")
        for alias in usage.rows(looks.KEY_ALIASES)
        if alias["AliasName"].startswith("alias/aws/")
    }
    return float(sum(key["KeyId"] not in managed for key in usage.rows(looks.KEYS)))


@reads(looks.FARGATE_METRICS, looks.FARGATE_VCPUS)
def fargate_vcpus(usage: Usage) -> float:
    """Take AWS's own measurement, and none in use where nothing was measured for two weeks.

    Raises `AwsError` when there was a measurement before the last hour: its lack is not zero.
    """
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

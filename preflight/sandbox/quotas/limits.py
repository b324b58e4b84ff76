"""The calls by which services tell their own limits, in agreement with Service Quotas."""

from __future__ import annotations

from typing import Any

from preflight.sandbox.quotas.book import QuotaBook
from preflight.sandbox.request import Request, Response

# Limits that the API shows and Service Quotas counts under these codes.
CLASSIC = {"classic-load-balancers": "L-E9E9831D"}
SECOND = {
    "application-load-balancers": "L-53DA6B97",
    "network-load-balancers": "L-69A177A2",
    "target-groups": "L-B22855CB",
}
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
CLASSIC_FIXED = {"classic-listeners": 100, "classic-registered-instances": 1000}
SECOND_FIXED = {"listeners-per-application-load-balancer": 50, "targets-per-target-group": 1000}
SUMMARY = {
    "AssumeRolePolicySizeQuota": "L-C07B4B0D",
    "AttachedPoliciesPerRoleQuota": "L-0DA4ABF3",
    "InstanceProfilesQuota": "L-6E65F664",
    "PoliciesQuota": "L-E95E4862",
    "RolesQuota": "L-FE177D64",
}


def _limit(request: Request, service: str, code: str) -> int:
    return int(request.world.part(QuotaBook).limit(service, code, request.region))


def describe_auto_scaling_limits(request: Request) -> dict[str, Any]:
    """Auto Scaling DescribeAccountLimits: limit and use at once."""
    backend = request.world.backend("autoscaling", request.region)
    return {
        "MaxNumberOfAutoScalingGroups": _limit(request, "autoscaling", "L-CDE20ADC"),
        "MaxNumberOfLaunchConfigurations": _limit(request, "autoscaling", "L-6B80B8FA"),
        "NumberOfAutoScalingGroups": len(backend.autoscaling_groups),
        "NumberOfLaunchConfigurations": len(backend.launch_configurations),
    }


def describe_load_balancing_limits(request: Request) -> dict[str, Any]:
    """Load balancing DescribeAccountLimits, of the classic and of the second client."""
    is_classic = request.service == "elb"
    codes, fixed = (CLASSIC, CLASSIC_FIXED) if is_classic else (SECOND, SECOND_FIXED)
    limits = {name: _limit(request, "elasticloadbalancing", code) for name, code in codes.items()}
    rows = [{"Name": n, "Max": str(m)} for n, m in sorted((limits | fixed).items())]
    size = int(request.parameters.get("PageSize") or 400)
    start = int(request.parameters.get("Marker") or 0)
    answer: dict[str, Any] = {"Limits": rows[start : start + size]}
    if start + size < len(rows):
        answer["NextMarker"] = str(start + size)
    return answer


def show_quotas_in_summary(request: Request, response: Response) -> dict[str, Any]:
    """IAM GetAccountSummary: the quotas of this account, not moto's."""
    summary = response.result["SummaryMap"]
    for name, code in SUMMARY.items():
        summary[name] = _limit(request, "iam", code)
    return response.result


OPERATIONS = {
    ("autoscaling", "DescribeAccountLimits"): describe_auto_scaling_limits,
    ("elb", "DescribeAccountLimits"): describe_load_balancing_limits,
    ("elbv2", "DescribeAccountLimits"): describe_load_balancing_limits,
}
EFFECTS = {("iam", "GetAccountSummary"): show_quotas_in_summary}

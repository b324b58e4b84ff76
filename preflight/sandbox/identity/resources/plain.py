"""The AWS services of which one rule tells the resource.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from preflight.sandbox.identity.resources.arn import ANY, Arns, arn
from preflight.sandbox.request import Request

_RESOLVER = {
    "ResolverEndpointId": "resolver-endpoint",
    "ResolverQueryLogConfigId": "resolver-query-log-config",
    "ResolverRuleId": "resolver-rule",
}
#: Looks at query logging without a resource type.
_ALL_LOGS = frozenset(
    """
    GetResolverQueryLogConfigAssociation ListResolverQueryLogConfigAssociations
    ListResolverQueryLogConfigs
    """.split()
)
#: Operations of KMS without a resource type.
_ALL_KEYS = ("CreateKey", "ListAliases", "ListKeys", "GenerateRandom")


def nothing(_: Request) -> Arns:
    """For services none of whose operations has a resource type."""
    return [ANY]


def account(request: Request) -> Arns:
    """Name the account itself: the sandbox has no other."""
    return [arn(request, "account", "account", region="")]


def cloudwatch(request: Request) -> Arns:
    """Tell the looks at metrics, which have no resource type; of the others nothing is known."""
    metrics = request.operation.startswith(("GetMetricData", "GetMetricStatistics", "ListMetrics"))
    return [ANY if metrics else None]


def organizations(request: Request) -> Arns:
    """Tell the look at the organization, which has no resource type; of the others nothing."""
    return [ANY if request.operation == "DescribeOrganization" else None]


def guardduty(request: Request) -> Arns:
    """Name the detector, where the operation has one."""
    given = request.parameters
    if given.get("ResourceArn"):
        return [str(given["ResourceArn"])]
    if request.operation in {"CreateDetector", "ListDetectors"}:
        return [ANY]
    if request.operation not in {"DeleteDetector", "GetDetector", "UpdateDetector"}:
        return [None]
    return [arn(request, "guardduty", f"detector/{given.get('DetectorId')}")]


def kms(request: Request) -> Arns:
    """Name the key; an alias is judged on itself and on the key behind it."""
    given = request.parameters
    if request.operation in _ALL_KEYS:
        return [ANY]
    alias = given.get("AliasName")
    if alias:
        target = given.get("TargetKeyId")
        keys = [_key(request, str(target))] if target else []
        if request.operation != "CreateAlias":
            keys.append(_key(request, str(alias)))
        return [arn(request, "kms", str(alias)), *keys]
    named = given.get("KeyId")
    return [_key(request, str(named)) if named else None]


def _key(request: Request, named: str) -> str | None:
    """Write the ARN of a key named by id, ARN or alias; None for an alias of no key."""
    if ":key/" in named:
        return named
    alias = named.rpartition(":")[2]
    if not alias.startswith("alias/"):
        return arn(request, "kms", f"key/{named}")
    with request.world.lock:
        keys = request.world.backend("kms", request.region).keys
        key = next((id for id, one in keys.items() if alias in one.aliases), None)
    return arn(request, "kms", f"key/{key}") if key else None


def quotas(request: Request) -> Arns:
    """Name the quota that is asked about; lists, and AWS's defaults, have no resource type."""
    given = request.parameters
    service, code = given.get("ServiceCode"), given.get("QuotaCode")
    if not code or request.operation == "GetAWSDefaultServiceQuota":
        return [ANY]
    return [arn(request, "servicequotas", f"{service}/{code}")]


def resolver(request: Request) -> Arns:
    """Name what the id in the request belongs to."""
    given, operation = request.parameters, request.operation
    if given.get("ResourceArn"):
        return [str(given["ResourceArn"])]
    if operation in _ALL_LOGS:
        return [ANY]
    if operation == "CreateResolverQueryLogConfig":
        return [arn(request, "route53resolver", "resolver-query-log-config/*")]
    for member, kind in _RESOLVER.items():
        if given.get(member):
            return [arn(request, "route53resolver", f"{kind}/{given[member]}")]
    return [None]


def ssm(request: Request) -> Arns:
    """Name the parameters."""
    given = request.parameters
    if request.operation == "DescribeParameters":
        return [ANY]
    if "Parameter" not in request.operation:
        return [None]
    names = given.get("Names") or [given.get("Name") or given.get("Path")]
    return [
        arn(request, "ssm", f"parameter/{str(name).strip('/')}") if name else None for name in names
    ]


def sts(request: Request) -> Arns:
    """Name the role that is to be assumed, or the user that is to be made up."""
    given = request.parameters
    if given.get("RoleArn"):
        return [str(given["RoleArn"])]
    if request.operation == "GetFederationToken":
        return [arn(request, "sts", f"federated-user/{given.get('Name')}", region="")]
    return [ANY]

"""The ARN of what a request acts on, where the request says it plainly; else None.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from preflight.sandbox.identity.iam import service_linked_role_name
from preflight.sandbox.request import Request

#: For actions without a resource type: policies have to say `"Resource": "*"`.
ANY = "*"

# EC2 operation -> member of the input that holds the id (empty for creations, which AWS judges on
# `type/*`) and resource type.
EC2 = {
    "AllocateAddress": ("", "elastic-ip"),
    "AssociateRouteTable": ("RouteTableId", "route-table"),
    "AttachInternetGateway": ("InternetGatewayId", "internet-gateway"),
    "AuthorizeSecurityGroupEgress": ("GroupId", "security-group"),
    "AuthorizeSecurityGroupIngress": ("GroupId", "security-group"),
    "CreateInternetGateway": ("", "internet-gateway"),
    "CreateLaunchTemplate": ("", "launch-template"),
    "CreateLaunchTemplateVersion": ("LaunchTemplateId", "launch-template"),
    "CreateNatGateway": ("", "natgateway"),
    "CreateRoute": ("RouteTableId", "route-table"),
    "CreateRouteTable": ("", "route-table"),
    "CreateSecurityGroup": ("", "security-group"),
    "CreateSubnet": ("", "subnet"),
    "CreateVpc": ("", "vpc"),
    "CreateVpcEndpoint": ("", "vpc-endpoint"),
    "DeleteInternetGateway": ("InternetGatewayId", "internet-gateway"),
    "DeleteLaunchTemplate": ("LaunchTemplateId", "launch-template"),
    "DeleteNatGateway": ("NatGatewayId", "natgateway"),
    "DeleteNetworkInterface": ("NetworkInterfaceId", "network-interface"),
    "DeleteRoute": ("RouteTableId", "route-table"),
    "DeleteRouteTable": ("RouteTableId", "route-table"),
    "DeleteSecurityGroup": ("GroupId", "security-group"),
    "DeleteSnapshot": ("SnapshotId", "snapshot"),
    "DeleteSubnet": ("SubnetId", "subnet"),
    "DeleteVolume": ("VolumeId", "volume"),
    "DeleteVpc": ("VpcId", "vpc"),
    "DetachInternetGateway": ("InternetGatewayId", "internet-gateway"),
    "ModifySubnetAttribute": ("SubnetId", "subnet"),
    "ModifyVpcAttribute": ("VpcId", "vpc"),
    "ReleaseAddress": ("AllocationId", "elastic-ip"),
    "ReplaceRoute": ("RouteTableId", "route-table"),
    "RevokeSecurityGroupEgress": ("GroupId", "security-group"),
    "RevokeSecurityGroupIngress": ("GroupId", "security-group"),
}


def arn(request: Request, service: str, tail: str, *, region: str | None = None) -> str:
    """Write an ARN in the account and Region of the request."""
    place = request.region if region is None else region
    return f"arn:{partition(request.region)}:{service}:{place}:{request.account}:{tail}"


def partition(region: str) -> str:
    """Tell the partition from the name of a Region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def resource_of(request: Request) -> str | None:
    """Name the resource of the request's main action; `*` when the action has no resource type."""
    rule = _RULES.get(request.service)
    return rule(request) if rule else None


def tagged_resources(request: Request) -> Iterator[str | None]:
    """Name what an EC2 operation tags as it creates it."""
    for spec in request.parameters.get("TagSpecifications") or ():
        kind = spec.get("ResourceType")
        yield arn(request, "ec2", f"{kind}/*") if kind else None


def created_resource(request: Request, main: str | None) -> str | None:
    """Name what a creation tags, where that is not what the creation itself is judged on."""
    given = request.parameters
    if request.service == "eks":
        for member, kind in _EKS_PARTS.items():
            if given.get(member):
                return arn(request, "eks", f"{kind}/{given['clusterName']}/{given[member]}/*")
        return main if request.operation == "CreateCluster" else None
    if request.service == "logs" and main:
        return main.removesuffix(":*")
    if request.service == "kms":
        return arn(request, "kms", "key/*")
    return main


def iam_arn(request: Request, kind: str, name: str) -> str:
    """Name a user, role, group or instance profile with its path, which only IAM's state knows."""
    return arn(request, "iam", f"{kind}{_path(request, kind, name)}{name}", region="")


def _path(request: Request, kind: str, name: str) -> str:
    given = request.parameters.get("Path")
    if given and request.operation.startswith("Create"):
        return str(given)
    with request.world.lock:
        backend = request.world.backend("iam", "aws")
        tables = {
            "group": backend.groups,
            "instance-profile": backend.instance_profiles,
            "role": backend.roles,
            "user": backend.users,
        }
        found = (one.path for one in tables[kind].values() if one.name == name)
        return str(next(found, "/"))


def _ec2(request: Request) -> str | None:
    if request.operation.startswith("Describe"):
        return ANY
    member, kind = EC2.get(request.operation, ("", ""))
    if not kind:
        return None
    if not member:
        return arn(request, "ec2", f"{kind}/*")
    identity = request.parameters.get(member)
    return arn(request, "ec2", f"{kind}/{identity}") if identity else None


_IAM_KINDS = {
    "InstanceProfileName": "instance-profile",
    "RoleName": "role",
    "UserName": "user",
    "GroupName": "group",
}


def _iam(request: Request) -> str | None:
    given = request.parameters
    if not request.operation.startswith(("Attach", "Detach")):
        for member in ("PolicySourceArn", "PolicyArn", "OpenIDConnectProviderArn"):
            if given.get(member):
                return str(given[member])
    for member, kind in _IAM_KINDS.items():
        if given.get(member):
            return iam_arn(request, kind, str(given[member]))
    return _iam_new(request) or (
        ANY if request.operation.startswith(("List", "Get", "Simulate")) else None
    )


def _iam_new(request: Request) -> str | None:
    """Name what is about to be made, and the user who asks for himself."""
    given = request.parameters
    tail = ""
    if request.operation == "CreatePolicy":
        tail = f"policy{given.get('Path') or '/'}{given['PolicyName']}"
    elif request.operation == "CreateOpenIDConnectProvider":
        tail = "oidc-provider/" + str(given.get("Url", "")).removeprefix("https://")
    elif request.operation == "CreateServiceLinkedRole":
        service = str(given.get("AWSServiceName", ""))
        name = service_linked_role_name(service, str(given.get("CustomSuffix") or ""))
        tail = f"role/aws-service-role/{service}/{name or '*'}"
    elif request.operation == "GetUser" and request.principal and request.principal.kind == "user":
        return request.principal.arn
    return arn(request, "iam", tail, region="") if tail else None


_EKS_PARTS = {
    "nodegroupName": "nodegroup",
    "addonName": "addon",
    "fargateProfileName": "fargateprofile",
}


def _eks(request: Request) -> str | None:
    given = request.parameters
    if given.get("resourceArn"):
        return str(given["resourceArn"])
    cluster = given.get("clusterName") or given.get("name")
    if not cluster:
        return ANY
    if not request.operation.startswith(("Create", "List")):
        for member, kind in _EKS_PARTS.items():
            if given.get(member):
                return arn(request, "eks", f"{kind}/{cluster}/{given[member]}/*")
        if given.get("principalArn") or given.get("associationId"):
            return None
    return arn(request, "eks", f"cluster/{cluster}")


def _s3(request: Request) -> str | None:
    bucket, key = request.parameters.get("Bucket"), request.parameters.get("Key")
    if not bucket:
        return ANY
    base = f"arn:{partition(request.region)}:s3:::{bucket}"
    if request.operation == "DeleteObjects":
        return f"{base}/*"
    return f"{base}/{key}" if key else base


def _sqs(request: Request) -> str | None:
    given = request.parameters
    name = given.get("QueueName") or str(given.get("QueueUrl") or "").rpartition("/")[2]
    return arn(request, "sqs", str(name)) if name else ANY


def _sns(request: Request) -> str | None:
    given = request.parameters
    if given.get("TopicArn") or given.get("ResourceArn"):
        return str(given.get("TopicArn") or given["ResourceArn"])
    if given.get("SubscriptionArn"):
        return str(given["SubscriptionArn"]).rpartition(":")[0]
    return arn(request, "sns", str(given.get("Name") or "*"))


def _events(request: Request) -> str | None:
    given = request.parameters
    if given.get("ResourceARN"):
        return str(given["ResourceARN"])
    if request.operation == "ListRules":
        return arn(request, "events", "rule/*")
    name, bus = given.get("Rule") or given.get("Name"), given.get("EventBusName") or "default"
    if not name or "Rule" not in request.operation + "".join(given):
        return None
    own = "" if bus == "default" else f"{str(bus).rpartition('/')[2]}/"
    return arn(request, "events", f"rule/{own}{name}")


def _logs(request: Request) -> str | None:
    """Name log groups with the trailing `:*` that all but the tagging actions have."""
    given = request.parameters
    if given.get("resourceArn"):
        return str(given["resourceArn"])
    name = given.get("logGroupName")
    return arn(request, "logs", f"log-group:{name}:*") if name else None


def _kms(request: Request) -> str | None:
    key = str(request.parameters.get("KeyId") or "")
    if request.parameters.get("AliasName"):
        return arn(request, "kms", str(request.parameters["AliasName"]))
    if key.startswith("arn:"):
        return key
    if key and not key.startswith("alias/"):
        return arn(request, "kms", f"key/{key}")
    return None if key else ANY


def _ecr(request: Request) -> str | None:
    name = request.parameters.get("repositoryName")
    if name:
        return arn(request, "ecr", f"repository/{name}")
    return ANY if request.operation == "GetAuthorizationToken" else None


def _ssm(request: Request) -> str | None:
    name = request.parameters.get("Name")
    return arn(request, "ssm", f"parameter/{str(name).lstrip('/')}") if name else None


def _sts(request: Request) -> str | None:
    given = request.parameters
    return str(given["RoleArn"]) if given.get("RoleArn") else ANY


def _quotas(request: Request) -> str | None:
    given = request.parameters
    if request.operation != "RequestServiceQuotaIncrease":
        return ANY
    return arn(request, "servicequotas", f"{given.get('ServiceCode')}/{given.get('QuotaCode')}")


def _overview_only(request: Request) -> str | None:
    return ANY if request.operation.startswith(("Describe", "List")) else None


def _none(_: Request) -> str | None:
    return ANY


_RULES: dict[str, Callable[[Request], Any]] = {
    "autoscaling": _overview_only,
    "cloudwatch": _overview_only,
    "ec2": _ec2,
    "ecr": _ecr,
    "eks": _eks,
    "elb": _overview_only,
    "elbv2": _overview_only,
    "events": _events,
    "iam": _iam,
    "kms": _kms,
    "logs": _logs,
    "pricing": _none,
    "resourcegroupstaggingapi": _none,
    "s3": _s3,
    "service-quotas": _quotas,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "sts": _sts,
}

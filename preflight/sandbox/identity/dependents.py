"""What AWS's services do in the name of the caller, who has to be allowed it too.

https://docs.aws.amazon.com/eks/latest/userguide/security-iam-id-based-policies.html
https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from preflight.sandbox.eks.state import Eks
from preflight.sandbox.identity.requirement import Requirement
from preflight.sandbox.identity.resources import ANY, arn
from preflight.sandbox.identity.resources.ec2 import by_id, ec2_arn, of_instances
from preflight.sandbox.identity.service_linked import service_linked_role_name
from preflight.sandbox.request import Request


def dependents(request: Request) -> Iterator[Requirement]:
    """Give the questions that follow from what the service does for the caller."""
    rule = _RULES.get((request.service, request.operation))
    for one in rule(request) if rule is not None else ():
        yield replace(one, through=_PRINCIPALS.get(request.service, ""))


def _cluster(request: Request) -> Iterator[Requirement]:
    given = request.parameters
    yield Requirement(action="iam:GetRole", resource=str(given.get("roleArn")))
    yield from _looks("ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:DescribeSecurityGroups")
    yield from _linked_role(request, "eks.amazonaws.com")
    for entry in given.get("encryptionConfig") or ():
        key = entry.get("provider", {}).get("keyArn")
        for action in ("kms:DescribeKey", "kms:CreateGrant") if key else ():
            yield Requirement(action=action, resource=str(key), unknown=("kms:*",))


def _nodegroup(request: Request) -> Iterator[Requirement]:
    given = request.parameters
    for action in ("iam:GetRole", "iam:ListAttachedRolePolicies"):
        yield Requirement(action=action, resource=str(given.get("nodeRole")))
    yield from _looks("ec2:DescribeSubnets")
    yield from _linked_role(request, "eks-nodegroup.amazonaws.com")
    if given.get("capacityType") == "SPOT":
        yield from _linked_role(request, "spot.amazonaws.com")
    if given.get("launchTemplate"):
        yield from _looks("ec2:DescribeLaunchTemplateVersions")
        yield from _instances(request)


def _instances(request: Request) -> Iterator[Requirement]:
    """Ask for what EKS starts by the launch template, in the subnets of the node group."""
    template = request.parameters["launchTemplate"]
    given = {
        "LaunchTemplate": {
            "LaunchTemplateId": template.get("id"),
            "LaunchTemplateName": template.get("name"),
            "Version": template.get("version"),
        },
    }
    on = [*of_instances(request, given), *by_id(request, request.parameters.get("subnets"))]
    if not any(":security-group/" in str(one) for one in on):
        on += by_id(request, _cluster_group(request))
    for resource in dict.fromkeys(on):
        yield Requirement(action="ec2:RunInstances", resource=resource, unknown=("ec2:*",))
    yield Requirement(
        action="ec2:CreateTags",
        resource=ec2_arn(request, "instance", "*"),
        context={"ec2:CreateAction": "RunInstances"},
        unknown=("aws:RequestTag/*", "aws:TagKeys"),
    )


def _cluster_group(request: Request) -> str:
    """Name the security group that nodes get where their launch template names none."""
    with request.world.lock:
        known = request.world.part(Eks).clusters
        cluster = known.get((request.region, str(request.parameters.get("clusterName"))))
        return cluster.group_id if cluster else ""


def _detector(request: Request) -> Iterator[Requirement]:
    yield from _linked_role(request, "guardduty.amazonaws.com", looks=False)


def _endpoint(request: Request) -> Iterator[Requirement]:
    if request.parameters.get("VpcEndpointType") == "Interface":
        yield Requirement(
            action="route53:AssociateVPCWithHostedZone",
            resource="arn:aws:route53:::hostedzone/*",
            unknown=("route53:*",),
        )


def _query_log(request: Request) -> Iterator[Requirement]:
    if ":logs:" in str(request.parameters.get("DestinationArn")):
        yield from _looks(
            "logs:CreateLogDelivery", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"
        )
        every = arn(request, "logs", "log-group:*")
        yield Requirement(action="logs:DescribeLogGroups", resource=every)


def _query_log_end(_: Request) -> Iterator[Requirement]:
    yield from _looks("logs:DeleteLogDelivery")


def _looks(*actions: str) -> Iterator[Requirement]:
    """Ask for actions that have no resource type."""
    for action in actions:
        yield Requirement(action=action, resource=ANY)


def _linked_role(request: Request, service: str, *, looks: bool = True) -> Iterator[Requirement]:
    """Ask for the look at the service-linked role, and for its creation where it is not there."""
    name = service_linked_role_name(service, "")
    role = arn(request, "iam", f"role/aws-service-role/{service}/{name}", region="")
    if looks:
        yield Requirement(action="iam:GetRole", resource=role)
    with request.world.lock:
        there = any(one.arn == role for one in request.world.backend("iam", "aws").roles.values())
    if not there:
        yield Requirement(
            action="iam:CreateServiceLinkedRole",
            resource=role,
            context={"iam:AWSServiceName": service},
        )


#: As whom a service acts, for `aws:CalledVia` and `iam:PassedToService`.
_PRINCIPALS = {
    "ec2": "ec2.amazonaws.com",
    "eks": "eks.amazonaws.com",
    "guardduty": "guardduty.amazonaws.com",
    "route53resolver": "route53resolver.amazonaws.com",
}
_RULES: dict[tuple[str, str], Callable[[Request], Iterator[Requirement]]] = {
    ("ec2", "CreateVpcEndpoint"): _endpoint,
    ("eks", "CreateCluster"): _cluster,
    ("eks", "CreateNodegroup"): _nodegroup,
    ("guardduty", "CreateDetector"): _detector,
    ("route53resolver", "CreateResolverQueryLogConfig"): _query_log,
    ("route53resolver", "DeleteResolverQueryLogConfig"): _query_log_end,
}

"""What a request needs to be allowed: its IAM actions, on which resources, with which keys.

One operation can need several actions: a tag given on creation, a role passed on, and what
dependents.py adds; and an action is judged on every resource that it takes. The names of single
actions are in preflight/sandbox/names.py, resources in preflight/sandbox/identity/resources/.

Where the sandbox cannot tell an ARN, statements with any resource pattern of that AWS service are
taken to match if they allow, and only patterns that cover everything if they deny: it is lenient
there, never stricter than AWS.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from preflight.sandbox.identity.dependents import dependents
from preflight.sandbox.identity.keys import (
    input_keys,
    request_tags,
    tag_keys,
    taken_keys,
    values_at,
)
from preflight.sandbox.identity.requirement import Requirement
from preflight.sandbox.identity.resources import Arns, arn, resources_of
from preflight.sandbox.identity.resources.ec2 import ec2_arn, tagged_type
from preflight.sandbox.identity.resources.eks import PARTS, part_arn
from preflight.sandbox.identity.resources.iam import iam_arn
from preflight.sandbox.request import Request

# Allowed to everyone whose credentials are valid, whatever policies say.
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")})

# Operation that takes tags -> the action that is needed besides, when there are any.
TAGGING = {
    ("autoscaling", "CreateAutoScalingGroup"): "autoscaling:CreateOrUpdateTags",
    ("ecr", "CreateRepository"): "ecr:TagResource",
    ("eks", "CreateAccessEntry"): "eks:TagResource",
    ("eks", "CreateAddon"): "eks:TagResource",
    ("eks", "CreateCluster"): "eks:TagResource",
    ("eks", "CreateFargateProfile"): "eks:TagResource",
    ("eks", "CreateNodegroup"): "eks:TagResource",
    ("eks", "CreatePodIdentityAssociation"): "eks:TagResource",
    ("elb", "CreateLoadBalancer"): "elasticloadbalancing:AddTags",
    ("elbv2", "CreateLoadBalancer"): "elasticloadbalancing:AddTags",
    ("elbv2", "CreateTargetGroup"): "elasticloadbalancing:AddTags",
    ("events", "PutRule"): "events:TagResource",
    ("guardduty", "CreateDetector"): "guardduty:TagResource",
    ("iam", "CreateInstanceProfile"): "iam:TagInstanceProfile",
    ("iam", "CreateOpenIDConnectProvider"): "iam:TagOpenIDConnectProvider",
    ("iam", "CreatePolicy"): "iam:TagPolicy",
    ("iam", "CreateRole"): "iam:TagRole",
    ("iam", "CreateUser"): "iam:TagUser",
    ("kms", "CreateKey"): "kms:TagResource",
    ("logs", "CreateLogGroup"): "logs:TagResource",
    ("route53resolver", "CreateResolverQueryLogConfig"): "route53resolver:TagResource",
    ("s3", "CreateBucket"): "s3:TagResource",
    ("sns", "CreateTopic"): "sns:TagResource",
    ("sqs", "CreateQueue"): "sqs:TagQueue",
    ("sts", "AssumeRole"): "sts:TagSession",
}

# Operation -> where role ARNs stand in its input (keys in a row, lists gone through), and the
# service that the role is passed to; None where AWS does not document it.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
PASSED_ROLES: dict[tuple[str, str], tuple[tuple[tuple[str, ...], str | None], ...]] = {
    ("ec2", "CreateFlowLogs"): ((("DeliverLogsPermissionArn",), "vpc-flow-logs.amazonaws.com"),),
    ("eks", "CreateAddon"): (
        (("serviceAccountRoleArn",), "eks.amazonaws.com"),
        (("podIdentityAssociations", "roleArn"), None),
    ),
    ("eks", "CreateCluster"): ((("roleArn",), "eks.amazonaws.com"),),
    ("eks", "CreateFargateProfile"): ((("podExecutionRoleArn",), None),),
    ("eks", "CreateNodegroup"): ((("nodeRole",), "eks.amazonaws.com"),),
    ("eks", "CreatePodIdentityAssociation"): ((("roleArn",), None),),
    ("eks", "UpdateAddon"): ((("serviceAccountRoleArn",), "eks.amazonaws.com"),),
    ("events", "PutRule"): ((("RoleArn",), "events.amazonaws.com"),),
    ("events", "PutTargets"): ((("Targets", "RoleArn"), "events.amazonaws.com"),),
    ("iam", "AddRoleToInstanceProfile"): ((("RoleName",), None),),
}


def requirements(request: Request) -> Iterator[Requirement]:
    """Give every question to ask before the request may be carried out, the main ones first."""
    key = (request.service, request.operation)
    if key in FREE:
        return
    tags = request_tags(request)
    context, unknown = input_keys(request) | taken_keys(request), _own_keys(request)
    mains = resources_of(request)
    for resource in mains:
        tagged = request.service != "ec2" or tagged_type(request, resource)
        keys = context | tag_keys(tags) if tagged else context
        yield Requirement(action=request.action, resource=resource, context=keys, unknown=unknown)
    if key == ("s3", "DeleteObjects"):
        yield from _versions(request, mains, unknown)
    yield from _tagging(request, tags, mains)
    yield from _passing(request)
    yield from dependents(request)


def _own_keys(request: Request) -> tuple[str, ...]:
    """Name the keys of the service itself that AWS fills from the resource or the input."""
    prefix = request.action.partition(":")[0]
    return () if prefix in {"iam", "sts"} else (f"{prefix}:*",)


def _versions(request: Request, mains: Arns, unknown: tuple[str, ...]) -> Iterator[Requirement]:
    """Ask for the versions among the objects that are to be deleted."""
    objects = (request.parameters.get("Delete") or {}).get("Objects") or ()
    named = {str(one.get("Key")) for one in objects if one.get("VersionId")}
    for resource in mains:
        if str(resource).partition("/")[2] in named:
            yield Requirement(action="s3:DeleteObjectVersion", resource=resource, unknown=unknown)


def _tagging(request: Request, tags: Mapping[str, str], mains: Arns) -> Iterator[Requirement]:
    if not tags:
        return
    action = TAGGING.get((request.service, request.operation))
    for resource in _new(request, mains) if action else ():
        yield Requirement(action=action or "", resource=resource, context=tag_keys(tags))
    if request.service == "ec2":
        keys = {"ec2:CreateAction": request.operation, **tag_keys(tags)}
        for spec in request.parameters.get("TagSpecifications") or ():
            kind = spec.get("ResourceType")
            resource = ec2_arn(request, str(kind), "*") if kind else None
            yield Requirement(action="ec2:CreateTags", resource=resource, context=keys)


def _new(request: Request, mains: Arns) -> Arns:
    """Name what a creation tags, where that is not what the creation itself is judged on."""
    if request.service == "eks":
        return _new_of_eks(request)
    if request.service == "logs":
        return [one.removesuffix(":*") for one in mains if one]
    if request.service == "kms":
        return [arn(request, "kms", "key/*")]
    if request.service == "guardduty":
        return [arn(request, "guardduty", "detector/*")]
    return mains


def _new_of_eks(request: Request) -> Arns:
    given = request.parameters
    if request.operation == "CreateCluster":
        return [arn(request, "eks", f"cluster/{given.get('name')}")]
    if request.operation == "CreatePodIdentityAssociation":
        return [arn(request, "eks", f"podidentityassociation/{given.get('clusterName')}/*")]
    return [part_arn(request, member) for member in PARTS if given.get(member)]


def _passing(request: Request) -> Iterator[Requirement]:
    for path, service in PASSED_ROLES.get((request.service, request.operation), ()):
        for role in dict.fromkeys(values_at([request.parameters], path)):
            yield _pass_role(request, role, service)
    profile = request.parameters.get("IamInstanceProfile")
    if request.action == "ec2:RunInstances" and profile:
        for role in _roles_of_profile(request, profile):
            yield _pass_role(request, role, "ec2.amazonaws.com")


def _pass_role(request: Request, role: str, service: str | None) -> Requirement:
    if not role.startswith("arn:"):
        role = iam_arn(request, "role", role)
    known = {"iam:PassedToService": service} if service else {}
    unknown = ("iam:AssociatedResourceArn",) + (() if service else ("iam:PassedToService",))
    return Requirement(action="iam:PassRole", resource=role, context=known, unknown=unknown)


def _roles_of_profile(request: Request, profile: Mapping[str, str]) -> list[str]:
    wanted = {profile.get("Name"), profile.get("Arn")} - {None}
    with request.world.lock:
        profiles = list(request.world.backend("iam", "aws").instance_profiles.values())
    return [role.arn for one in profiles if {one.name, one.arn} & wanted for role in one.roles]

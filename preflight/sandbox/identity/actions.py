"""What a request needs to be allowed: its IAM actions, on which resources, with which keys.

One operation can need several actions: a tag given on creation, a role passed on, and what
dependents.py adds. The names of single actions are in preflight/sandbox/names.py.

A resource is named where the request says it plainly. Where it does not, it is None: statements
with any resource pattern of that AWS service are then taken to match if they allow, and only
patterns that cover everything if they deny. The sandbox is lenient there, never stricter than AWS.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from preflight.policy import ContextValue
from preflight.sandbox.identity.arns import created_resource, iam_arn, resource_of, tagged_resources
from preflight.sandbox.identity.dependents import dependents
from preflight.sandbox.identity.requirement import Requirement
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

# Condition keys that come from the input: operation -> key -> member of the input.
INPUT_KEYS = {
    ("iam", "AttachRolePolicy"): {"iam:PolicyARN": "PolicyArn"},
    ("iam", "AttachUserPolicy"): {"iam:PolicyARN": "PolicyArn"},
    ("iam", "CreateRole"): {"iam:PermissionsBoundary": "PermissionsBoundary"},
    ("iam", "CreateServiceLinkedRole"): {"iam:AWSServiceName": "AWSServiceName"},
    ("iam", "CreateUser"): {"iam:PermissionsBoundary": "PermissionsBoundary"},
    ("iam", "DetachRolePolicy"): {"iam:PolicyARN": "PolicyArn"},
    ("iam", "DetachUserPolicy"): {"iam:PolicyARN": "PolicyArn"},
    ("iam", "PutRolePermissionsBoundary"): {"iam:PermissionsBoundary": "PermissionsBoundary"},
    ("iam", "PutUserPermissionsBoundary"): {"iam:PermissionsBoundary": "PermissionsBoundary"},
    ("sts", "AssumeRole"): {
        "sts:ExternalId": "ExternalId",
        "sts:RoleSessionName": "RoleSessionName",
    },
}


def requirements(request: Request) -> Iterator[Requirement]:
    """Give every question to ask before the request may be carried out, the main one first."""
    key = (request.service, request.operation)
    if key in FREE:
        return
    tags = request_tags(request)
    context: dict[str, ContextValue] = {
        name: str(request.parameters[member])
        for name, member in INPUT_KEYS.get(key, {}).items()
        if request.parameters.get(member)
    }
    context |= _tag_keys(tags)
    unknown = _own_keys(request)
    main = resource_of(request)
    yield Requirement(action=request.action, resource=main, context=context, unknown=unknown)
    if key == ("s3", "DeleteObjects") and _names_versions(request):
        yield Requirement(action="s3:DeleteObjectVersion", resource=main, unknown=unknown)
    yield from _tagging(request, tags, main)
    yield from _passing(request)
    yield from dependents(request)


def _own_keys(request: Request) -> tuple[str, ...]:
    """Name the keys of the service itself that AWS fills from the resource or the input."""
    prefix = request.action.partition(":")[0]
    if prefix in {"iam", "sts"}:
        return (f"{prefix}:ResourceTag/*",)
    return (f"{prefix}:*",)


def _tagging(request: Request, tags: Mapping[str, str], main: str | None) -> Iterator[Requirement]:
    if not tags:
        return
    action = TAGGING.get((request.service, request.operation))
    if action:
        resource = created_resource(request, main)
        yield Requirement(action=action, resource=resource, context=_tag_keys(tags))
    if request.service == "ec2" and request.parameters.get("TagSpecifications"):
        keys = {"ec2:CreateAction": request.operation, **_tag_keys(tags)}
        for resource in tagged_resources(request):
            yield Requirement(action="ec2:CreateTags", resource=resource, context=keys)


def _passing(request: Request) -> Iterator[Requirement]:
    for path, service in PASSED_ROLES.get((request.service, request.operation), ()):
        for role in dict.fromkeys(_values([request.parameters], path)):
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


def _values(found: list[Any], path: Iterable[str]) -> list[str]:
    for step in path:
        members = [one.get(step) for one in found if isinstance(one, Mapping)]
        found = [
            value
            for member in members
            for value in (member if isinstance(member, list) else [member])
            if value
        ]
    return [str(value) for value in found]


def _names_versions(request: Request) -> bool:
    objects = request.parameters.get("Delete", {}).get("Objects", [])
    return any(one.get("VersionId") for one in objects)


def request_tags(request: Request) -> dict[str, str]:
    """Collect the tags in the input, in whichever of AWS's four shapes they come."""
    given = request.parameters
    if request.service == "s3":
        return _tags_in((given.get("CreateBucketConfiguration") or {}).get("Tags"))
    groups = [given.get("Tags"), given.get("tags")]
    groups += [spec.get("Tags") for spec in given.get("TagSpecifications") or ()]
    tags: dict[str, str] = {}
    for group in groups:
        tags |= _tags_in(group)
    return tags


def _tags_in(group: Any) -> dict[str, str]:
    if isinstance(group, Mapping):
        return {str(key): str(value) for key, value in group.items()}
    pairs = (
        (tag.get("Key", tag.get("TagKey", tag.get("key"))), tag.get("Value", tag.get("TagValue")))
        for tag in group or ()
        if isinstance(tag, Mapping)
    )
    return {str(key): str(value or "") for key, value in pairs if key}


def _tag_keys(tags: Mapping[str, str]) -> dict[str, ContextValue]:
    if not tags:
        return {}
    named: dict[str, ContextValue] = {f"aws:RequestTag/{key}": tags[key] for key in tags}
    return named | {"aws:TagKeys": list(tags)}

"""Condition keys that come from the input of a request: its tags, and what its service names.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from preflight.policy import ContextValue
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity import iam
from preflight.sandbox.request import Request

#: Operation -> condition key -> where its values stand in the input (members in a row).
INPUT_KEYS: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]] = {
    ("ec2", "CreateVpcEndpoint"): {"ec2:VpceServiceName": ("ServiceName",)},
    ("eks", "AssociateAccessPolicy"): {
        "eks:accessScope": ("accessScope", "type"),
        "eks:namespaces": ("accessScope", "namespaces"),
        "eks:policyArn": ("policyArn",),
    },
    ("eks", "CreateAccessEntry"): {
        "eks:accessEntryType": ("type",),
        "eks:kubernetesGroups": ("kubernetesGroups",),
        "eks:principalArn": ("principalArn",),
        "eks:username": ("username",),
    },
    ("events", "PutTargets"): {"events:TargetArn": ("Targets", "Arn")},
    ("iam", "AttachGroupPolicy"): {"iam:PolicyARN": ("PolicyArn",)},
    ("iam", "AttachRolePolicy"): {"iam:PolicyARN": ("PolicyArn",)},
    ("iam", "AttachUserPolicy"): {"iam:PolicyARN": ("PolicyArn",)},
    ("iam", "CreateServiceLinkedRole"): {"iam:AWSServiceName": ("AWSServiceName",)},
    ("iam", "DetachGroupPolicy"): {"iam:PolicyARN": ("PolicyArn",)},
    ("iam", "DetachRolePolicy"): {"iam:PolicyARN": ("PolicyArn",)},
    ("iam", "DetachUserPolicy"): {"iam:PolicyARN": ("PolicyArn",)},
    ("sts", "AssumeRole"): {
        "sts:ExternalId": ("ExternalId",),
        "sts:RoleSessionName": ("RoleSessionName",),
        "sts:SourceIdentity": ("SourceIdentity",),
        "sts:TransitiveTagKeys": ("TransitiveTagKeys",),
    },
}
#: What AWS takes a member for that is left out.
_DEFAULTS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("eks", "CreateAccessEntry"): {"eks:accessEntryType": "STANDARD"},
}
#: What the endpoint services of AWS itself are named like.
#: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-for-amazon-ec2.html
_AWS_SERVICES = ("com.amazonaws.", "aws.api.", "aws.sagemaker.")


def input_keys(request: Request) -> dict[str, ContextValue]:
    """Give the keys of the service itself that the input holds."""
    key = (request.service, request.operation)
    found: dict[str, ContextValue] = dict(_DEFAULTS.get(key, {}))
    for name, path in INPUT_KEYS.get(key, {}).items():
        values = values_at([request.parameters], path)
        if values:
            found[name] = values
    if str(request.parameters.get("ServiceName", "")).startswith(_AWS_SERVICES):
        found["ec2:VpceServiceOwner"] = "amazon"
    if request.service == "iam":
        found |= _boundary(request)
    return found


def _boundary(request: Request) -> dict[str, ContextValue]:
    """Give the boundary that is asked for, or that the user or role has.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    given = request.parameters
    arn = given.get("PermissionsBoundary")
    if not arn and not request.operation.startswith("Create"):
        kind = "role" if given.get("RoleName") else "user"
        with request.world.lock:
            try:
                name = given.get("RoleName") or given.get("UserName") or ""
                arn = iam.boundary_arn(request.world, kind, iam.by_name(request.world, kind, name))
            except AwsFault:
                return {}
    return {"iam:PermissionsBoundary": str(arn)} if arn else {}


def values_at(found: list[Any], path: Iterable[str]) -> list[str]:
    """Collect what stands under members in a row, lists gone through."""
    for step in path:
        members = [one.get(step) for one in found if isinstance(one, Mapping)]
        found = [
            value
            for member in members
            for value in (member if isinstance(member, list) else [member])
            if value
        ]
    return [str(value) for value in found]


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


def tag_keys(tags: Mapping[str, str]) -> dict[str, ContextValue]:
    """Write `aws:RequestTag/…` and `aws:TagKeys`."""
    if not tags:
        return {}
    named: dict[str, ContextValue] = {f"aws:RequestTag/{key}": tags[key] for key in tags}
    return named | {"aws:TagKeys": list(tags)}


def taken_keys(request: Request) -> dict[str, ContextValue]:
    """Write `aws:TagKeys` of a request that takes tags away."""
    given = request.parameters
    keys = given.get("TagKeys") or given.get("tagKeys") or ()
    return {"aws:TagKeys": [str(key) for key in keys]} if keys else {}

"""The roles that AWS makes for its own services, under AWS's own names.

https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
SERVICE_LINKED_ROLES = {
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "ec2scheduled.amazonaws.com": "AWSServiceRoleForEC2ScheduledInstances",
    "eks-fargate.amazonaws.com": "AWSServiceRoleForAmazonEKSForFargate",
    "eks-nodegroup.amazonaws.com": "AWSServiceRoleForAmazonEKSNodegroup",
    "eks.amazonaws.com": "AWSServiceRoleForAmazonEKS",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "guardduty.amazonaws.com": "AWSServiceRoleForAmazonGuardDuty",
    "malware-protection.guardduty.amazonaws.com": (
        "AWSServiceRoleForAmazonGuardDutyMalwareProtection"
    ),
    "route53resolver.amazonaws.com": "AWSServiceRoleForRoute53Resolver",
    "spot.amazonaws.com": "AWSServiceRoleForEC2Spot",
    "spotfleet.amazonaws.com": "AWSServiceRoleForEC2SpotFleet",
    "transitgateway.amazonaws.com": "AWSServiceRoleForVPCTransitGateway",
}
#: The services that take a CustomSuffix.
SUFFIXED = frozenset({"autoscaling.amazonaws.com"})


def service_linked_role_name(service: str, suffix: str) -> str | None:
    """Name the role AWS makes for one of its services, or None for a service not in the table."""
    name = SERVICE_LINKED_ROLES.get(service)
    return f"{name}_{suffix}" if name and suffix else name


def create_service_linked_role(request: Request) -> Mapping[str, Any] | Response:
    """Make the role under AWS's own name; services not in the table go to moto."""
    service = str(request.parameters["AWSServiceName"])
    suffix = str(request.parameters.get("CustomSuffix") or "")
    name = service_linked_role_name(service, suffix)
    if name is None:
        return request.forward()
    if suffix and service not in SUFFIXED:
        raise AwsFault("InvalidInput", f"Custom suffix is not allowed for {service}", 400)
    if _find(request.world, name) is not None:
        message = (
            f"Service role name {name} has been taken in this account, "
            "please try a different suffix."
        )
        raise AwsFault("InvalidInput", message, 400)
    role = _make(request.world, service, name, request.parameters.get("Description") or "")
    return {
        "Role": {
            "Path": role.path,
            "RoleName": role.name,
            "RoleId": role.id,
            "Arn": role.arn,
            "CreateDate": role.create_date,
            "AssumeRolePolicyDocument": role.assume_role_policy_document,
        }
    }


def _find(world: World, name: str) -> Any:
    roles = world.backend("iam", "aws").roles.values()
    return next((role for role in roles if role.name == name), None)


def _make(world: World, service: str, name: str, description: str) -> Any:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return world.backend("iam", "aws").create_role(
        name,
        json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        f"/aws-service-role/{service}/",
        permissions_boundary=None,
        description=description,
        tags=[],
        max_session_duration="3600",
        linked_service=service,
    )


def ensure(world: World, service: str) -> None:
    """Make the role of a service, unless the account has it."""
    name = SERVICE_LINKED_ROLES[service]
    if _find(world, name) is None:
        _make(world, service, name, f"Allows {service} to act on your behalf.")


OPERATIONS = {("iam", "CreateServiceLinkedRole"): create_service_linked_role}

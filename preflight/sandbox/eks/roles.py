"""How EKS looks at IAM: which roles it accepts."""

from __future__ import annotations

from preflight.sandbox.eks.state import find_role, refuse, trusts
from preflight.sandbox.request import Request

# What EKS says of a role it does not know, also of one that it does not know yet.
CLUSTER_ROLE_UNKNOWN = (
    "Role with arn: {role}, could not be assumed because it does not exist or the trusted entity"
    " is not correct"
)
NODE_ROLE_UNKNOWN = "The role with name {name} cannot be found."
ADDON_ROLE_UNKNOWN = "Role {role} provided in the request does not exist."
POD_ROLE_UNKNOWN = "Role provided in the request does not exist."
PRINCIPAL_UNKNOWN = "The specified principalArn is invalid: invalid principal."
CLUSTER_POLICY = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
CLUSTER_POLICY_MISSING = (
    "The provided role doesn't have the Amazon EKS Managed Policies associated with it. Please"
    " ensure the following policies [AmazonEKSClusterPolicy] are attached"
)


def check_role(request: Request, role_arn: str, service: str) -> None:
    """Refuse a cluster role that is not there or does not trust EKS."""
    role = find_role(request, role_arn)
    if role is None:
        message = CLUSTER_ROLE_UNKNOWN.format(role=role_arn)
        raise refuse("InvalidParameterException", message)
    if not trusts(role, service):
        message = "Role could not be assumed because the trusted entity is not correct"
        raise refuse("InvalidParameterException", message)


def check_node_role(request: Request, role_arn: str) -> None:
    """Refuse a node role that is not there or that instances cannot have."""
    role = find_role(request, role_arn)
    if role is None:
        message = NODE_ROLE_UNKNOWN.format(name=role_arn.rpartition("/")[2])
        raise refuse("InvalidParameterException", message)
    if not trusts(role, "ec2.amazonaws.com"):
        message = (
            "Following required service principals [ec2.amazonaws.com] were not found in the trust"
            f" relationships of nodeRole {role_arn}"
        )
        raise refuse("InvalidParameterException", message)

"""The roles of a cluster: for its control plane, its nodes, and the controllers that run in it."""

from __future__ import annotations

from typing import Any

from preflight.found import Owner
from provision.resources import iam
from provision.resources.oidc import OidcProvider
from provision.resources.policies import Policy
from provision.resources.roles import Role

#: What a node needs: https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
NODE_POLICIES = (
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEKS_CNI_Policy",
    "AmazonSSMManagedInstanceCore",
)
CLUSTER_POLICIES = ("AmazonEKSClusterPolicy",)
CSI_POLICIES = ("service-role/AmazonEBSCSIDriverPolicy",)


def draw_cluster_role(owner: Owner) -> Role:
    """Draw what the control plane acts as."""
    return _role(owner, "cluster", services=("eks.amazonaws.com",), managed=CLUSTER_POLICIES)


def draw_node_role(owner: Owner) -> Role:
    """Draw what the nodes act as."""
    return _role(owner, "node", services=("ec2.amazonaws.com",), managed=NODE_POLICIES)


def draw_csi_role(owner: Owner, source: OidcProvider) -> Role:
    """Draw what the storage driver acts as: it makes volumes for claims."""
    return Role(
        name="ebs-csi",
        path_prefix=iam.path(owner),
        role_name=iam.role_name(owner, "ebs-csi"),
        identity_source=source,
        service_account="kube-system:ebs-csi-controller-sa",
        managed=_arns(owner, CSI_POLICIES),
    )


def draw_autoscaler(owner: Owner, source: OidcProvider) -> tuple[Policy, Role]:
    """Draw what the cluster autoscaler acts as: it may scale this cluster's groups and no other."""
    policy = Policy(
        name="autoscaler",
        path_prefix=iam.path(owner),
        policy_name=iam.policy_name(owner, "autoscaler"),
        document=_autoscaling(owner),
    )
    role = Role(
        name="autoscaler",
        path_prefix=iam.path(owner),
        role_name=iam.role_name(owner, "autoscaler"),
        identity_source=source,
        service_account="kube-system:cluster-autoscaler",
        policies=(policy,),
    )
    return policy, role


def _role(owner: Owner, name: str, *, services: tuple[str, ...], managed: tuple[str, ...]) -> Role:
    return Role(
        name=name,
        path_prefix=iam.path(owner),
        role_name=iam.role_name(owner, name),
        services=services,
        managed=_arns(owner, managed),
    )


def _arns(owner: Owner, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"arn:{owner.partition}:iam::aws:policy/{name}" for name in names)


def _autoscaling(owner: Owner) -> dict[str, Any]:
    """https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md"""
    mine = {"StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{owner.eks_name}": "owned"}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Look",
                "Effect": "Allow",
                "Action": [
                    "autoscaling:DescribeAutoScalingGroups",
                    "autoscaling:DescribeAutoScalingInstances",
                    "autoscaling:DescribeScalingActivities",
                    "ec2:DescribeInstanceTypes",
                    "ec2:DescribeLaunchTemplateVersions",
                    "eks:DescribeNodegroup",
                ],
                "Resource": "*",
            },
            {
                "Sid": "Scale",
                "Effect": "Allow",
                "Action": [
                    "autoscaling:SetDesiredCapacity",
                    "autoscaling:TerminateInstanceInAutoScalingGroup",
                ],
                "Resource": "*",
                "Condition": mine,
            },
        ],
    }

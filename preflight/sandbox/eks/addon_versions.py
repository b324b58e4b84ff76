"""Which add-ons EKS offers, and in which version.

https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html
"""

from __future__ import annotations

import json

from preflight.sandbox.eks import versions
from preflight.sandbox.eks.state import Shape, page, refuse
from preflight.sandbox.request import Request

# Name -> version without its minor, kind, virtual seconds to ACTIVE, whether it needs nodes.
CATALOGUE = {
    "vpc-cni": ("v1.20.4-eksbuild.2", "networking", 35.0, False),
    "kube-proxy": ("v{minor}.0-eksbuild.2", "networking", 24.0, False),
    "eks-pod-identity-agent": ("v1.3.10-eksbuild.1", "security", 24.0, False),
    "coredns": ("v1.12.4-eksbuild.1", "networking", 15.0, True),
    "metrics-server": ("v0.8.0-eksbuild.3", "observability", 45.0, True),
    "aws-ebs-csi-driver": ("v1.52.1-eksbuild.1", "storage", 45.0, True),
    "aws-efs-csi-driver": ("v2.1.13-eksbuild.1", "storage", 45.0, True),
    "amazon-cloudwatch-observability": ("v4.6.0-eksbuild.1", "observability", 45.0, True),
    "eks-node-monitoring-agent": ("v1.4.1-eksbuild.1", "observability", 24.0, False),
    "aws-guardduty-agent": ("v1.12.1-eksbuild.2", "security", 24.0, False),
    "snapshot-controller": ("v8.3.0-eksbuild.1", "storage", 30.0, True),
}
# The service account of an add-on and the policy it needs.
# https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html
POD_IDENTITIES = {
    "amazon-cloudwatch-observability": ("cloudwatch-agent", "CloudWatchAgentServerPolicy"),
    "aws-ebs-csi-driver": (
        "ebs-csi-controller-sa",
        "service-role/AmazonEBSCSIDriverPolicy",
    ),
    "aws-efs-csi-driver": (
        "efs-csi-controller-sa",
        "service-role/AmazonEFSCSIDriverPolicy",
    ),
    "vpc-cni": ("aws-node", "AmazonEKS_CNI_Policy"),
}


def version_for(name: str, kubernetes: str) -> str:
    """Name the version of an add-on that goes with a Kubernetes version."""
    return CATALOGUE[name][0].format(minor=kubernetes)


def describe_addon_versions(request: Request) -> Shape:
    """DescribeAddonVersions: one version of each add-on for each Kubernetes version."""
    parameters, found = request.parameters, []
    offered = [one["clusterVersion"] for one in versions.supported(request)]
    wanted = parameters.get("kubernetesVersion")
    for name, (_, kind, _, _) in CATALOGUE.items():
        if parameters.get("addonName") not in (None, name):
            continue
        if parameters.get("types") and kind not in parameters["types"]:
            continue
        by_version: dict[str, list[str]] = {}
        for kubernetes in offered:
            if wanted in (None, kubernetes):
                by_version.setdefault(version_for(name, kubernetes), []).append(kubernetes)
        found.append(
            {
                "addonName": name,
                "type": kind,
                "publisher": "eks",
                "owner": "aws",
                "addonVersions": [_offer(version, of) for version, of in by_version.items()],
            }
        )
    return page(request, "addons", [one for one in found if one["addonVersions"]])


def _offer(version: str, kubernetes: list[str]) -> Shape:
    return {
        "addonVersion": version,
        "architecture": ["amd64", "arm64"],
        "compatibilities": [
            {"clusterVersion": one, "platformVersions": ["*"], "defaultVersion": True}
            for one in kubernetes
        ],
        "requiresConfiguration": False,
    }


def describe_addon_configuration(request: Request) -> Shape:
    """DescribeAddonConfiguration: the permissions an add-on wants for its pods.

    Its schema takes anything: what the real ones allow is not written down by AWS, and the sandbox
    runs no add-on that could mind.
    """
    name, version = request.parameters["addonName"], request.parameters["addonVersion"]
    if name not in CATALOGUE:
        raise refuse("ResourceNotFoundException", f"The specified addon {name} was not found")
    if version not in {version_for(name, row[0]) for row in versions.CALENDAR}:
        message = f"Addon version {version} specified is not supported"
        raise refuse("InvalidParameterException", message)
    answer: Shape = {
        "addonName": name,
        "addonVersion": version,
        "configurationSchema": json.dumps(
            {"$schema": "http://json-schema.org/draft-06/schema#", "type": "object"}
        ),
    }
    if name in POD_IDENTITIES:
        account, policy = POD_IDENTITIES[name]
        arn = f"arn:aws:iam::aws:policy/{policy}"
        answer["podIdentityConfiguration"] = [
            {"serviceAccount": account, "recommendedManagedPolicies": [arn]}
        ]
    return answer


OPERATIONS = {
    ("eks", "DescribeAddonConfiguration"): describe_addon_configuration,
    ("eks", "DescribeAddonVersions"): describe_addon_versions,
}

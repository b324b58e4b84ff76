"""Which versions of add-ons there are."""

from __future__ import annotations

import json
from typing import Any

Account = Any
Refusal = Any


def test_an_addon_takes_an_offered_version_only(account: Account, refusal: Refusal) -> None:
    version = account.cluster()["version"]
    (offer,) = account.eks.describe_addon_versions(addonName="coredns", kubernetesVersion=version)[
        "addons"
    ]
    wanted = {"clusterName": "prod", "addonName": "coredns"}
    code, *_ = refusal(account.eks.create_addon, **wanted, addonVersion="v0.0.1-eksbuild.1")
    made = account.eks.create_addon(
        **wanted, addonVersion=offer["addonVersions"][0]["addonVersion"]
    )["addon"]
    assert code == "InvalidParameterException"
    assert made["addonVersion"] == offer["addonVersions"][0]["addonVersion"]
    assert refusal(account.eks.create_addon, **wanted)[0] == "ResourceInUseException"


def test_an_add_on_tells_what_its_pods_need(
    account: Account, client: Any, refusal: Refusal
) -> None:
    eks = account.eks
    version = eks.describe_addon_versions(addonName="vpc-cni")["addons"][0]["addonVersions"][0]
    told = eks.describe_addon_configuration(
        addonName="vpc-cni", addonVersion=version["addonVersion"]
    )
    assert json.loads(told["configurationSchema"])["type"] == "object"
    [identity] = told["podIdentityConfiguration"]
    assert identity["serviceAccount"] == "aws-node"
    [policy] = identity["recommendedManagedPolicies"]
    assert client("iam").get_policy(PolicyArn=policy)["Policy"]["PolicyName"] == (
        "AmazonEKS_CNI_Policy"
    )
    ask = eks.describe_addon_configuration
    code, *_ = refusal(ask, addonName="vpc-cni", addonVersion="v0")
    assert code == "InvalidParameterException"
    code, *_ = refusal(ask, addonName="none", addonVersion="v0")
    assert code == "ResourceNotFoundException"

"""Which versions of add-ons there are."""

from __future__ import annotations

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

"""EKS add-ons on the virtual clock."""

from __future__ import annotations

from typing import Any

Account = Any
Refusal = Any


def test_addons_that_need_nodes_are_degraded_until_there_are_some(
    account: Account, refusal: Refusal
) -> None:
    account.cluster()
    for name in ("coredns", "vpc-cni"):
        account.eks.create_addon(clusterName="prod", addonName=name)
    assert [account.addon_status(n) for n in ("coredns", "vpc-cni")] == ["CREATING"] * 2
    account.advance(40)
    assert [account.addon_status(n) for n in ("coredns", "vpc-cni")] == ["DEGRADED", "ACTIVE"]
    account.create_nodes()
    account.advance(220)
    assert account.addon_status("coredns") == "ACTIVE"
    account.eks.delete_addon(clusterName="prod", addonName="coredns")
    assert account.addon_status("coredns") == "DELETING"
    account.advance(25)
    assert refusal(account.addon_status, name="coredns")[0] == "ResourceNotFoundException"

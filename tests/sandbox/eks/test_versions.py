"""Kubernetes versions, and how long EKS supports them."""

from __future__ import annotations

from typing import Any

Account = Any


def test_versions_lose_their_support_as_time_goes_by(account: Account) -> None:
    def standard() -> list[str]:
        found = account.eks.describe_cluster_versions(versionStatus="STANDARD_SUPPORT")
        return [one["clusterVersion"] for one in found["clusterVersions"]]

    before = standard()
    account.advance(20 * 365 * 86_400)
    after = standard()
    assert set(after) <= set(before)
    assert len(after) == 1

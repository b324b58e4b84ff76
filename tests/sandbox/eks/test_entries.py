"""The access entries that EKS makes by itself."""

from __future__ import annotations

from typing import Any

Account = Any


def test_who_made_the_cluster_and_its_nodes_get_access_entries(account: Account) -> None:
    account.cluster(accessConfig={"authenticationMode": "API"})
    account.create_nodes()
    entries = account.eks.list_access_entries(clusterName="prod")["accessEntries"]
    assert [entry.rpartition("/")[2] for entry in entries] == ["nodes", "sandbox-admin"]

"""Changes of a living cluster."""

from __future__ import annotations

from typing import Any

Account = Any
Refusal = Any


def test_one_change_at_a_time_and_it_shows_when_it_is_done(
    account: Account, refusal: Refusal
) -> None:
    account.cluster()
    private = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
    two = {"resourcesVpcConfig": private, "deletionProtection": True}
    assert refusal(account.eks.update_cluster_config, name="prod", **two)[0] == (
        "InvalidParameterException"
    )
    update = account.eks.update_cluster_config(name="prod", resourcesVpcConfig=private)["update"]
    assert account.eks.describe_cluster(name="prod")["cluster"]["status"] == "UPDATING"
    assert refusal(account.eks.update_cluster_version, name="prod", version="1.36")[0] == (
        "ResourceInUseException"
    )
    assert refusal(account.create_nodes)[0] == "InvalidRequestException"
    account.advance(200)
    cluster = account.eks.describe_cluster(name="prod")["cluster"]
    described = account.eks.describe_update(name="prod", updateId=update["id"])["update"]
    assert (cluster["status"], described["status"]) == ("ACTIVE", "Successful")
    assert cluster["resourcesVpcConfig"]["endpointPublicAccess"] is False
    assert account.eks.list_updates(name="prod")["updateIds"] == [update["id"]]


def test_a_cluster_goes_up_one_version_at_a_time(account: Account, refusal: Refusal) -> None:
    versions = account.eks.describe_cluster_versions()["clusterVersions"]
    newest, older, oldest = (versions[n]["clusterVersion"] for n in (0, 1, 2))
    assert [one["defaultVersion"] for one in versions].count(True) == 1
    assert account.cluster(version=oldest)["version"] == oldest
    assert refusal(account.eks.update_cluster_version, name="prod", version=newest)[0] == (
        "InvalidParameterException"
    )
    account.eks.update_cluster_version(name="prod", version=older)
    account.advance(600)
    assert account.eks.describe_cluster(name="prod")["cluster"]["version"] == older

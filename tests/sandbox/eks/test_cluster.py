"""A control plane: the minutes it takes to come and to go, and what EKS checks first."""

from __future__ import annotations

import re
from typing import Any

Account = Any
Refusal = Any


def test_a_cluster_takes_ten_minutes_and_shows_its_endpoint_then(account: Account) -> None:
    made = account.create(tags={"team": "ml"})
    account.advance(580)
    waiting = account.eks.describe_cluster(name="prod")["cluster"]
    account.advance(15)
    ready = account.eks.describe_cluster(name="prod")["cluster"]
    assert [made["status"], waiting["status"], ready["status"]] == ["CREATING"] * 2 + ["ACTIVE"]
    assert "endpoint" not in waiting
    assert "identity" not in waiting
    assert re.fullmatch(
        r"https://oidc\.eks\.us-west-2\.amazonaws\.com/id/[0-9A-F]{32}",
        ready["identity"]["oidc"]["issuer"],
    )
    assert ready["tags"] == {"team": "ml"}
    assert ready["resourcesVpcConfig"]["vpcId"] == account.vpc


def test_two_clusters_of_one_name_in_turn_have_different_issuers(account: Account) -> None:
    first = account.cluster()["identity"]["oidc"]["issuer"]
    account.eks.delete_cluster(name="prod")
    account.advance(200)
    assert account.cluster()["identity"]["oidc"]["issuer"] != first


def test_a_cluster_that_cannot_be_is_refused(account: Account, refusal: Refusal) -> None:
    no_key = [{"provider": {"keyArn": "k"}, "resources": ["secrets"]}]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"roleArn": "arn:aws:iam::111122223333:role/no"}, "does not exist"),
        ({"roleArn": account.node_role}, "trusted entity is not correct"),
        ({"network": {"subnetIds": ["subnet-0"]}}, "'subnet-0' does not exist"),
        ({"network": {"subnetIds": account.subnets[:1]}}, "at least two different AZs"),
        ({"network": {"securityGroupIds": ["sg-0"]}}, "'sg-0' does not exist"),
        ({"version": "1.12"}, "unsupported Kubernetes version"),
        ({"name": "-x"}, "regular expression"),
        ({"encryptionConfig": no_key}, "keyArn"),
    ]
    for change, words in wrong:
        code, _, message = refusal(account.create, **change)
        assert (code, words in message) == ("InvalidParameterException", True), message
    assert account.eks.list_clusters()["clusters"] == []


def test_the_same_token_gives_the_same_cluster_and_another_request_is_refused(
    account: Account, refusal: Refusal
) -> None:
    first = account.create(clientRequestToken="t")
    assert account.create(clientRequestToken="t")["createdAt"] == first["createdAt"]
    code, *_ = refusal(account.create, clientRequestToken="t", tags={"a": "b"})
    assert code == "InvalidParameterException"
    assert refusal(account.create) == (
        "ResourceInUseException",
        409,
        "Cluster already exists with name: prod",
    )


def test_a_deleted_cluster_takes_everything_of_its_own_with_it(
    account: Account, refusal: Refusal
) -> None:
    cluster = account.cluster(accessConfig={"authenticationMode": "API"})
    account.eks.create_addon(clusterName="prod", addonName="vpc-cni")
    account.eks.delete_cluster(name="prod")
    account.advance(140)
    assert account.eks.describe_cluster(name="prod")["cluster"]["status"] == "DELETING"
    account.advance(15)
    assert refusal(account.eks.describe_cluster, name="prod") == (
        "ResourceNotFoundException",
        404,
        "No cluster found for name: prod.",
    )
    assert account.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    id = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    assert refusal(account.ec2.describe_security_groups, GroupIds=[id])[0] == (
        "InvalidGroup.NotFound"
    )
    for subnet in account.subnets:
        account.ec2.delete_subnet(SubnetId=subnet)
    account.ec2.delete_vpc(VpcId=account.vpc)


def test_a_cluster_can_be_deleted_while_it_is_made_and_does_not_come_back(account: Account) -> None:
    account.create(deletionProtection=True)
    account.advance(100)
    account.eks.delete_cluster(name="prod")
    account.advance(1000)
    assert account.eks.list_clusters()["clusters"] == []
    assert account.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_deletion_protection_holds_until_it_is_taken_off(
    account: Account, refusal: Refusal
) -> None:
    account.cluster(deletionProtection=True)
    assert refusal(account.eks.delete_cluster, name="prod")[0] == "InvalidRequestException"
    account.eks.update_cluster_config(name="prod", deletionProtection=False)
    assert refusal(account.eks.delete_cluster, name="prod") == (
        "ResourceInUseException",
        409,
        "Cannot delete because cluster prod currently has an update in progress",
    )
    account.advance(15)
    account.eks.delete_cluster(name="prod")


def test_lists_come_in_pages(account: Account) -> None:
    for name in ("a", "b", "c"):
        account.create(name)
    pages = list(account.eks.get_paginator("list_clusters").paginate(
        PaginationConfig={"PageSize": 2}
    ))  # fmt: skip
    assert [page["clusters"] for page in pages] == [["a", "b"], ["c"]]

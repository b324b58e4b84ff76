"""Access entries, and the policies associated with them."""

from __future__ import annotations

from typing import Any

Account = Any
Refusal = Any


def test_access_entries_and_their_policies(account: Account, refusal: Refusal) -> None:
    account.cluster(accessConfig={"authenticationMode": "API"})
    role = account.make_role("team/lead".replace("/", "-"), "ec2.amazonaws.com")
    missing = "arn:aws:iam::111122223333:role/no"
    view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    eks, at = account.eks, {"clusterName": "prod", "principalArn": role}
    assert refusal(eks.create_access_entry, clusterName="prod", principalArn=missing) == (
        "InvalidParameterException",
        400,
        "The specified principalArn is invalid: invalid principal.",
    )
    eks.create_access_entry(**at, kubernetesGroups=["viewers"])
    assert refusal(eks.create_access_entry, **at)[0] == "ResourceInUseException"
    eks.associate_access_policy(**at, policyArn=view, accessScope={"type": "cluster"})
    (policy,) = eks.list_associated_access_policies(**at)["associatedAccessPolicies"]
    assert (policy["policyArn"], policy["accessScope"]["type"]) == (view, "cluster")
    assert eks.describe_access_entry(**at)["accessEntry"]["kubernetesGroups"] == ["viewers"]
    with_view = eks.list_access_entries(clusterName="prod", associatedPolicyArn=view)
    assert with_view["accessEntries"] == [role]
    eks.disassociate_access_policy(**at, policyArn=view)
    eks.delete_access_entry(**at)
    assert refusal(eks.describe_access_entry, **at)[0] == "ResourceNotFoundException"


def test_a_cluster_with_a_config_map_only_has_no_access_entries(
    account: Account, refusal: Refusal
) -> None:
    account.cluster(accessConfig={"authenticationMode": "CONFIG_MAP"})
    code, _, message = refusal(account.eks.list_access_entries, clusterName="prod")
    assert code == "InvalidRequestException"
    assert "authentication mode" in message

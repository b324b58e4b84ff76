"""Tags of EKS, and what the sandbox does not have of it."""

from __future__ import annotations

from typing import Any

Account = Any
Refusal = Any


def test_tags_of_clusters_and_of_node_groups(account: Account) -> None:
    account.cluster(tags={"a": "1"})
    account.create_nodes(tags={"b": "2"})
    for arn in (
        account.eks.describe_cluster(name="prod")["cluster"]["arn"],
        account.nodes()["nodegroupArn"],
    ):
        account.eks.tag_resource(resourceArn=arn, tags={"c": "3"})
        account.eks.untag_resource(resourceArn=arn, tagKeys=["a", "b"])
        assert account.eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "3"}
    assert account.eks.describe_cluster(name="prod")["cluster"]["tags"] == {"c": "3"}


def test_eks_says_what_the_sandbox_does_not_have(account: Account, refusal: Refusal) -> None:
    account.cluster()
    assert account.eks.list_fargate_profiles(clusterName="prod")["fargateProfileNames"] == []
    code, *_ = refusal(
        account.eks.create_fargate_profile,
        clusterName="prod", fargateProfileName="f", podExecutionRoleArn=account.role,
    )  # fmt: skip
    assert code == "NotImplemented"

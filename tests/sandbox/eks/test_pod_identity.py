"""Roles for the pods of a service account."""

from __future__ import annotations

from typing import Any

Account = Any
Refusal = Any


def test_a_service_account_has_one_role(account: Account, refusal: Refusal) -> None:
    account.cluster()
    wanted = {"clusterName": "prod", "namespace": "default", "serviceAccount": "web"}
    eks = account.eks
    assert refusal(
        eks.create_pod_identity_association, **wanted, roleArn=account.role + "x"
    )[0] == "InvalidParameterException"  # fmt: skip
    made = eks.create_pod_identity_association(**wanted, roleArn=account.role)["association"]
    again = refusal(eks.create_pod_identity_association, **wanted, roleArn=account.role)
    assert again == (
        "ResourceInUseException",
        409,
        f"Association already exists: {made['associationId']}",
    )
    (listed,) = eks.list_pod_identity_associations(clusterName="prod", namespace="default")[
        "associations"
    ]
    at = {"clusterName": "prod", "associationId": listed["associationId"]}
    eks.delete_pod_identity_association(**at)
    assert refusal(eks.describe_pod_identity_association, **at)[0] == "ResourceNotFoundException"

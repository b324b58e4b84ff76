"""What is wrong with clusters and add-ons, by itself and by fault: every code EKS has.

https://docs.aws.amazon.com/eks/latest/APIReference/API_ClusterIssue.html
https://docs.aws.amazon.com/eks/latest/APIReference/API_AddonIssue.html
"""

from __future__ import annotations

import urllib.error
from typing import Any

import pytest
from botocore.session import get_session

Account = Any
Refusal = Any

MODEL = get_session().get_service_model("eks")
UPDATES = MODEL.shape_for("ErrorCode").enum


def described(account: Account) -> tuple[str, list[str]]:
    found = account.eks.describe_cluster(name="prod")["cluster"]
    return found["status"], [one["code"] for one in found["health"]["issues"]]


def addon(account: Account) -> tuple[str, list[str]]:
    found = account.eks.describe_addon(clusterName="prod", addonName="vpc-cni")["addon"]
    return found["status"], [one["code"] for one in found["health"]["issues"]]


def test_a_cluster_whose_key_will_be_deleted_says_so(account: Account) -> None:
    """https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html"""
    kms = account.client("kms")
    key = kms.create_key()["KeyMetadata"]
    account.cluster(
        encryptionConfig=[{"provider": {"keyArn": key["Arn"]}, "resources": ["secrets"]}]
    )
    assert described(account) == ("ACTIVE", [])
    kms.disable_key(KeyId=key["KeyId"])
    assert described(account) == ("ACTIVE", ["KmsKeyDisabled"])
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert described(account) == ("ACTIVE", ["KmsKeyMarkedForDeletion"])
    account.advance(8 * 86_400)
    assert described(account) == ("ACTIVE", ["KmsKeyNotFound"])


def test_a_cluster_without_its_role_or_a_subnet_says_so(account: Account) -> None:
    third = account.ec2.create_subnet(
        VpcId=account.vpc, CidrBlock="10.0.7.0/24", AvailabilityZone="us-west-2c"
    )["Subnet"]["SubnetId"]
    account.cluster(network={"subnetIds": [*account.subnets, third]})
    account.iam.delete_role(RoleName="control-plane")
    account.ec2.delete_subnet(SubnetId=third)
    assert described(account) == ("ACTIVE", ["IamRoleNotFound", "Ec2SubnetNotFound"])


@pytest.mark.parametrize("code", MODEL.shape_for("ClusterIssueCode").enum)
def test_a_cluster_can_fail_or_suffer_from_anything_that_eks_has(
    account: Account, code: str
) -> None:
    account.post("faults", [{"action": "sandbox:ClusterFailure", "error": code, "count": 1}])
    account.create()
    account.advance(600)
    assert described(account) == ("FAILED", [code])
    account.eks.delete_cluster(name="prod")
    account.advance(200)
    account.cluster()
    account.post("faults", [{"action": "sandbox:ClusterHealth", "error": code}])
    assert described(account) == ("ACTIVE", [code])
    account.post("faults", [])
    assert described(account) == ("ACTIVE", [])


@pytest.mark.parametrize("code", UPDATES)
def test_an_update_of_a_cluster_can_fail_and_changes_nothing(account: Account, code: str) -> None:
    """https://docs.aws.amazon.com/eks/latest/APIReference/API_ErrorDetail.html"""
    account.cluster()
    account.post("faults", [{"action": "sandbox:ClusterUpdate", "error": code, "count": 1}])
    update = account.eks.update_cluster_config(name="prod", deletionProtection=True)["update"]
    account.advance(15)
    found = account.eks.describe_update(name="prod", updateId=update["id"])["update"]
    assert (found["status"], [one["errorCode"] for one in found["errors"]]) == ("Failed", [code])
    cluster = account.eks.describe_cluster(name="prod")["cluster"]
    assert (cluster["status"], cluster["deletionProtection"]) == ("ACTIVE", False)


@pytest.mark.parametrize("code", MODEL.shape_for("AddonIssueCode").enum)
def test_an_addon_can_fail_degrade_and_stay_for_any_reason_that_eks_has(
    account: Account, code: str
) -> None:
    account.cluster()
    at = {"clusterName": "prod", "addonName": "vpc-cni"}
    account.post("faults", [{"action": "sandbox:AddonFailure", "error": code, "count": 1}])
    account.eks.create_addon(**at)
    assert addon(account) == ("CREATING", [])
    account.advance(40)
    assert addon(account) == ("CREATE_FAILED", [code])
    account.eks.delete_addon(**at)
    account.advance(25)
    account.eks.create_addon(**at)
    account.advance(40)
    account.post("faults", [{"action": "sandbox:AddonHealth", "error": code}])
    assert addon(account) == ("DEGRADED", [code])
    account.post("faults", [{"action": "sandbox:AddonDeletion", "error": code, "count": 1}])
    account.eks.delete_addon(**at)
    account.advance(25)
    assert addon(account) == ("DELETE_FAILED", [code])
    account.eks.delete_addon(**at)
    account.advance(25)
    assert account.eks.list_addons(clusterName="prod")["addons"] == []


@pytest.mark.parametrize("code", UPDATES)
def test_an_update_of_an_addon_can_fail(account: Account, code: str) -> None:
    account.cluster()
    at = {"clusterName": "prod", "addonName": "vpc-cni"}
    account.eks.create_addon(**at)
    account.advance(40)
    account.post("faults", [{"action": "sandbox:AddonUpdate", "error": code, "count": 1}])
    update = account.eks.update_addon(**at, configurationValues="{}")["update"]
    account.advance(31)
    found = account.eks.describe_update(name="prod", addonName="vpc-cni", updateId=update["id"])
    assert found["update"]["status"] == "Failed"
    assert [one["errorCode"] for one in found["update"]["errors"]] == [code]
    assert addon(account)[0] == "UPDATE_FAILED"
    account.eks.update_addon(**at, configurationValues="{}")
    account.advance(31)
    assert addon(account) == ("ACTIVE", [])


def test_an_update_of_an_addon_in_progress_refuses_another(
    account: Account, refusal: Refusal
) -> None:
    account.cluster()
    at = {"clusterName": "prod", "addonName": "vpc-cni"}
    account.eks.create_addon(**at)
    assert refusal(account.eks.update_addon, **at, configurationValues="{}")[:2] == (
        "ResourceInUseException",
        409,
    )
    account.advance(40)
    account.eks.update_addon(**at, configurationValues="{}")
    assert refusal(account.eks.update_addon, **at)[:2] == ("ResourceInUseException", 409)


@pytest.mark.parametrize("action", ["ClusterHealth", "NodegroupIssue", "AddonUpdate"])
def test_a_code_that_eks_does_not_have_is_refused(account: Account, action: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        account.post("faults", [{"action": f"sandbox:{action}", "error": "Nonsense"}])

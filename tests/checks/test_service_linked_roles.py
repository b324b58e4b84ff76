"""Service-linked roles: there, makeable, not makeable, not known."""

from __future__ import annotations

from typing import Any

import pytest

from checks.service_linked_roles import service_linked_roles
from preflight.finding import Status

EKS = "AWSServiceRoleForAmazonEKS"
SPOT = "AWSServiceRoleForEC2Spot"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SPOT_TOO = [{"type": "m7i.large", "capacity": ["on-demand", "spot"]}]


def no_roles_but(service: str) -> dict[str, Any]:
    condition = {"StringNotEquals": {"iam:AWSServiceName": service}}
    action = "iam:CreateServiceLinkedRole"
    return {"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition}


def test_in_a_new_account_they_may_be_made(bench: Any) -> None:
    found = bench.ask(service_linked_roles, bench.context(instance_types=SPOT_TOO))

    assert {one.status for one in found.values()} == {Status.PASS}
    assert {EKS, SPOT, "AWSServiceRoleForAmazonEKSNodegroup"} <= found.keys()
    assert found[SPOT].data == {
        "role": "arn:aws:iam::111122223333:role/aws-service-role/spot.amazonaws.com/" + SPOT,
        "service": "spot.amazonaws.com",
        "present": False,
    }


def test_what_may_be_made_is_judged_by_the_name_of_the_service(bench: Any) -> None:
    context = bench.as_builder(ALL, no_roles_but("eks.amazonaws.com"))

    found = bench.ask(service_linked_roles, context)

    assert found[EKS].status is Status.PASS
    assert found["AWSServiceRoleForAmazonEKSNodegroup"].status is Status.FAIL
    assert (
        "--aws-service-name eks-nodegroup.amazonaws.com"
        in found["AWSServiceRoleForAmazonEKSNodegroup"].hint
    )


def test_one_that_is_there_needs_no_right_to_make_it(bench: Any) -> None:
    context = bench.as_builder(ALL, no_roles_but("eks.amazonaws.com"))
    for service in ("eks-nodegroup.amazonaws.com", "guardduty.amazonaws.com"):
        bench.aws().call("iam", "CreateServiceLinkedRole", AWSServiceName=service)

    found = bench.ask(service_linked_roles, context)

    assert {one.status for one in found.values()} == {Status.PASS}
    assert found["AWSServiceRoleForAmazonEKSNodegroup"].data["present"] is True


@pytest.mark.parametrize("action", ["iam:ListRoles", "iam:SimulatePrincipalPolicy"])
def test_what_may_not_be_looked_at_is_unknown(bench: Any, action: str) -> None:
    context = bench.context()
    bench.deny(action)

    found = bench.ask(service_linked_roles, context)

    assert {one.status for one in found.values()} == {Status.UNKNOWN}
    assert {one.data["missing_action"] for one in found.values()} == {action}


def test_a_boundary_that_asks_for_the_name_of_the_service_is_heard(bench: Any) -> None:
    # Without the key nothing is denied: only whoever reads the boundary knows that it asks for it.
    denied = no_roles_but("eks-nodegroup.amazonaws.com")
    denied["Condition"] = {"StringEquals": denied["Condition"].pop("StringNotEquals")}
    edge = bench.document(ALL, denied)
    context = bench.as_builder(ALL, boundary=edge)

    found = bench.ask(service_linked_roles, context)

    assert found[EKS].status is Status.PASS
    assert found["AWSServiceRoleForAmazonEKSNodegroup"].status is Status.FAIL
    assert found["AWSServiceRoleForAmazonEKSNodegroup"].data["layer"] == "boundary"

"""Permissions: which kind of policy denies, and on what condition."""

from __future__ import annotations

from typing import Any

import pytest

from checks.permissions import permissions
from preflight.actions import Action
from preflight.finding import Status

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
EXCLUSIONS = "PolicyExclusionList"


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*", **more}


def test_what_no_policy_allows_fails_with_the_policy_to_attach(bench: Any) -> None:
    context = bench.as_user({"Effect": "Allow", "NotAction": ["eks:*"], "Resource": "*"})

    found = bench.ask(permissions, context)["eks:CreateCluster"]

    assert (found.status, found.data["decision"]) == (Status.FAIL, "implicitDeny")
    assert "nothing allows it" in found.message
    assert "preflight permissions" in found.hint


def test_a_denying_statement_is_named_with_its_place(bench: Any) -> None:
    found = bench.ask(permissions, bench.as_user(ALL, deny("ec2:CreateVpc")))["ec2:CreateVpc"]

    assert found.data["decision"] == "explicitDeny"
    assert found.data["statements"]
    assert found.data["statements"][0] in found.hint


def test_a_boundary_that_does_not_allow_is_named_as_the_layer(bench: Any) -> None:
    boundary = bench.document(ALL, deny("eks:*"))

    found = bench.ask(permissions, bench.as_user(boundary=boundary))

    assert found["eks:CreateCluster"].status is Status.FAIL
    assert found["eks:CreateCluster"].data["layer"] == "boundary"
    assert "boundary" in found["eks:CreateCluster"].hint
    assert found["ec2"].status is Status.PASS


def test_a_denial_of_policy_and_boundary_is_laid_to_the_policy(bench: Any) -> None:
    boundary = bench.document(ALL, deny("eks:*"))

    found = bench.ask(permissions, bench.as_user(ALL, deny("eks:*"), boundary=boundary))

    assert found["eks:CreateCluster"].data["layer"] == "identity"


def test_an_scp_that_denies_is_named_as_the_layer(bench: Any) -> None:
    found = bench.ask(permissions, bench.as_user(scps=[bench.document(deny("eks:*"))]))

    assert found["eks:CreateCluster"].status is Status.FAIL
    assert found["eks:CreateCluster"].data["layer"] == "scp"
    assert "eks" not in found


def test_an_scp_that_a_simulator_cannot_leave_out_only_warns(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = bench.as_user(scps=[bench.document(deny("eks:*"))])
    # As in botocore before 1.43.60, whose model of IAM has no exclusions.
    shape = bench.loader.load_service_model("iam", "service-2")["shapes"]
    members = dict(shape["SimulatePrincipalPolicyRequest"]["members"])
    members.pop(EXCLUSIONS)
    monkeypatch.setitem(shape["SimulatePrincipalPolicyRequest"], "members", members)

    found = bench.ask(permissions, context)["eks:CreateCluster"]

    assert (found.status, found.data["layer"]) == (Status.WARN, "scp")
    assert "conditional SCP" in found.message


def test_a_region_that_an_scp_forbids_spares_iam_where_it_lives(bench: Any) -> None:
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}
    # The simulator itself is not the question here.
    forbids = {"Effect": "Deny", "NotAction": "iam:Simulate*", "Resource": "*"}
    scp = bench.document({**forbids, "Condition": elsewhere})
    context = bench.as_builder(scps=[scp])
    wanted = (Action(name="ec2:CreateVpc"), Action(name="iam:CreateRole"))

    found = bench.statuses(permissions, bench.needing(context, *wanted))

    assert found["ec2:CreateVpc"] is Status.FAIL
    assert found["iam"] is Status.PASS


def test_a_value_that_only_an_scp_asks_for_is_asked_about(bench: Any) -> None:
    later = {"StringEquals": {"ec2:CreateAction": "CreateSubnet"}}
    scp = bench.document(deny("ec2:CreateTags", Condition=later))
    context = bench.as_builder(scps=[scp])
    wanted = [action for action in context.plan.actions if action.name == "ec2:CreateTags"]

    found = bench.ask(permissions, bench.needing(context, *wanted))["ec2:CreateTags"]

    assert found.status is Status.FAIL
    assert found.data["resources"] == ["arn:aws:ec2:us-west-2:111122223333:subnet/*"]


def test_a_value_that_a_policy_asks_for_is_asked_about(bench: Any) -> None:
    later = {"StringEquals": {"ec2:CreateAction": "CreateSubnet"}}
    context = bench.as_builder(ALL, deny("ec2:CreateTags", Condition=later))
    wanted = [action for action in context.plan.actions if action.name == "ec2:CreateTags"]

    found = bench.ask(permissions, bench.needing(context, *wanted))["ec2:CreateTags"]

    assert found.status is Status.FAIL
    assert found.data["resources"] == ["arn:aws:ec2:us-west-2:111122223333:subnet/*"]


def test_conditions_on_what_the_call_carries_are_met(bench: Any) -> None:
    tagged = {"StringEquals": {"aws:RequestTag/preflight:cluster": "dev"}}
    passed = {"StringEquals": {"iam:PassedToService": "eks.amazonaws.com"}}
    narrow = ["ec2:CreateVpc", "iam:PassRole"]
    context = bench.as_builder(
        {"Effect": "Allow", "NotAction": narrow, "Resource": "*"},
        {"Effect": "Allow", "Action": "ec2:CreateVpc", "Resource": "*", "Condition": tagged},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": passed},
    )

    wanted = [action for action in context.plan.actions if action.name in narrow]

    found = bench.statuses(permissions, bench.needing(context, *wanted))

    assert found == {"ec2": Status.PASS, "iam": Status.PASS}


def test_resources_of_another_cluster_do_not_help(bench: Any) -> None:
    other = "arn:aws:iam::111122223333:role/preflight/other--us-west-2/*"
    context = bench.as_builder(
        {"Effect": "Allow", "NotAction": "iam:CreateRole", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:CreateRole", "Resource": other},
    )

    wanted = [action for action in context.plan.actions if action.name == "iam:CreateRole"]

    found = bench.ask(permissions, bench.needing(context, *wanted))["iam:CreateRole"]

    assert found.status is Status.FAIL
    assert all("/preflight/dev--us-west-2/" in arn for arn in found.data["resources"])


def test_a_key_that_only_a_real_request_carries_leaves_it_unknown(bench: Any) -> None:
    near = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    context = bench.as_user(
        {"Effect": "Allow", "NotAction": "ec2:CreateVpc", "Resource": "*"},
        {"Effect": "Allow", "Action": "ec2:CreateVpc", "Resource": "*", "Condition": near},
    )

    found = bench.ask(permissions, context)["ec2:CreateVpc"]

    assert found.status is Status.UNKNOWN
    assert found.data["missing_keys"] == ["aws:SourceIp"]


def test_a_key_of_another_action_does_not_cast_doubt(bench: Any) -> None:
    linked = {"StringEquals": {"iam:AWSServiceName": "eks.amazonaws.com"}}
    make = {"Action": "iam:CreateServiceLinkedRole", "Resource": "*", "Condition": linked}
    simulate = {"Action": "iam:SimulatePrincipalPolicy", "Resource": "*"}
    context = bench.as_builder({"Effect": "Allow", **simulate}, {"Effect": "Allow", **make})

    found = bench.statuses(permissions, bench.needing(context, Action(name="iam:CreateRole")))

    assert found["iam:CreateRole"] is Status.FAIL

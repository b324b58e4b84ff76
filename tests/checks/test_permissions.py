"""Permissions: every denial found, laid to the right layer, and never passed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from checks.permissions import permissions
from preflight.actions import Action
from preflight.finding import Status
from preflight.once import Once

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SOME = frozenset({"ec2:CreateVpc", "ec2:DescribeVpcs", "eks:CreateCluster", "eks:DeleteCluster"})


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*", **more}


def test_whoever_may_do_all_passes_in_few_calls(bench: Any) -> None:
    context = bench.as_builder()

    found = bench.ask(permissions, context)

    assert {finding.status for finding in found.values()} == {Status.PASS}
    named = {name for finding in found.values() for name in finding.data["actions"]}
    assert named == {action.name for action in context.plan.actions}
    assert context.aws.calls.by_operation["iam:SimulatePrincipalPolicy"] <= 13


def test_every_action_that_is_denied_fails_and_no_other(bench: Any) -> None:
    names = sorted({action.name for action in bench.context().plan.actions})
    for denied, left in ((names[::2], names[1::2]), (names[1::2], names[::2])):
        context = bench.as_builder(ALL, deny(*denied))

        found = bench.ask(permissions, context)

        failed = {subject for subject, one in found.items() if one.status is Status.FAIL}
        assert failed == set(denied)
        assert not failed & set(left)
        assert all(found[name].data["layer"] == "identity" for name in denied)


@pytest.mark.parametrize("name", sorted(SOME))
def test_one_denied_action_takes_the_pass_from_its_product_alone(bench: Any, name: str) -> None:
    found = bench.statuses(permissions, bench.as_user(ALL, deny(name)))

    assert found.pop(name) is Status.FAIL
    assert name.partition(":")[0] not in found
    assert set(found.values()) == {Status.PASS}


def test_a_service_linked_role_that_is_there_need_not_be_made(bench: Any) -> None:
    context = bench.as_builder(ALL, deny("iam:CreateServiceLinkedRole"))
    makes = [one for one in context.plan.actions if one.name == "iam:CreateServiceLinkedRole"]
    context = bench.needing(context, *makes)
    before = bench.ask(permissions, context)["iam:CreateServiceLinkedRole"]
    admin = bench.aws()
    for arn in before.data["resources"]:
        admin.call("iam", "CreateServiceLinkedRole", AWSServiceName=arn.split("/")[2])

    found = bench.statuses(permissions, replace(context, once=Once()))

    assert before.status is Status.FAIL
    assert "iam:CreateServiceLinkedRole" not in found
    assert set(found.values()) == {Status.PASS}


def test_a_role_session_is_simulated_under_its_path(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder", ALL, deny("ec2:CreateVpc"), path="/a/b/")])
    aws = bench.aws().assume("arn:aws:iam::111122223333:role/a/b/builder")

    context = bench.needing(bench.context(aws), Action(name="ec2:CreateVpc"))

    found = bench.ask(permissions, context)

    assert found["ec2:CreateVpc"].status is Status.FAIL
    assert "role/a/b/builder" in found["ec2:CreateVpc"].message


def test_a_role_whose_path_may_not_be_read_is_guessed_and_says_so(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder")])
    aws = bench.aws().assume("arn:aws:iam::111122223333:role/builder")
    context = bench.needing(bench.context(aws), Action(name="ec2:CreateVpc"))
    bench.deny("iam:GetRole")

    found = bench.ask(permissions, context)

    assert "guessed" in found["ec2"].message


def test_a_path_that_was_guessed_wrong_is_unknown(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder", path="/a/b/")])
    aws = bench.aws().assume("arn:aws:iam::111122223333:role/a/b/builder")
    context = bench.needing(bench.context(aws), Action(name="ec2:CreateVpc"))
    bench.deny("iam:GetRole")

    found = bench.ask(permissions, context)

    assert set(found) == {"simulation"}
    assert found["simulation"].status is Status.UNKNOWN
    assert "iam:GetRole" in found["simulation"].hint


def test_no_right_to_simulate_is_one_unknown_with_the_command_to_grant_it(bench: Any) -> None:
    context = bench.as_user(ALL, deny("iam:SimulatePrincipalPolicy"))

    found = bench.ask(permissions, context)

    assert set(found) == {"simulation"}
    assert found["simulation"].status is Status.UNKNOWN
    assert found["simulation"].data["missing_action"] == "iam:SimulatePrincipalPolicy"
    command, _, granted = found["simulation"].hint.partition(" --policy-document ")
    assert command.startswith("aws iam put-user-policy --user-name alice ")
    assert json.loads(granted.strip("'"))["Statement"][0]["Resource"].endswith(":user/alice")


def test_actions_that_cannot_share_a_call_are_asked_apart(bench: Any) -> None:
    names = ("ec2:DescribeVpcs", "ec2:DescribeSubnets", "s3:ListAllMyBuckets")
    context = bench.needing(
        bench.as_builder(ALL, deny(names[1])), *(Action(name=name) for name in names)
    )
    both = f"[{names[1]},{names[0]}] and [{names[2]}]"
    bench.fault(
        {
            "action": "iam:SimulatePrincipalPolicy",
            "error": "InvalidInput",
            "message": f"Invalid Input Actions: {both} require different authorization information",
            "count": 1,
        }
    )

    found = bench.statuses(permissions, context)

    assert found[names[1]] is Status.FAIL
    assert found["s3"] is Status.PASS


def test_actions_are_halved_when_the_simulator_does_not_say_which_do_not_fit(bench: Any) -> None:
    names = tuple(f"ec2:Describe{thing}" for thing in ("Vpcs", "Subnets", "Images", "Hosts"))
    context = bench.needing(bench.as_builder(), *(Action(name=name) for name in names))
    message = "Invalid Input Actions: they require different authorization information"
    fault = {"action": "iam:SimulatePrincipalPolicy", "error": "InvalidInput", "count": 2}
    bench.fault({**fault, "message": message})

    assert bench.statuses(permissions, context)["ec2"] is Status.PASS


def test_a_request_the_simulator_refuses_is_one_unknown_and_not_asked_again(bench: Any) -> None:
    context = bench.needing(bench.as_builder(), Action(name="ec2:DescribeVpcs"))
    message = "Invalid Entity Arn: it does not clearly define entity type and name."
    fault = {"action": "iam:SimulatePrincipalPolicy", "error": "InvalidInput"}
    bench.fault({**fault, "message": message})

    assert bench.statuses(permissions, context) == {"simulation": Status.UNKNOWN}
    assert context.aws.calls.by_operation["iam:SimulatePrincipalPolicy"] <= 3


def test_what_a_check_of_somebody_else_looks_with_is_asked_about_too(bench: Any) -> None:
    name = "cloudtrail:LookupEvents"
    context = bench.as_builder(ALL, deny(name))
    theirs = replace(context.checks[0], id="theirs", actions=frozenset({name}))

    more = replace(context, checks=(*context.checks, theirs), once=Once())

    before, after = bench.ask(permissions, context), bench.ask(permissions, more)

    assert {one.status for one in before.values()} == {Status.PASS}
    assert (after["actions of checks"].status, after["actions of checks"].data["actions"]) == (
        Status.WARN,
        [name],
    )


def test_what_only_checks_look_with_is_a_warning(bench: Any) -> None:
    found = bench.ask(permissions, bench.as_user(ALL, deny("ec2:DescribeInstanceTypeOfferings")))

    assert found["actions of checks"].status is Status.WARN
    assert found["actions of checks"].data["actions"] == ["ec2:DescribeInstanceTypeOfferings"]
    assert found["ec2"].status is Status.PASS


def test_a_federated_user_cannot_be_simulated(bench: Any) -> None:
    context = bench.as_builder()
    federated = context.aws.identity.arn.replace(":iam:", ":sts:").replace(
        "user/", "federated-user/"
    )
    context.aws.__dict__["identity"] = replace(context.aws.identity, arn=federated)

    assert bench.statuses(permissions, context) == {"simulation": Status.UNKNOWN}


def test_the_root_user_passes_where_no_organization_binds_it(bench: Any) -> None:
    context = bench.as_builder()
    root = replace(context.aws.identity, arn="arn:aws:iam::111122223333:root")
    context.aws.__dict__["identity"] = root

    assert bench.statuses(permissions, context) == {
        "identity policies": Status.PASS,
        "service control policies": Status.PASS,
    }

"""Permissions: every denial found, laid to the right layer, and never passed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from checks.permissions import permissions
from preflight.actions import Action
from preflight.finding import Status
from preflight.plan import Plan
from preflight.resource import Resource

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
EXCLUSIONS = "PolicyExclusionList"
#: Simulating a whole plan takes a while; where it does not matter, this stands for it.
SOME = frozenset({"ec2:CreateVpc", "ec2:DescribeVpcs", "eks:CreateCluster", "eks:DeleteCluster"})


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*", **more}


class Needs(Resource):
    """Something that needs what a test says, and is never built."""

    kind = "test/needs"
    creates = ()
    wanted: tuple[Action, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "creates", self.wanted)

    def create(self, aws: Any, ids: Any, token: str) -> str:
        raise NotImplementedError

    @classmethod
    def find(cls, aws: Any, owner: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def delete(cls, aws: Any, found: Any) -> None:
        raise NotImplementedError


def needing(context: Any, *wanted: Action) -> Any:
    plan = Plan(owner=context.plan.owner, resources=(Needs(name="all", wanted=wanted),))
    return replace(context, plan=plan)


def as_user(bench: Any, *statements: Any, **more: Any) -> Any:
    """Be alice, with a plan of some actions only."""
    context = as_builder(bench, *statements, **more)
    return needing(context, *(one for one in context.plan.actions if one.name in SOME))


def as_builder(bench: Any, *statements: Any, **more: Any) -> Any:
    """Be alice, with a whole plan."""
    scps = {"scps": more.pop("scps")} if "scps" in more else {}
    bench.begin(principals=[bench.user("alice", *statements, **more)], **scps)
    return bench.context(bench.aws("alice"))


def test_whoever_may_do_all_passes_in_few_calls(bench: Any) -> None:
    context = as_builder(bench)

    found = bench.ask(permissions, context)

    assert {finding.status for finding in found.values()} == {Status.PASS}
    named = {name for finding in found.values() for name in finding.data["actions"]}
    assert named == {action.name for action in context.plan.actions}
    assert context.aws.calls.by_operation["iam:SimulatePrincipalPolicy"] <= 10


def test_every_action_that_is_denied_fails_and_no_other(bench: Any) -> None:
    names = sorted({action.name for action in bench.context().plan.actions})
    for denied, left in ((names[::2], names[1::2]), (names[1::2], names[::2])):
        context = as_builder(bench, ALL, deny(*denied))

        found = bench.ask(permissions, context)

        failed = {subject for subject, one in found.items() if one.status is Status.FAIL}
        assert failed == set(denied)
        assert not failed & set(left)
        assert all(found[name].data["layer"] == "identity" for name in denied)


@pytest.mark.parametrize("name", sorted(SOME))
def test_one_denied_action_takes_the_pass_from_its_product_alone(bench: Any, name: str) -> None:
    found = bench.statuses(permissions, as_user(bench, ALL, deny(name)))

    assert found.pop(name) is Status.FAIL
    assert name.partition(":")[0] not in found
    assert set(found.values()) == {Status.PASS}


def test_what_no_policy_allows_fails_with_the_policy_to_attach(bench: Any) -> None:
    context = as_user(bench, {"Effect": "Allow", "NotAction": ["eks:*"], "Resource": "*"})

    found = bench.ask(permissions, context)["eks:CreateCluster"]

    assert (found.status, found.data["decision"]) == (Status.FAIL, "implicitDeny")
    assert "nothing allows it" in found.message
    assert "preflight permissions" in found.hint


def test_a_denying_statement_is_named_with_its_place(bench: Any) -> None:
    found = bench.ask(permissions, as_user(bench, ALL, deny("ec2:CreateVpc")))["ec2:CreateVpc"]

    assert found.data["decision"] == "explicitDeny"
    assert found.data["statements"]
    assert found.data["statements"][0] in found.hint


def test_a_boundary_that_does_not_allow_is_named_as_the_layer(bench: Any) -> None:
    boundary = bench.document(ALL, deny("eks:*"))

    found = bench.ask(permissions, as_user(bench, boundary=boundary))

    assert found["eks:CreateCluster"].status is Status.FAIL
    assert found["eks:CreateCluster"].data["layer"] == "boundary"
    assert "boundary" in found["eks:CreateCluster"].hint
    assert found["ec2"].status is Status.PASS


def test_a_denial_of_policy_and_boundary_is_laid_to_the_policy(bench: Any) -> None:
    boundary = bench.document(ALL, deny("eks:*"))

    found = bench.ask(permissions, as_user(bench, ALL, deny("eks:*"), boundary=boundary))

    assert found["eks:CreateCluster"].data["layer"] == "identity"


def test_an_scp_that_denies_is_named_as_the_layer(bench: Any) -> None:
    found = bench.ask(permissions, as_user(bench, scps=[bench.document(deny("eks:*"))]))

    assert found["eks:CreateCluster"].status is Status.FAIL
    assert found["eks:CreateCluster"].data["layer"] == "scp"
    assert "eks" not in found


def test_an_scp_that_a_simulator_cannot_leave_out_only_warns(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = as_user(bench, scps=[bench.document(deny("eks:*"))])
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
    context = as_builder(bench, scps=[scp])
    wanted = (Action(name="ec2:CreateVpc"), Action(name="iam:CreateRole"))

    found = bench.statuses(permissions, needing(context, *wanted))

    assert found["ec2:CreateVpc"] is Status.FAIL
    assert found["iam"] is Status.PASS


def test_a_value_that_only_an_scp_asks_for_is_asked_about(bench: Any) -> None:
    later = {"StringEquals": {"ec2:CreateAction": "CreateSubnet"}}
    scp = bench.document(deny("ec2:CreateTags", Condition=later))
    context = as_builder(bench, scps=[scp])
    wanted = [action for action in context.plan.actions if action.name == "ec2:CreateTags"]

    found = bench.ask(permissions, needing(context, *wanted))["ec2:CreateTags"]

    assert found.status is Status.FAIL
    assert found.data["resources"] == ["arn:aws:ec2:us-west-2:111122223333:subnet/*"]


def test_a_value_that_a_policy_asks_for_is_asked_about(bench: Any) -> None:
    later = {"StringEquals": {"ec2:CreateAction": "CreateSubnet"}}
    context = as_builder(bench, ALL, deny("ec2:CreateTags", Condition=later))
    wanted = [action for action in context.plan.actions if action.name == "ec2:CreateTags"]

    found = bench.ask(permissions, needing(context, *wanted))["ec2:CreateTags"]

    assert found.status is Status.FAIL
    assert found.data["resources"] == ["arn:aws:ec2:us-west-2:111122223333:subnet/*"]


def test_conditions_on_what_the_call_carries_are_met(bench: Any) -> None:
    tagged = {"StringEquals": {"aws:RequestTag/preflight:cluster": "dev"}}
    passed = {"StringEquals": {"iam:PassedToService": "eks.amazonaws.com"}}
    narrow = ["ec2:CreateVpc", "iam:PassRole"]
    context = as_builder(
        bench,
        {"Effect": "Allow", "NotAction": narrow, "Resource": "*"},
        {"Effect": "Allow", "Action": "ec2:CreateVpc", "Resource": "*", "Condition": tagged},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": passed},
    )

    wanted = [action for action in context.plan.actions if action.name in narrow]

    found = bench.statuses(permissions, needing(context, *wanted))

    assert found == {"ec2": Status.PASS, "iam": Status.PASS}


def test_resources_of_another_cluster_do_not_help(bench: Any) -> None:
    other = "arn:aws:iam::111122223333:role/preflight/other--us-west-2/*"
    context = as_builder(
        bench,
        {"Effect": "Allow", "NotAction": "iam:CreateRole", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:CreateRole", "Resource": other},
    )

    wanted = [action for action in context.plan.actions if action.name == "iam:CreateRole"]

    found = bench.ask(permissions, needing(context, *wanted))["iam:CreateRole"]

    assert found.status is Status.FAIL
    assert all("/preflight/dev--us-west-2/" in arn for arn in found.data["resources"])


def test_a_key_that_only_a_real_request_carries_leaves_it_unknown(bench: Any) -> None:
    near = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    context = as_user(
        bench,
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
    context = as_builder(bench, {"Effect": "Allow", **simulate}, {"Effect": "Allow", **make})

    found = bench.statuses(permissions, needing(context, Action(name="iam:CreateRole")))

    assert found["iam:CreateRole"] is Status.FAIL


def test_a_service_linked_role_that_is_there_need_not_be_made(bench: Any) -> None:
    context = as_builder(bench, ALL, deny("iam:CreateServiceLinkedRole"))
    makes = [one for one in context.plan.actions if one.name == "iam:CreateServiceLinkedRole"]
    context = needing(context, *makes)
    before = bench.ask(permissions, context)["iam:CreateServiceLinkedRole"]
    admin = bench.aws()
    for arn in before.data["resources"]:
        admin.call("iam", "CreateServiceLinkedRole", AWSServiceName=arn.split("/")[2])

    found = bench.statuses(permissions, context)

    assert before.status is Status.FAIL
    assert "iam:CreateServiceLinkedRole" not in found
    assert set(found.values()) == {Status.PASS}


def test_a_role_session_is_simulated_under_its_path(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder", ALL, deny("ec2:CreateVpc"), path="/a/b/")])
    aws = bench.aws().assume("arn:aws:iam::111122223333:role/a/b/builder")

    context = needing(bench.context(aws), Action(name="ec2:CreateVpc"))

    found = bench.ask(permissions, context)

    assert found["ec2:CreateVpc"].status is Status.FAIL
    assert "role/a/b/builder" in found["ec2:CreateVpc"].message


def test_a_role_whose_path_may_not_be_read_is_guessed_and_says_so(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder")])
    aws = bench.aws().assume("arn:aws:iam::111122223333:role/builder")
    context = needing(bench.context(aws), Action(name="ec2:CreateVpc"))
    bench.deny("iam:GetRole")

    found = bench.ask(permissions, context)

    assert "guessed" in found["ec2"].message


def test_a_path_that_was_guessed_wrong_is_unknown(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder", path="/a/b/")])
    aws = bench.aws().assume("arn:aws:iam::111122223333:role/a/b/builder")
    context = needing(bench.context(aws), Action(name="ec2:CreateVpc"))
    bench.deny("iam:GetRole")

    found = bench.ask(permissions, context)

    assert set(found) == {"simulation"}
    assert found["simulation"].status is Status.UNKNOWN
    assert "iam:GetRole" in found["simulation"].hint


def test_no_right_to_simulate_is_one_unknown_with_the_command_to_grant_it(bench: Any) -> None:
    context = as_user(bench, ALL, deny("iam:SimulatePrincipalPolicy"))

    found = bench.ask(permissions, context)

    assert set(found) == {"simulation"}
    assert found["simulation"].status is Status.UNKNOWN
    assert found["simulation"].data["missing_action"] == "iam:SimulatePrincipalPolicy"
    command, _, granted = found["simulation"].hint.partition(" --policy-document ")
    assert command.startswith("aws iam put-user-policy --user-name alice ")
    assert json.loads(granted.strip("'"))["Statement"][0]["Resource"].endswith(":user/alice")


def test_actions_that_cannot_share_a_call_are_asked_apart(bench: Any) -> None:
    names = ("ec2:DescribeVpcs", "ec2:DescribeSubnets", "s3:ListAllMyBuckets")
    context = needing(
        as_builder(bench, ALL, deny(names[1])), *(Action(name=name) for name in names)
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
    context = needing(as_builder(bench), *(Action(name=name) for name in names))
    message = "Invalid Input Actions: they require different authorization information"
    fault = {"action": "iam:SimulatePrincipalPolicy", "error": "InvalidInput", "count": 2}
    bench.fault({**fault, "message": message})

    assert bench.statuses(permissions, context)["ec2"] is Status.PASS


def test_a_request_the_simulator_refuses_is_one_unknown_and_not_asked_again(bench: Any) -> None:
    context = needing(as_builder(bench), Action(name="ec2:DescribeVpcs"))
    message = "Invalid Entity Arn: it does not clearly define entity type and name."
    fault = {"action": "iam:SimulatePrincipalPolicy", "error": "InvalidInput"}
    bench.fault({**fault, "message": message})

    assert bench.statuses(permissions, context) == {"simulation": Status.UNKNOWN}
    assert context.aws.calls.by_operation["iam:SimulatePrincipalPolicy"] <= 3


def test_what_only_checks_look_with_is_a_warning(bench: Any) -> None:
    found = bench.ask(permissions, as_user(bench, ALL, deny("ec2:DescribeInstanceTypeOfferings")))

    assert found["actions of checks"].status is Status.WARN
    assert found["actions of checks"].data["actions"] == ["ec2:DescribeInstanceTypeOfferings"]
    assert found["ec2"].status is Status.PASS


def test_a_federated_user_cannot_be_simulated(bench: Any) -> None:
    context = as_builder(bench)
    federated = context.aws.identity.arn.replace(":iam:", ":sts:").replace(
        "user/", "federated-user/"
    )
    context.aws.__dict__["identity"] = replace(context.aws.identity, arn=federated)

    assert bench.statuses(permissions, context) == {"simulation": Status.UNKNOWN}


def test_the_root_user_passes_only_as_far_as_is_known(bench: Any) -> None:
    context = as_builder(bench)
    root = replace(context.aws.identity, arn="arn:aws:iam::111122223333:root")
    context.aws.__dict__["identity"] = root

    assert bench.statuses(permissions, context) == {
        "identity policies": Status.PASS,
        "service control policies": Status.WARN,
    }

"""What users of other tools complained of, and what those tools get wrong, one test for each.

`ANSWERED` says which test answers which complaint; those that no other file has are here.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest

from checks.builtin import CHECKS
from checks.permissions import asked, permissions
from checks.role_found import RoleFound
from checks.simulation import ask
from checks.vendor_role import judge
from preflight import profile
from preflight.actions import PREFIXES, RENAMED, Action
from preflight.aws import Aws
from preflight.finding import Status

TESTS = Path(__file__).parents[1]
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ROLE = "arn:aws:iam::111122223333:role/"
#: Who complained of what, by the names of the tests.
ANSWERED: Mapping[str, str] = {
    # SCPs, and conditions in them
    "openshift/installer#4048 #4730, sagemaker-python-sdk#6019 #6029: a conditional SCP": """
        test_an_scp_that_a_simulator_cannot_leave_out_only_warns""",
    "openshift/installer#3490: an SCP on the Region, on tags, a boundary": """
        test_a_region_that_an_scp_forbids_spares_iam_where_it_lives
        test_an_scp_that_protects_somebody_else_s_tags_lets_ours_be
        test_a_boundary_that_does_not_allow_is_named_as_the_layer""",
    "openshift-docs#25144, rosa#420 #60: what an SCP denial says": """
        test_a_denial_of_an_scp_says_whom_to_ask_and_how_to_go_on""",
    "enhancements#324, newrelic-lambda-cli#96: a way round the check": """
        test_a_waiver_opens_the_gate_for_one_check_and_stays_on_the_finding""",
    "openshift/installer#10081: no right to simulate": """
        test_no_right_to_simulate_is_one_unknown_with_the_command_to_grant_it
        test_the_policies_are_read_where_the_simulator_is_denied""",
    "amazon-ecs-exec-checker#70, aws-toolkit-vscode#3106: an admin and an SCP": """
        test_an_scp_that_denies_is_named_as_the_layer""",
    "aws-sdk#102, aws-cli#5861: simulation without SCPs": """
        test_an_scp_that_denies_is_named_as_the_layer
        test_an_scp_that_a_simulator_cannot_leave_out_only_warns""",
    "aws-cli#10525: keys of SCPs that are not told": """
        test_an_scp_that_spares_one_principal_or_account_is_asked_with_them
        test_a_value_that_only_an_scp_asks_for_is_asked_about""",
    # the simulator
    "aws-cli#10314: trust policies are not simulated": """
        test_a_role_as_made_is_verified_down_to_a_refused_wrong_external_id""",
    "aws-cli#8650, cloud-custodian#4769: names that the simulator does not take": """
        test_every_action_asked_about_is_one_that_the_simulator_takes""",
    "boto3#2084, aws-sdk-java-v2#1751 #2280: wrong without context keys": """
        test_conditions_on_what_the_call_carries_are_met
        test_keys_that_every_call_carries_are_given""",
    "boto3#3111: missing keys of statements that do not matter": """
        test_a_key_of_another_action_does_not_cast_doubt
        test_a_key_of_a_statement_about_another_action_leaves_a_denial_one
        test_a_doubt_that_nobody_may_read_up_on_stays_one""",
    "cloud-custodian#7641, PMapper#1 #6: throttled": """
        test_a_simulator_that_throttles_is_asked_again
        test_whoever_may_do_all_passes_in_few_calls
        test_every_question_is_asked_once_within_limits_and_in_its_own_context""",
    "cloud-custodian#5531 #7012: boundaries": """
        test_a_boundary_that_does_not_allow_is_named_as_the_layer
        test_a_boundary_is_read_for_keys_that_the_simulator_does_not_tell""",
    "cloud-custodian: the first page only": """
        test_a_denial_on_the_last_page_of_an_answer_is_found""",
    # who it is
    "amazon-ecs-exec-checker#10, rosa: an assumed role, and its path": """
        test_a_role_session_is_simulated_under_its_path""",
    "teleport#65984, OSMO#865, serverless#13652: the path of an SSO role": """
        test_a_role_of_identity_center_is_simulated_under_its_path
        test_a_path_that_was_guessed_wrong_is_unknown""",
    "rosa, installer, lacework: root passes": """
        test_the_root_user_passes_where_no_organization_binds_it
        test_scps_bind_the_root_user_of_a_member_account_and_no_other""",
    "terraform-provider-rhcs#1353: a denied look taken for a failure": """
        test_no_right_to_simulate_is_one_unknown_with_the_command_to_grant_it
        test_a_caller_whom_the_role_does_not_trust_cannot_try_it""",
    "terraform-provider-databricks#951: right after the role was made": """
        test_a_role_that_was_just_made_is_waited_for""",
    # the request
    "aws-parallelcluster#4820: a trial that is not the real request": """
        test_ec2_is_asked_for_a_trial_of_the_very_request_and_nothing_is_made""",
    "aws-parallelcluster#1779: a trial does not see limits": """
        test_a_trial_that_meets_a_limit_says_nothing_of_permissions""",
    "eksctl#834: what a launch template needs of the caller": """
        test_what_nodes_of_a_launch_template_need_of_the_builder_is_asked""",
    "terraform-aws-eks#823 #2018: iam:GetRole on the service-linked role": """
        test_what_nodes_of_a_launch_template_need_of_the_builder_is_asked""",
    "every peer: no PassRole, no service-linked role, in its context": """
        test_conditions_on_what_the_call_carries_are_met
        test_a_key_of_another_action_does_not_cast_doubt""",
    # how it is judged
    "anyscale, lacework: Deny is not read": """
        test_every_action_that_is_denied_fails_and_no_other""",
    "anyscale: a wildcard is not expanded": """
        test_the_policies_are_read_where_the_simulator_is_denied""",
    "anyscale, rosa: 0 at the end although it failed": """
        test_the_wrong_account_closes_the_gate_and_refuses_a_build
        test_a_principal_is_tested_by_simulation""",
    "openshift/installer: the case of an action": """
        test_every_action_is_spelt_as_its_operation_is""",
    "rosa: the Region as a list": """
        test_a_key_with_one_value_is_given_as_one""",
    "anyscale, rosa: the forms of a trust policy": """
        test_a_trust_policy_is_understood_in_whatever_form_it_comes""",
    "technical-services-solutions#63: deleting a role that somebody else made": """
        test_a_role_that_somebody_else_made_is_not_deleted""",
    "lightning: a name with a line break at its end": """
        test_a_problem_says_what_is_wrong_and_where""",
}


@cache
def names_of_tests() -> frozenset[str]:
    return frozenset(
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("complaint", ANSWERED)
def test_every_complaint_has_a_test(complaint: str) -> None:
    named = ANSWERED[complaint].split()

    assert named
    assert set(named) <= names_of_tests()


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*", **more}


def test_an_scp_that_protects_somebody_else_s_tags_lets_ours_be(bench: Any) -> None:
    theirs = {"ForAnyValue:StringEquals": {"aws:TagKeys": ["cost-centre"]}}
    ours = {"ForAnyValue:StringEquals": {"aws:TagKeys": ["preflight:cluster"]}}
    for condition, status in ((theirs, Status.PASS), (ours, Status.FAIL)):
        scp = bench.document(deny("ec2:CreateVpc", Condition=condition))

        found = bench.ask(permissions, bench.as_user(scps=[scp]))

        assert (found.get("ec2:CreateVpc") or found["ec2"]).status is status


def test_a_denial_of_an_scp_says_whom_to_ask_and_how_to_go_on(bench: Any) -> None:
    found = bench.ask(permissions, bench.as_user(scps=[bench.document(deny("eks:*"))]))

    assert "service control policies" in found["eks:CreateCluster"].message
    assert "ask whoever runs the organization" in found["eks:CreateCluster"].hint
    assert "--waive permissions=REASON" in found["eks:CreateCluster"].hint


def test_every_action_asked_about_is_one_that_the_simulator_takes(bench: Any) -> None:
    planned, looks = asked(bench.context())

    for question in planned | looks:
        assert 3 <= len(question.action) <= 128
        assert question.action.replace(":", "").replace("-", "").isalnum()


def test_a_simulator_that_throttles_is_asked_again(bench: Any) -> None:
    context = bench.needing(bench.as_builder(), Action(name="ec2:DescribeVpcs"))
    bench.fault({"action": "iam:SimulatePrincipalPolicy", "error": "Throttling", "count": 2})

    assert bench.statuses(permissions, context)["ec2"] is Status.PASS


def test_a_denial_on_the_last_page_of_an_answer_is_found(bench: Any) -> None:
    names = ("ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeImages")
    for name in names:
        context = bench.as_builder(ALL, deny(name))
        wanted = bench.needing(context, *(Action(name=each) for each in names))
        bench.fault({"action": "iam:SimulatePrincipalPolicy", "effect": "page-size-1"})

        assert bench.statuses(permissions, wanted)[name] is Status.FAIL


def test_a_role_of_identity_center_is_simulated_under_its_path(bench: Any) -> None:
    name, path = (
        "AWSReservedSSO_Admin_0123456789abcdef",
        "/aws-reserved/sso.amazonaws.com/eu-west-1/",
    )
    bench.begin(principals=[bench.role(name, ALL, deny("ec2:CreateVpc"), path=path)])
    aws = bench.aws().assume(f"{ROLE}{path[1:]}{name}")

    found = bench.ask(permissions, bench.needing(bench.context(aws), Action(name="ec2:CreateVpc")))

    assert found["ec2:CreateVpc"].status is Status.FAIL
    assert f"{ROLE}{path[1:]}{name}" in found["ec2:CreateVpc"].message


def test_a_trial_that_meets_a_limit_says_nothing_of_permissions(bench: Any) -> None:
    no_simulation = deny("iam:SimulatePrincipalPolicy", "iam:ListUserPolicies")
    context = bench.as_builder(ALL, no_simulation)
    bench.fault({"action": "ec2:*", "error": "AddressLimitExceeded"})

    found = bench.ask(permissions, context)

    assert set(found) == {"simulation"}
    assert found["simulation"].status is Status.UNKNOWN
    assert found["simulation"].data["tried"] == {}


def test_what_nodes_of_a_launch_template_need_of_the_builder_is_asked(bench: Any) -> None:
    named = {action.name: action for action in bench.context().plan.actions}

    assert {"ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"} <= named.keys()
    roles = {
        arn for one in bench.context().plan.actions if one.name == "iam:GetRole" for arn in one.on
    }
    assert any(arn.endswith("/AWSServiceRoleForAmazonEKSNodegroup") for arn in roles)


def test_every_action_is_spelt_as_its_operation_is(bench: Any) -> None:
    clients = {prefix: client for client, prefix in PREFIXES.items() if client != "elb"}
    back = {action: operation for operation, action in RENAMED.items()}
    session = botocore.session.get_session()
    named = {action.name for action in bench.context().plan.actions if not action.by_hand}
    named |= {action for check in CHECKS for action in check.actions}
    unknown = set()
    for action in named:
        prefix, _, operation = back.get(action, action).partition(":")
        known = session.get_service_model(clients.get(prefix, prefix)).operation_names
        if operation not in known:
            unknown.add(action)

    assert unknown <= {"s3:DeleteObjectVersion"}


def test_a_key_with_one_value_is_given_as_one(bench: Any) -> None:
    single = {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}
    context = bench.as_builder({**ALL, "Condition": single})
    (question,) = asked(bench.needing(context, Action(name="ec2:DescribeVpcs")))[0]
    sent: list[dict[str, Any]] = []

    def note(params: Any, **_: Any) -> None:
        sent.append(dict(params))

    session = botocore.session.get_session()
    session.register("provide-client-params.iam.SimulatePrincipalPolicy", note)
    aws = Aws("us-west-2", session=boto3.Session(botocore_session=session))
    ask(aws, context.aws.identity.arn, [question])

    types = {one["ContextKeyName"]: one["ContextKeyType"] for one in sent[0]["ContextEntries"]}
    assert types["aws:RequestedRegion"] == "string"


VENDOR = "302180240179"
WITH_ID = {"StringEquals": {"sts:ExternalId": "the-id"}}


@pytest.mark.parametrize(
    ("change", "trusts", "closed"),
    [
        ({}, True, True),
        ({"Action": "sts:*"}, True, True),
        ({"Action": ["sts:TagSession", "STS:assumerole"]}, True, True),
        ({"Principal": {"AWS": VENDOR}}, True, True),
        ({"Principal": {"AWS": ["arn:aws:iam::999988887777:root", VENDOR]}}, True, True),
        ({"Principal": "*"}, True, True),
        ({"Condition": {"StringLike": {"sts:ExternalId": "the-*"}}}, True, True),
        ({"Condition": {"StringEquals": {"STS:externalid": ["another", "the-id"]}}}, True, True),
        ({"Condition": {"StringEqualsIfExists": WITH_ID["StringEquals"]}}, True, False),
        ({"Condition": {"StringLike": {"sts:ExternalId": "*"}}}, True, False),
        ({"Condition": {}}, True, False),
        ({"Action": "sts:AssumeRoleWithSAML"}, False, True),
        ({"Principal": {"AWS": "arn:aws:iam::999988887777:root"}}, False, True),
        ({"Effect": "Deny"}, False, True),
        ({"Condition": {"StringEquals": {"sts:ExternalId": "another"}}}, False, True),
    ],
)
@pytest.mark.parametrize("version", ["2012-10-17", "2008-10-17", None])
def test_a_trust_policy_is_understood_in_whatever_form_it_comes(
    change: dict[str, Any], trusts: bool, closed: bool, version: str | None
) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:root"},
        "Action": "sts:AssumeRole",
        "Condition": WITH_ID,
    }
    trust: dict[str, Any] = {"Statement": {**statement, **change}}
    if version is not None:
        trust["Version"] = version
    wanted = profile.load("grid").role
    assert wanted is not None
    found = RoleFound(arn=f"{ROLE}grid", name="grid", trust=trust, seconds=43200)

    by_subject = {one.subject: one.status for one in judge(wanted, found, "the-id", {})}

    assert (by_subject["trust"] is Status.PASS) is trusts
    assert (by_subject["external id"] is Status.PASS) is closed

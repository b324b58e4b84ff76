"""All checks at once: each is whole, and none passes over an action that was denied it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from checks.builtin import CHECKS
from preflight import gate
from preflight.actions import PREFIXES, RENAMED
from preflight.aws import Aws
from preflight.check import Check
from preflight.finding import Status

#: The quota checks have a file of tests of their own.
HERE = tuple(check for check in CHECKS if not check.id.startswith("quota"))
CLUSTER, ROLES = frozenset({"cluster dev"}), frozenset({"roles"})
BUCKETS = frozenset({"bucket dev--artifacts-18b640e326", "bucket dev--logs-18b640e326"})
LINKED_ROLES = frozenset(
    {f"AWSServiceRoleForAmazon{name}" for name in ("EKS", "EKSNodegroup", "GuardDuty")}
)
#: What may still pass when an action is denied, because it rests on something else.
RESTS_ON_OTHERS: dict[tuple[str, str], frozenset[str]] = {
    # Assuming the role, or getting a session, proves more than the Region's status.
    ("sts-regional-endpoint", "ec2:DescribeRegions"): frozenset({"us-west-2"}),
    # A user has nothing to assume.
    ("sts-regional-endpoint", "sts:AssumeRole"): frozenset({"us-west-2", "global endpoint"}),
    # The regional endpoint and the tokens of the global one are two questions.
    ("sts-regional-endpoint", "sts:GetSessionToken"): frozenset({"global endpoint"}),
    ("sts-regional-endpoint", "iam:GetAccountSummary"): frozenset({"us-west-2"}),
    ("region", "eks:DescribeClusterVersions"): frozenset({"us-west-2"}),
    ("prerequisites", "sts:GetCallerIdentity"): frozenset({"tools", "python", "state folder"}),
    # Each kind of name is looked for by itself; a cluster is described where one has the name.
    ("taken-names", "eks:ListClusters"): ROLES | BUCKETS,
    ("taken-names", "eks:DescribeCluster"): CLUSTER | ROLES | BUCKETS,
    ("taken-names", "iam:ListRoles"): CLUSTER | BUCKETS,
    ("taken-names", "s3:ListAllMyBuckets"): CLUSTER | ROLES,
    ("taken-names", "s3:ListBucket"): CLUSTER | ROLES,
    # The simulator knows the role under the path that was guessed, so that the guess is right.
    ("service-linked-roles", "iam:GetRole"): LINKED_ROLES,
}
#: Only the root user asks, who is tested where commands are.
ONLY_ROOT = ("permissions", "organizations:DescribeOrganization")
DENIALS = [
    (check, action)
    for check in HERE
    for action in sorted(check.actions)
    if (check.id, action) != ONLY_ROOT
]


def test_checks_have_unlike_ids_and_say_why_and_how() -> None:
    ids = [check.id for check in CHECKS]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", id) for id in ids)
    assert all(check.url.startswith("https://") for check in CHECKS)
    assert all(check.why.endswith(".") and check.fix.endswith(".") for check in CHECKS)


def test_the_callers_account_is_asked_about_first() -> None:
    order = [check.id for check in CHECKS]

    assert order[:5] == ["identity", "region", "sts-regional-endpoint", "names", "permissions"]
    assert order[-3:] == ["zones", "instance-types", "prerequisites"]


@pytest.mark.parametrize("check", HERE, ids=lambda check: str(check.id))
def test_a_check_makes_no_call_that_it_does_not_declare(bench: Any, check: Check) -> None:
    bench.begin(principals=[bench.role("builder", path="/a/")])
    role = "arn:aws:iam::111122223333:role/a/builder"
    for role_arn in (None, role):
        context = bench.context(bench.aws(), role_arn=role_arn)
        gate.run([check], context)
        assert context.aws.calls.actions <= check.actions


@pytest.mark.parametrize(
    ("check", "action"), DENIALS, ids=[f"{check.id}-{action}" for check, action in DENIALS]
)
def test_a_check_that_is_denied_an_action_does_not_pass(
    bench: Any, check: Check, action: str
) -> None:
    bench.begin(principals=[bench.role("builder")])
    aws = bench.aws()
    if action == "iam:GetRole":
        aws = aws.assume("arn:aws:iam::111122223333:role/builder")
    context = bench.context(aws)
    aws.__dict__.pop("identity", None)
    bench.deny(action)
    if action in {"ec2:DescribeAvailabilityZones", "ec2:DescribeInstanceTypes"}:
        context = bench.looked_up_anew(context)

    findings = gate.run([check], context).findings

    passed = {finding.subject for finding in findings if finding.status is Status.PASS}
    if (check.id, action) == ("permissions", "iam:GetRole"):
        # A guessed path that the simulator knows is right, and is said to be guessed.
        assert all("guessed" in finding.message for finding in findings)
        return
    assert passed <= RESTS_ON_OTHERS.get((check.id, action), frozenset())


def test_checks_declare_actions_by_iam_s_names_not_by_those_of_clients() -> None:
    prefixes = {action.partition(":")[0] for check in CHECKS for action in check.actions}

    assert not prefixes & PREFIXES.keys()
    assert not {action for check in CHECKS for action in check.actions} & RENAMED.keys()


def test_all_checks_stay_within_the_calls_they_may_make(bench: Any) -> None:
    context = bench.context(bench.aws())

    gate.run(CHECKS, context)

    made: Aws = context.aws
    assert made.calls.total <= 76, made.calls.by_operation  # 80 with those of the facts

"""Does the evaluator agree with one that nobody here wrote?

Made-up policies and questions are put to `preflight.policy` and to the local evaluation of NCC
Group's Principal Mapper (PyPI `principalmapper`), which lives in an environment of its own: it is
AGPL, no part of Preflight, and installed by whoever wants to run this. Identity policies, groups of
SCPs, a boundary, a session policy, and a resource policy in the same and in another account. A
difference that `cause_of` does not explain ends with 1 and the smallest case that shows it.

    python -m venv /tmp/other && /tmp/other/bin/pip install principalmapper
    python benchmarks/policy_compare.py /tmp/other/bin/python [--cases 4000] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import hypothesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from preflight.policy import Context, Policy, Principal, Request, evaluate

# Run by the other Python: one JSON case a line in, one decision a line out. The first lines give
# Principal Mapper what newer Pythons have moved.
OTHER = """
import collections, collections.abc, json, sys
for name in ("Mapping", "MutableMapping"):
    setattr(collections, name, getattr(collections.abc, name))
from principalmapper.common import Node, Policy
from principalmapper.querying.query_interface import local_check_authorization_full
def policy(document):
    return None if document is None else Policy("arn:aws:iam::111122223333:policy/p", "p", document)
for line in sys.stdin:
    case = json.loads(line)
    try:
        caller = Node(
            case["caller"], "ID", [policy(one) for one in case["identity"]], [],
            {"Statement": []} if ":role/" in case["caller"] else None, None, 0, False, False,
            policy(case["boundary"]), False, {},
        )
        allowed = local_check_authorization_full(
            caller, case["action"], case["resource"], case["context"],
            resource_policy=case["resource_policy"], resource_owner=case["owner"],
            service_control_policy_groups=[[policy(one) for one in level] for level in case["scps"]]
            or None,
            session_policy=case["session"],
        )
        print("allow" if allowed else "deny", flush=True)
    except Exception as error:
        print("error", type(error).__name__, error, flush=True)
"""
Case = dict[str, Any]
ACCOUNT, FOREIGN = "111122223333", "999999999999"
USER, ROLE = f"arn:aws:iam::{ACCOUNT}:user/bob", f"arn:aws:iam::{ACCOUNT}:role/ops"
#: What Principal Mapper adds by itself to what it is told of a request.
INFERRED = {"aws:SecureTransport": "true", "aws:PrincipalAccount": ACCOUNT}
ACTIONS = ("s3:GetObject", "s3:PutObject", "ec2:RunInstances", "kms:Decrypt", "iam:PassRole")
ACTION_PATTERNS = (*ACTIONS, "*", "s3:*", "s3:Get*", "ec2:Run?nstances", "EC2:run*", "kms:*")
RESOURCES = (
    "arn:aws:s3:::logs/a",
    "arn:aws:s3:::logs/b/c",
    f"arn:aws:ec2:us-west-2:{ACCOUNT}:instance/i-1",
    f"arn:aws:kms:us-west-2:{ACCOUNT}:key/k",
)
RESOURCE_PATTERNS = (
    *RESOURCES,
    "*",
    "arn:aws:s3:::logs/*",
    "arn:aws:*:*:*:*",
    "arn:aws:s3:::log?/a",
)
KEYS: Mapping[str, tuple[str, ...]] = {
    "aws:RequestedRegion": ("us-west-2", "eu-west-1", "us-*"),
    "aws:PrincipalTag/team": ("red", "blue", "r*"),
    "s3:max-keys": ("1", "10", "100"),
    "aws:SecureTransport": ("true", "false"),
    "aws:SourceIp": ("10.0.0.0/8", "192.168.1.0/24"),
    "aws:CurrentTime": ("2024-06-01T00:00:00Z", "2030-01-01T00:00:00Z"),
}
GIVEN = {**KEYS, "aws:SourceIp": ("10.1.2.3", "8.8.8.8")}
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "aws:RequestedRegion": ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
    "aws:PrincipalTag/team": ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "Null"),
    "s3:max-keys": ("NumericEquals", "NumericLessThan", "NumericGreaterThanEquals"),
    "aws:SecureTransport": ("Bool",),
    "aws:SourceIp": ("IpAddress", "NotIpAddress"),
    "aws:CurrentTime": ("DateLessThan", "DateGreaterThan"),
}
PRINCIPALS: tuple[Any, ...] = (
    "*",
    {"AWS": USER},
    {"AWS": ROLE},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    {"AWS": ACCOUNT},
    {"AWS": [FOREIGN, f"arn:aws:iam::{ACCOUNT}:user/alice"]},
    {"Service": "eks.amazonaws.com"},
)


def some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    """Choose one or two."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """Make up a Condition of one operator."""
    key = draw(st.sampled_from(sorted(KEYS)))
    operator = draw(st.sampled_from(OPERATORS[key]))
    if operator in {"Null", "Bool"}:
        return {operator: {key: [draw(st.sampled_from(("true", "false")))]}}
    if operator.startswith(("String", "Numeric")) and draw(st.booleans()):
        operator += "IfExists"
    return {operator: {key: draw(some(KEYS[key]))}}


@st.composite
def documents(draw: st.DrawFn, principals: bool = False) -> dict[str, Any]:
    """Make up a policy; one on a resource names principals."""
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        row: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Deny")))}
        row[draw(st.sampled_from(("Action",) * 3 + ("NotAction",)))] = draw(some(ACTION_PATTERNS))
        row[draw(st.sampled_from(("Resource",) * 3 + ("NotResource",)))] = draw(
            some(RESOURCE_PATTERNS)
        )
        if principals:
            row["Principal"] = draw(st.sampled_from(PRINCIPALS))
        if draw(st.integers(0, 2)) == 0:
            row["Condition"] = draw(conditions())
        rows.append(row)
    return {"Version": "2012-10-17", "Statement": rows}


ALLOW_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
MADE_UP = documents() | st.just(ALLOW_ALL)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Make up a caller, policies of every kind, and a question."""
    caller = draw(st.sampled_from((USER, ROLE)))
    on = draw(st.none() | documents(principals=True))
    return {
        "caller": caller,
        "action": draw(st.sampled_from(ACTIONS)),
        "resource": draw(st.sampled_from(RESOURCES)),
        "context": {
            **INFERRED,
            "aws:PrincipalArn": caller,
            **{
                key: draw(st.sampled_from([one for one in values if "*" not in one]))
                for key, values in GIVEN.items()
                if key == "aws:CurrentTime" or draw(st.booleans())
            },
        },
        "identity": draw(st.lists(MADE_UP, min_size=1, max_size=2)),
        "boundary": draw(st.none() | MADE_UP),
        "scps": draw(st.lists(st.lists(MADE_UP, min_size=1, max_size=2), max_size=2)),
        "session": draw(st.none() | MADE_UP) if caller == ROLE else None,
        "resource_policy": on,
        "owner": draw(st.sampled_from((ACCOUNT, ACCOUNT, FOREIGN))) if on else ACCOUNT,
    }


def ours(case: Case) -> str:
    """Put a case to Preflight."""

    def policy(document: Any) -> Policy | None:
        return None if document is None else Policy.parse(document)

    on = policy(case["resource_policy"])
    strict = on is not None and case["resource"].split(":")[2] in {"iam", "kms"}
    decision = evaluate(
        Request(
            action=case["action"],
            principal=Principal(arn=case["caller"]),
            resource=case["resource"],
            context=Context.of(case["context"]),
        ),
        identity=[Policy.parse(one) for one in case["identity"]],
        boundary=policy(case["boundary"]),
        scps=[[Policy.parse(one) for one in level] for level in case["scps"]],
        session=None if case["session"] is None else [Policy.parse(case["session"])],
        resource=on,
        resource_account=case["owner"] if on else None,
        resource_must_allow=strict and case["owner"] == ACCOUNT,
    )
    return "allow" if decision.allowed else "deny"


def cause_of(case: Case) -> str | None:
    """Name what a case turns on that Principal Mapper reads otherwise than AWS; None for nothing.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-eval-logic
    """
    parts = [*case["identity"], case["boundary"], case["session"], case["resource_policy"]]
    parts += [one for level in case["scps"] for one in level]
    for part in (one for one in parts if one is not None):
        for row in part["Statement"]:
            for operator, wanted in row.get("Condition", {}).items():
                if operator.startswith("StringNotLike") and not set(wanted) & set(case["context"]):
                    return "StringNotLike matches where its key is absent"
                if operator.startswith("Numeric") and operator.endswith("IfExists"):
                    return "Numeric…IfExists compares where its key is there"
                if operator.startswith("Date") and any(len(one) > 1 for one in wanted.values()):
                    return "one of several dates is enough"
    limited = case["boundary"] is not None or case["session"] is not None
    if case["caller"] == ROLE and case["resource_policy"] and limited:
        return "a role that a resource policy names keeps its boundary and session policies"
    return None


class Other:
    """Principal Mapper in its own Python, asked line by line."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - the interpreter the user named
            [python, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, case: Case) -> str:
        """Put a case to it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if answer not in {"allow", "deny"}:
            raise SystemExit(f"Principal Mapper does not answer: {answer!r} to {json.dumps(case)}")
        return answer

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def main() -> int:
    """Compare; print how often both agree, and why not, or the smallest case nobody explains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="an interpreter that can import principalmapper")
    parser.add_argument("--cases", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    other = Other(given.python)
    tally: Counter[str] = Counter()

    @hypothesis.seed(given.seed)
    @settings(
        max_examples=given.cases,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(cases())
    def agree(case: Case) -> None:
        mine, theirs = ours(case), other(case)
        cause = None if mine == theirs else cause_of(case)
        tally[f"both {mine}" if mine == theirs else f"{mine}, there {theirs}: {cause}"] += 1
        assert mine == theirs or cause, f"{mine}, there {theirs}: {json.dumps(case)}"

    try:
        agree()
    except AssertionError as difference:
        print(difference, file=sys.stderr)
        return 1
    finally:
        other.close()
        for what, count in sorted(tally.items()):
            print(f"{count:>7}  {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Does the evaluator agree with one that nobody here wrote?

Random policies and questions are put to `preflight.policy` and to the local evaluation of NCC
Group's Principal Mapper (PyPI `principalmapper`), which lives in an environment of its own: it is
AGPL, no part of Preflight, and installed by whoever wants to run this.

    python -m venv /tmp/other && /tmp/other/bin/pip install principalmapper
    python benchmarks/policy_compare.py /tmp/other/bin/python [--cases 5000] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
from collections import Counter
from typing import Any

from preflight.policy import Context, Outcome, Policy, Principal, Request, evaluate

# Run by the other Python: one JSON case a line in, one decision a line out. The first lines give
# Principal Mapper what newer Pythons have moved.
OTHER = """
import collections, collections.abc, json, sys
for name in ("Mapping", "MutableMapping"):
    setattr(collections, name, getattr(collections.abc, name))
from principalmapper.querying.local_policy_simulation import policy_has_matching_statement
from principalmapper.util.case_insensitive_dict import CaseInsensitiveDict
for line in sys.stdin:
    case = json.loads(line)
    def matches(effect):
        return any(
            policy_has_matching_statement(
                policy, effect, case["action"], case["resource"],
                CaseInsensitiveDict(case["context"]),
            )
            for policy in case["policies"]
        )
    try:
        print("deny" if matches("Deny") else "allow" if matches("Allow") else "implicit")
    except Exception as error:
        print("error", type(error).__name__)
"""
OURS = {
    Outcome.ALLOWED: "allow",
    Outcome.EXPLICIT_DENY: "deny",
    Outcome.IMPLICIT_DENY: "implicit",
}
ACTIONS = ("s3:GetObject", "s3:PutObject", "ec2:RunInstances", "ec2:DescribeVpcs", "iam:PassRole")
ACTION_PATTERNS = (*ACTIONS, "*", "s3:*", "s3:Get*", "ec2:Run?nstances", "EC2:describe*", "iam:*")
RESOURCES = (
    "arn:aws:s3:::logs/a",
    "arn:aws:s3:::logs/b/c",
    "arn:aws:ec2:us-west-2:111122223333:instance/i-1",
    "arn:aws:iam::111122223333:role/ops",
)
RESOURCE_PATTERNS = (
    *RESOURCES,
    "*",
    "arn:aws:s3:::logs/*",
    "arn:aws:*:*:*:*",
    "arn:aws:s3:::log?/a",
)
KEYS = {
    "aws:RequestedRegion": ("us-west-2", "eu-west-1", "us-*"),
    "aws:PrincipalTag/team": ("red", "blue", "r*"),
    "s3:max-keys": ("1", "10", "100"),
    "aws:SecureTransport": ("true", "false"),
}
OPERATORS = {
    "aws:RequestedRegion": ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
    "aws:PrincipalTag/team": ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "Null"),
    "s3:max-keys": ("NumericEquals", "NumericLessThan", "NumericGreaterThanEquals"),
    "aws:SecureTransport": ("Bool",),
}


def some(dice: random.Random, values: tuple[str, ...]) -> list[str]:
    """Choose one or two."""
    return dice.sample(values, dice.choice((1, 1, 2)))


def statement(dice: random.Random) -> dict[str, Any]:
    """Make up a statement."""
    made: dict[str, Any] = {"Effect": dice.choice(("Allow", "Allow", "Deny"))}
    made[dice.choice(("Action", "Action", "Action", "NotAction"))] = some(dice, ACTION_PATTERNS)
    made[dice.choice(("Resource",) * 3 + ("NotResource",))] = some(dice, RESOURCE_PATTERNS)
    if dice.random() < 0.5:
        key = dice.choice(sorted(KEYS))
        operator = dice.choice(OPERATORS[key])
        values = ("true", "false") if operator == "Null" else KEYS[key]
        if operator not in ("Null", "Bool") and dice.random() < 0.2:
            operator += "IfExists"
        wanted = [dice.choice(values)] if operator in ("Null", "Bool") else some(dice, values)
        made["Condition"] = {operator: {key: wanted}}
    return made


def case(dice: random.Random) -> dict[str, Any]:
    """Make up policies and a question."""
    policies = [
        {
            "Version": "2012-10-17",
            "Statement": [statement(dice) for _ in range(dice.randint(1, 3))],
        }
        for _ in range(dice.randint(1, 2))
    ]
    context = {
        key: dice.choice([value for value in values if "*" not in value])
        for key, values in KEYS.items()
        if dice.random() < 0.7
    }
    return {
        "policies": policies,
        "action": dice.choice(ACTIONS),
        "resource": dice.choice(RESOURCES),
        "context": context,
    }


def ours(asked: dict[str, Any]) -> str:
    """Put a case to Preflight."""
    decision = evaluate(
        Request(
            action=asked["action"],
            principal=Principal(arn="arn:aws:iam::111122223333:role/asker"),
            resource=asked["resource"],
            context=Context.of(asked["context"]),
        ),
        identity=[Policy.parse(policy, id="p") for policy in asked["policies"]],
    )
    return OURS.get(decision.outcome, str(decision.outcome))


def is_known(asked: dict[str, Any]) -> bool:
    """Whether a case turns on one of two things that Principal Mapper reads otherwise than AWS.

    StringNotLike matches where its key is not there, as negated operators do; a number is compared
    by an operator ending in IfExists as by the one without, where its key is there.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    return any(
        (operator.startswith("StringNotLike") and key not in asked["context"])
        or (operator.startswith("Numeric") and operator.endswith("IfExists"))
        for policy in asked["policies"]
        for one in policy["Statement"]
        for operator, wanted in one.get("Condition", {}).items()
        for key in wanted
    )


def main() -> None:
    """Compare, and print how often both agree and the first cases where they do not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="an interpreter that can import principalmapper")
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    dice = random.Random(given.seed)  # noqa: S311 - not a secret
    cases = [case(dice) for _ in range(given.cases)]
    asked = "".join(json.dumps(one) + "\n" for one in cases)
    other = subprocess.run(  # noqa: S603 - the interpreter the user named
        [given.python, "-c", OTHER], input=asked, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    mine = [ours(one) for one in cases]
    pairs = Counter(zip(mine, other, strict=True))
    agree = sum(n for (a, b), n in pairs.items() if a == b)
    print(f"{agree} of {given.cases} cases decided alike")
    for (a, b), n in sorted(pairs.items()):
        print(f"  here {a:9} there {b:20} {n:6}")
    differing = [one for one, a, b in zip(cases, mine, other, strict=True) if a != b]
    unknown = [one for one in differing if not is_known(one)]
    print(f"{len(differing) - len(unknown)} of the others turn on what `is_known` tells of")
    for one in unknown[:3]:
        print(json.dumps(one))


if __name__ == "__main__":
    main()

"""The generated policies on the enforcing sandbox: enough, and nothing in them too much."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from preflight.policy import Outcome, Policy, evaluate
from preflight.sandbox.server import Sandbox

PROOF = Path(__file__).parents[2] / "benchmarks" / "least_privilege.py"
WAIVED = "permissions=only a real denial counts here"


@pytest.fixture(scope="module")
def proof() -> ModuleType:
    spec = importlib.util.spec_from_file_location("least_privilege", PROOF)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["least_privilege"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def test_the_generated_policies_are_enough_and_every_action_in_them_is_needed(
    proof: ModuleType, sandbox: Sandbox, tmp_path: Path
) -> None:
    walk = proof.Walk(sandbox, tmp_path)

    way = walk(walk.least, only=("provision", "plan", "use", "delete", "scan"))

    assert way.through, (way.codes, way.said[-2000:])
    idle = set(walk.least.actions) - set(walk.demanded) - set(proof.NOT_EXERCISED)
    assert not idle, "never asked for on the whole way"
    for action in set(walk.least.actions) & set(walk.demanded):
        less = proof.without(walk.least, action)
        identity = [Policy.parse(document) for document in less.policies.values()]
        decision = evaluate(walk.demanded[action], identity=identity)
        assert decision.outcome is Outcome.IMPLICIT_DENY, action


@pytest.mark.parametrize(
    ("action", "stopped"),
    [("sqs:CreateQueue", "provision (6)"), ("ec2:DescribeVolumes", "scan (4)")],
)
def test_without_one_action_the_command_that_needs_it_fails(
    proof: ModuleType, sandbox: Sandbox, tmp_path: Path, action: str, stopped: str
) -> None:
    walk = proof.Walk(sandbox, tmp_path)
    only = ("scan",) if stopped.startswith("scan") else ("provision",)

    way = walk(proof.without(walk.least, action), WAIVED, only=only)

    assert way.stopped == stopped, way.said[-2000:]


def test_without_one_action_the_gate_stays_closed_and_names_it(
    proof: ModuleType, sandbox: Sandbox, tmp_path: Path
) -> None:
    walk = proof.Walk(sandbox, tmp_path)

    way = walk(proof.without(walk.least, "kms:ScheduleKeyDeletion"), only=("check",))

    assert way.stopped == "check (3)"
    assert "may not do kms:ScheduleKeyDeletion" in way.said

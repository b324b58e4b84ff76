"""The cross-check of the proof: an action is really taken out, and the commands really run.

What is proven in test_generated_policies.py for every action rests on an argument: that a run whose
question is denied stops. A few actions of each sort show it here; all of them, one after the other,
in about half an hour:

    pytest -n 0 -s -m every_action tests/least_privilege
"""

from __future__ import annotations

from typing import Any

import pytest

#: The gate would say no at once. Waived, only a real denial stops.
WAIVED = "permissions=only a real denial counts here"


@pytest.mark.parametrize(
    ("action", "only", "stopped"),
    [
        ("sqs:CreateQueue", ("provision",), "provision (6)"),
        ("iam:PassRole", ("provision",), "provision (6)"),
        ("s3:DeleteObjectVersion", ("provision", "use", "delete"), "delete (6)"),
        ("ec2:DescribeVolumes", ("scan",), "scan (4)"),
    ],
)
def test_without_one_action_the_command_that_needs_it_fails(
    walk: Any, taken_out: Any, action: str, only: tuple[str, ...], stopped: str
) -> None:
    way = walk(taken_out(walk.least, action), WAIVED, only=only)

    assert way.stopped == stopped, way.said[-2000:]
    assert action in way.said


def test_without_one_action_the_gate_stays_closed_and_names_it(walk: Any, taken_out: Any) -> None:
    way = walk(taken_out(walk.least, "kms:ScheduleKeyDeletion"), only=("check",))

    assert way.stopped == "check (3)"
    assert "may not do kms:ScheduleKeyDeletion" in way.said


@pytest.mark.every_action
def test_without_any_one_action_both_the_gate_and_the_way_end(walk: Any, taken_out: Any) -> None:
    wrong = []
    for action in walk.least.actions:
        less = taken_out(walk.least, action)
        gate = walk(less, only=("check",))
        # `provision` asks the very gate that `check` asks.
        way = walk(less, WAIVED, only=("provision", "plan", "use", "delete", "scan"))
        print(  # noqa: T201 - whoever waits for half an hour wants to see it go on
            f"{action:<50} gate: {gate.stopped or 'open':<10} way: {way.stopped or 'through':<14}"
            f" {gate.seconds + way.seconds:5.1f} s",
            flush=True,
        )
        if gate.through or way.through:
            wrong.append(action)

    assert not wrong

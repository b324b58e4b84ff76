"""How many calls a whole check makes, facts and all: it may be run by many, and AWS counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight.sandbox import account
from preflight.sandbox.server import Sandbox

ALICE = ("AKIAALICE00000000DEMO", "alice-has-no-secrets-from-the-demonstration")
SEVERAL = ["m5.large", "g5.xlarge", "t3.large"]
NO_VPCS = {"Effect": "Deny", "Action": "ec2:CreateVpc", "Resource": "*"}
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def demo(**more: Any) -> dict[str, Any]:
    """Give the account of the demonstration, whose user has a boundary that denies something."""
    text = (Path(account.__file__).parent / "demo.yaml").read_text("utf-8")
    return {**yaml.safe_load(text), "rates": "off", **more}


@pytest.mark.parametrize(
    ("scenario", "types", "most"),
    [
        ({"rates": "off"}, ["m5.large"], 65),
        ({"rates": "off"}, SEVERAL, 67),
        (demo(), ["m5.large"], 80),
        (demo(), SEVERAL, 80),
        # Where SCPs are in force each value of a condition key is a call: nobody in a member
        # account can read which keys they ask for.
        ({"rates": "off", "scps": [document(ANYTHING, NO_VPCS)]}, SEVERAL, 84),
    ],
    ids=["new-account", "several-types", "demo", "demo-several-types", "organization"],
)
def test_a_whole_check_makes_few_calls(
    preflight: Any,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    scenario: dict[str, Any],
    types: list[str],
    most: int,
) -> None:
    sandbox.reset(scenario)
    if "principals" in scenario:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ALICE[0])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ALICE[1])
    spec = tmp_path / "spec.json"
    spec.write_text(
        json.dumps({"name": "dev", "region": "us-west-2", "instance_types": types}), "utf-8"
    )

    ran = preflight("check", "-f", spec, "-o", "json")

    calls = json.loads(ran.out)["calls"]
    assert calls["total"] <= most, calls["by_operation"]

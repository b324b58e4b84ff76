"""Secrets stay secret: in every format, beside every failure, and in every file that is kept.

The fixture `preflight` searches whatever a test made the command line say or write.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight.aws import fresh
from preflight.sandbox.server import Sandbox
from preflight.secret import SecretFile
from preflight.state import default_folder
from reports.formats import FORMATS

ACCOUNT = "111122223333"
ALICE = ("AKIAALICE00000000000", "secret-of-alice-and-of-nobody-else")
SPEC = {
    "name": "dev",
    "region": "us-west-2",
    "instance_types": [{"type": "m7i.large", "capacity": ["on-demand"]}],
}


@pytest.fixture
def role(preflight: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A role that alice may assume, and the options that say so."""
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    alice = {"user": "alice", "access_key": list(ALICE), "policies": [policy]}
    sandbox.reset({"account": {"id": ACCOUNT, "region": "us-west-2"}, "principals": [alice]})
    # A wrong external id is refused at once: the role counts as old.
    monkeypatch.setattr(fresh, "KNOWN_AFTER", 0.0)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ALICE[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ALICE[1])
    Path("cluster.yaml").write_text(yaml.safe_dump(SPEC), encoding="utf-8")
    trust = f"arn:aws:iam::{ACCOUNT}:user/alice"
    made = preflight("role", "create", "vendor", "--trust", trust, "--yes", "-o", "json")
    arn = json.loads(made.out)["role"]["role_arn"]
    secret = SecretFile.of_role(default_folder(), ACCOUNT, "vendor").read()
    return ("--role-arn", arn, "--external-id", str(secret))


def test_no_format_of_a_check_as_a_role_has_a_secret(
    preflight: Any, sandbox: Sandbox, role: tuple[str, ...]
) -> None:
    outputs = [word for name in FORMATS for word in ("-o", f"{name}:check.{name}")]

    ran = preflight("check", "-v", *role, *outputs)

    assert ran.code in {0, 3}
    assert all(Path(f"check.{name}").stat().st_size for name in FORMATS)
    assert len(sandbox.world.sessions) >= 1, "no session was made that could have leaked"


@pytest.mark.parametrize("command", ["plan", "provision", "check"])
def test_no_failure_tells_a_secret(preflight: Any, role: tuple[str, ...], command: str) -> None:
    wrong = (*role[:3], "a-wrong-external-id-of-forty-characters-x")

    ran = preflight(command, "-v", *wrong)

    assert ran.code != 0 or command == "plan", "a plan can be drawn as the caller"
    assert wrong[3] not in ran.out + ran.err


def test_nothing_about_the_role_has_its_secret_in_it(preflight: Any, role: tuple[str, ...]) -> None:
    secret = role[3]
    said = [
        preflight("role", "show", "vendor", "-o", form).out for form in ("text", "json", "html")
    ]
    said += [
        preflight("role", "export", "vendor", "--format", form).out
        for form in ("terraform", "cloudformation", "aws-cli")
    ]

    assert all(text and secret not in text for text in said)
    assert secret in preflight("role", "show", "vendor", "--shell").out


def test_the_search_finds_a_secret_that_is_told(
    sandbox: Sandbox, tmp_path: Path, role: tuple[str, ...]
) -> None:
    leak = tmp_path / "leak.txt"
    leak.write_text(f"external id {role[3]}", encoding="utf-8")

    found = [file for file in tmp_path.rglob("*.txt") if role[3] in file.read_text()]

    assert found == [leak]
    leak.unlink()

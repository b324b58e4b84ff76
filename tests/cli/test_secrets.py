"""Secrets stay secret: in every format, beside every failure, and in every file that is kept.

Everything that any test of the suite prints, logs, raises or writes is searched: see the hook in
tests/conftest.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
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


LEAKS = """
import sys, warnings, logging, pathlib
import pytest
from preflight.errors import AwsError

def test_print(sandbox): print(sandbox.secret_access_key)
def test_err(sandbox): print("x" + sandbox.secret_access_key, file=sys.stderr)
def test_log(sandbox): logging.getLogger("any").warning("key %s", sandbox.secret_access_key)
def test_error(sandbox):
    with pytest.raises(AwsError):
        raise AwsError(f"no, {sandbox.secret_access_key}", service="iam", operation="GetRole")
def test_hint(sandbox): AwsError("no", hint=sandbox.secret_access_key, service="i", operation="G")
def test_traceback(sandbox): raise ValueError(sandbox.secret_access_key)
def test_file(sandbox, tmp_path): (tmp_path / "f").write_text(sandbox.secret_access_key)
def test_said(sandbox, everything_said): everything_said.append(sandbox.secret_access_key)
def test_external_id(sandbox, tmp_path):
    folder = tmp_path / "roles"
    folder.mkdir()
    kept = folder / "a.json"
    kept.write_text('{"external_id": "the-external-id"}')
    kept.chmod(0o600)
    print("the-external-id")
def test_session(sandbox):
    from preflight.aws import Aws
    told = Aws("us-west-2").call("sts", "GetSessionToken")["Credentials"]
    print(told["SessionToken"])
def test_honest(sandbox): print(sandbox.access_key_id)
"""
LOAD = """
import importlib.util
spec = importlib.util.spec_from_file_location("suite", {path!r})
suite = importlib.util.module_from_spec(spec)
spec.loader.exec_module(suite)
globals().update((name, each) for name, each in vars(suite).items() if name[:2] != "__")
"""


def test_the_search_of_the_suite_finds_a_secret_however_it_is_told(tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    suite.mkdir()
    conftest = Path(__file__).parents[1] / "conftest.py"
    (suite / "conftest.py").write_text(LOAD.format(path=str(conftest)), encoding="utf-8")
    (suite / "test_leaks.py").write_text(LEAKS, encoding="utf-8")

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "."],
        cwd=suite,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert "10 failed, 1 passed" in ran.stdout, ran.stdout
    assert "the-external-id" not in ran.stdout + ran.stderr

"""The command line as a person uses it: run in this process, or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from preflight.aws import READS
from preflight.cli.main import run
from preflight.sandbox.server import Sandbox

LOOKS = (*READS, "AssumeRole")


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def message(self) -> str:
        """Give the one message on standard error, which is all there is there, without its hint."""
        lines = self.err.splitlines()
        assert lines, "nothing on standard error"
        assert lines[0].startswith("preflight: "), self.err
        assert not any(line.startswith("preflight: ") for line in lines[1:]), self.err
        assert all(line.startswith("  ") for line in lines[1:]), self.err
        assert "Traceback" not in self.err
        assert "internal error" not in self.err
        return lines[0].removeprefix("preflight: ")


Preflight = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin in an empty folder, where no cluster.yaml is."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def preflight(
    capsys: pytest.CaptureFixture[str], sandbox_server: Sandbox, tmp_path: Path
) -> Iterator[Preflight]:
    """Run a command in this process: `preflight("check", "dev")`.

    Whatever the commands of a test said is searched for secrets when it ends, and so is what they
    wrote: only `--shell` prints one, and only the 0600 file of a role keeps one.
    """
    told: list[str] = []

    def ran(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        if "--shell" not in arguments:
            told.extend((said.out, said.err))
        return Ran(code=code, out=said.out, err=said.err)

    yield ran
    kept = secrets_kept(tmp_path)
    known = {*secrets_of(sandbox_server), *kept.values()}
    files = (file for file in tmp_path.rglob("*") if file.is_file() and file not in kept)
    told += [file.read_bytes().decode("utf-8", "replace") for file in files]
    assert not [secret for secret in known if any(secret in text for text in told)]


def secrets_of(sandbox: Sandbox) -> set[str]:
    """Collect what the sandbox handed out: the keys of its admin, and those of every session."""
    sessions = sandbox.world.sessions.values()
    tokens = {text for one in sessions for text in (one.secret_access_key, one.session_token)}
    return {sandbox.secret_access_key, *tokens}


def secrets_kept(folder: Path) -> dict[Path, str]:
    """Read the external ids that `role create` kept, by file; nobody else can read them."""
    files = [file for file in folder.rglob("roles/*.json") if file.is_file()]
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    return {file: str(json.loads(file.read_text())["external_id"]) for file in files}


@pytest.fixture
def process() -> Preflight:
    """Run a command in a process of its own, with variables added: `process("check", AWS_X="")`."""

    def ran(*arguments: str, **variables: str) -> Ran:
        ended = subprocess.run(
            [sys.executable, "-m", "preflight", *arguments],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Ran(code=ended.returncode, out=ended.stdout, err=ended.stderr)

    return ran


@pytest.fixture
def changed(sandbox: Sandbox) -> Callable[[], list[str]]:
    """Name what was called in the account that does more than look."""

    def changes() -> list[str]:
        called = [str(call["operation"]) for call in sandbox.world.calls]
        return [operation for operation in called if not operation.startswith(LOOKS)]

    return changes

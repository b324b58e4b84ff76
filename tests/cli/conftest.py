"""The command line as a person uses it: run in this process, or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
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
def preflight(capsys: pytest.CaptureFixture[str], everything_said: list[str]) -> Preflight:
    """Run a command in this process: `preflight("check", "dev")`.

    Whatever it says is searched for secrets when the test ends, but for what `--shell` prints.
    """

    def ran(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        if "--shell" not in arguments:
            everything_said.extend((out, err))
        return Ran(code=code, out=out, err=err)

    return ran


@pytest.fixture
def process(everything_said: list[str]) -> Preflight:
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
        everything_said.extend((ended.stdout, ended.stderr))
        return Ran(code=ended.returncode, out=ended.stdout, err=ended.stderr)

    return ran


@pytest.fixture
def changed(sandbox: Sandbox) -> Callable[[], list[str]]:
    """Name what was called in the account that does more than look."""

    def changes() -> list[str]:
        called = [str(call["operation"]) for call in sandbox.world.calls]
        return [operation for operation in called if not operation.startswith(LOOKS)]

    return changes

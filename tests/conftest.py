"""The one embedded AWS of a test run: started once, emptied for each test that asks for it.

And a search of everything that any test printed, logged or raised for the secrets there were.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from preflight.errors import PreflightError
from preflight.sandbox.conformance import deviations
from preflight.sandbox.request import Request, Response
from preflight.sandbox.server import Sandbox


class Deviations:
    """What the sandbox answered and AWS would not: held against botocore's models as it goes by."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, request: Request, response: Response) -> None:
        self.found.extend(deviations(request, response))


@pytest.fixture(scope="session")
def answers() -> Deviations:
    """What was wrong with the answers of the sandbox, in this test so far."""
    return Deviations()


@pytest.fixture(scope="session")
def sandbox_server(answers: Deviations) -> Iterator[Sandbox]:
    """The server itself, with whatever the last test left in it. Most tests want `sandbox`."""
    with Sandbox(on_answer=answers) as running:
        # What moto and botocore have read stays until the end: no use to search it for garbage,
        # nor what each client reads, as often as Python would.
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        yield running


@pytest.fixture
def sandbox(
    sandbox_server: Sandbox,
    answers: Deviations,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Sandbox]:
    """An empty account, and an environment in which every AWS client goes there as the admin.

    `sandbox.reset({...}, time_scale=..., latency_ms=...)` makes it another one for this test.
    Every answer, moto's too, has to be one that botocore's model of the operation allows.
    """
    answers.found.clear()
    sandbox_server.reset()
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in sandbox_server.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    yield sandbox_server
    assert answers.found == []


@pytest.fixture
def no_sandbox(sandbox_server: Sandbox) -> Iterator[None]:
    """Stop the server while a test starts one of its own in this process."""
    sandbox_server.stop()
    yield
    sandbox_server.start()


@pytest.fixture(scope="session")
def everything_said() -> list[str]:
    """What is to be searched for secrets when a test ends, beside what it printed and raised."""
    return SAID


SAID: list[str] = []


@pytest.fixture(scope="session", autouse=True)
def _errors_are_noted() -> Iterator[None]:
    """Note the message and hint of every error of ours, whoever catches it."""
    make = PreflightError.__init__

    def noting(self: PreflightError, message: str, hint: str | None = None) -> None:
        SAID.extend(text for text in (message, hint) if text)
        make(self, message, hint)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PreflightError, "__init__", noting)
        yield


def _secrets(fixtures: Mapping[str, Any], kept: Iterable[str]) -> set[str]:
    """Collect what there was to tell: keys and tokens of the sandbox, external ids."""
    sandbox = fixtures.get("sandbox_server") or fixtures.get("sandbox")
    if sandbox is None:
        return {*kept}
    sessions = sandbox.world.sessions.values()
    tokens = {text for one in sessions for text in (one.secret_access_key, one.session_token)}
    return {sandbox.secret_access_key, *tokens, *kept} - {""}


def _kept(folder: Path) -> dict[Path, str]:
    """Read the external ids that `role create` kept, by file; nobody else can read them."""
    files = [file for file in folder.rglob("roles/*.json") if file.is_file()]
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    return {file: str(json.loads(file.read_text())["external_id"]) for file in files}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that printed, logged, raised or wrote a secret; it is not told again here.

    Only `--shell` prints one, and only the 0600 file of a role keeps one.
    """
    report = yield
    if call.when != "call":
        return report
    texts = [*SAID, *(text for _, text in report.sections), report.longreprtext]
    SAID.clear()
    fixtures = getattr(item, "funcargs", {})
    kept: dict[Path, str] = {}
    if (folder := fixtures.get("tmp_path")) is not None:
        kept = _kept(folder)
        files = (file for file in folder.rglob("*") if file.is_file() and file not in kept)
        texts += [file.read_bytes().decode("utf-8", "replace") for file in files]
    if any(secret in text for secret in _secrets(fixtures, kept.values()) for text in texts):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} told a secret"
        report.sections = []
    return report

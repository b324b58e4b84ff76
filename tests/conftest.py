"""The one embedded AWS of a test run: started once, emptied for each test that asks for it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

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

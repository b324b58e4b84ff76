"""The one embedded AWS of a test run: started once, emptied for each test that asks for it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from preflight.sandbox.server import Sandbox


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """The server itself, with whatever the last test left in it. Most tests want `sandbox`."""
    with Sandbox() as running:
        # What moto and botocore have read stays until the end: no use to search it for garbage,
        # nor what each client reads, as often as Python would.
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        yield running


@pytest.fixture
def sandbox(sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sandbox:
    """An empty account, and an environment in which every AWS client goes there as the admin.

    `sandbox.reset({...}, time_scale=..., latency_ms=...)` makes it another one for this test.
    """
    sandbox_server.reset()
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in sandbox_server.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return sandbox_server


@pytest.fixture
def no_sandbox(sandbox_server: Sandbox) -> Iterator[None]:
    """Stop the server while a test starts one of its own in this process."""
    sandbox_server.stop()
    yield
    sandbox_server.start()

"""What this machine has to have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checks.prerequisites import _python, prerequisites
from preflight.finding import Status


def test_the_tools_of_the_vendor_s_instructions_are_not_needed(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "not" / "there" / "yet"))

    found = bench.ask(prerequisites, bench.context())

    assert {one.status for one in found.values()} == {Status.PASS}
    assert found["tools"].data["not_needed"] == ["git", "terraform", "jq", "AWS CLI"]
    assert found.keys() == {"tools", "python", "state folder", "network", "clock"}
    assert found["network"].message == f"AWS is reached: {bench.sandbox.endpoint} answers"
    assert not (tmp_path / "not").exists(), "a check changes nothing"


def test_a_network_that_leads_nowhere_proves_neither_network_nor_clock(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = bench.context()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    cut_off = bench.aws()
    monkeypatch.setattr(cut_off.clock, "sleep", lambda _: None)

    found = bench.ask(prerequisites, replace(context, caller=cut_off))

    assert found["prerequisites"].status is Status.UNKNOWN
    assert not {"network", "clock"} & found.keys()


def test_a_state_folder_that_cannot_be_is_a_failure(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(in_the_way))

    found = bench.ask(prerequisites, bench.context())["state folder"]

    assert found.status is Status.FAIL
    assert "XDG_STATE_HOME" in found.hint


@pytest.mark.parametrize(
    ("version", "status"), [((3, 10, 9), Status.FAIL), ((3, 11, 0), Status.PASS)]
)
def test_an_old_python_is_a_failure(version: tuple[int, ...], status: Status) -> None:
    assert _python(version).status is status

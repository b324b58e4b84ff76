"""Whatever is wrong with what a person gives: one message, the right exit code, nothing made."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from preflight.cli.main import run
from preflight.sandbox.server import Sandbox

each_command = pytest.mark.parametrize("command", ["check", "plan", "provision"])

BAD_SPECS = {
    "an unknown key": ("name: dev\nregon: us-west-2\n", ":2: regon: there is no such key"),
    "a wrong type": ("name: dev\nvendor: 5\n", ":2: vendor: 5 is not text"),
    "a bad CIDR": (
        "name: dev\nnetwork: {cidr: 10.0.0.0/40}\n",
        ":2: network.cidr: '10.0.0.0/40' is not an IPv4 range",
    ),
    "a CIDR that is too small": ("name: dev\nnetwork: {cidr: 10.0.0.0/29}\n", ":2: network.cidr"),
    "no YAML": ("name: [\n", "is not YAML"),
    "no text": ("\0\1\2\xff", "is not YAML"),
    "an alias that contains itself": ("name: &a [*a]\n", ":1: an alias contains itself"),
    "aliases that grow": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
            for before, name in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "holds more than",
    ),
    "a list": ("- name: dev\n", "not a mapping"),
    "nothing": ("", "the file is empty"),
    "a key twice": ("name: dev\nname: prod\n", ":2: the key 'name' is written twice"),
    "an object of Python": ("name: !!python/object/apply:os.getcwd []\n", "is not allowed"),
}


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, and nobody at the other end if there were."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@each_command
@pytest.mark.parametrize("wrong", BAD_SPECS)
def test_a_wrong_spec_is_one_message_that_names_the_place(
    command: str, wrong: str, offline: None, preflight: Any
) -> None:
    text, expected = BAD_SPECS[wrong]
    Path("wrong.yaml").write_text(text, "latin-1" if "\xff" not in text else "utf-8")
    ran = preflight(command, "-f", "wrong.yaml", "--region", "us-west-2")
    assert ran.code == 2
    assert ran.message().startswith("wrong.yaml")
    assert expected in ran.err
    assert ran.out == ""


@each_command
def test_a_spec_of_50_mb_is_refused_without_reading_it_whole(
    command: str, offline: None, preflight: Any
) -> None:
    with Path("large.yaml").open("wb") as file:
        file.truncate(50_000_000)
    began = time.monotonic()
    ran = preflight(command, "-f", "large.yaml")
    assert ran.code == 2
    assert "larger than 1024 KiB" in ran.message()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("path", ["nowhere.yaml", "."])
def test_a_spec_that_cannot_be_read_says_why(path: str, offline: None, preflight: Any) -> None:
    ran = preflight("check", "-f", path)
    assert ran.code == 2
    assert ran.message().startswith(f"{path}: cannot be read: ")


@each_command
def test_a_wrong_spec_ends_a_process_without_a_traceback(
    command: str, offline: None, process: Any
) -> None:
    Path("cluster.yaml").write_text("name: dev\nregon: us-west-2\n")
    ran = process(command)
    assert ran.code == 2
    assert ran.message() == "cluster.yaml:2: regon: there is no such key"
    assert "  hint: did you mean 'region'?" in ran.err


@each_command
def test_a_region_that_does_not_exist_is_told_at_once_with_the_nearest(
    command: str, offline: None, preflight: Any
) -> None:
    began = time.monotonic()
    ran = preflight(command, "dev", "--region", "us-weast-2")
    assert ran.code == 2
    assert ran.message() == "AWS has no Region 'us-weast-2'"
    assert "did you mean us-west-2 or" in ran.err
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "arguments",
    [("clusters",), ("scan", "dev"), ("delete", "dev", "--yes"), ("role", "create", "--yes")],
)
def test_every_command_refuses_a_region_that_does_not_exist(
    arguments: tuple[str, ...], offline: None, preflight: Any
) -> None:
    ran = preflight(*arguments, "--region", "mars-north-1")
    assert ran.code == 2
    assert "AWS has no Region 'mars-north-1'" in ran.message()


@each_command
def test_without_credentials_nothing_can_be_looked_at(
    command: str, offline: None, preflight: Any
) -> None:
    began = time.monotonic()
    ran = preflight(command, "dev", "--region", "us-west-2")
    assert ran.code == 4
    assert "credentials" in ran.message()
    assert "  hint: sign in: " in ran.err
    assert time.monotonic() - began < 5


def test_a_profile_that_does_not_exist_is_a_wrong_command_line(
    offline: None, preflight: Any
) -> None:
    for arguments in (("check", "dev"), ("role", "create", "--yes")):
        ran = preflight(*arguments, "--region", "us-west-2", "--profile", "nobody")
        assert ran.code == 2, arguments
        assert "(nobody)" in ran.message()


@each_command
@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("ExpiredToken", "the session has ended"),
        ("InvalidClientTokenId", "AWS does not know these keys here"),
    ],
)
def test_credentials_that_aws_does_not_accept_leave_everything_unknown(
    command: str, code: str, hint: str, sandbox: Sandbox, preflight: Any
) -> None:
    fault = {"action": "sts:GetCallerIdentity", "error": code, "message": "no entry", "status": 403}
    sandbox.reset({"faults": [fault]})
    ran = preflight(command, "dev", "--region", "us-west-2")
    assert ran.code == 4
    assert ran.message() == f"sts:GetCallerIdentity [{code}]: no entry"
    assert f"  hint: {hint}" in ran.err
    assert {call["operation"] for call in sandbox.world.calls} == {"GetCallerIdentity"}


@each_command
def test_an_endpoint_that_nobody_listens_on_is_given_up_soon(
    command: str, offline: None, monkeypatch: pytest.MonkeyPatch, preflight: Any
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    began = time.monotonic()
    ran = preflight(command, "dev", "--region", "us-west-2")
    assert ran.code == 4
    assert "http://127.0.0.1:9/" in ran.message()
    assert "AWS_ENDPOINT_URL" in ran.err
    assert time.monotonic() - began < 10


def test_an_endpoint_that_never_answers_is_given_up_within_a_minute(
    offline: None, monkeypatch: pytest.MonkeyPatch, silent_port: int
) -> None:
    from preflight.aws import account as aws

    longest = aws.CONFIG.read_timeout + aws.CONFIG.connect_timeout
    assert longest * aws.FIRST_ATTEMPTS < 60
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(aws, "CONFIG", aws.CONFIG.merge(type(aws.CONFIG)(read_timeout=0.2)))
    began = time.monotonic()
    assert run(["check", "dev", "--region", "us-west-2"]) == 4
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("pdf", "there is no format 'pdf'"),
        ("json:nowhere/report.json", "cannot write nowhere/report.json: there is no directory"),
        ("html:.", "cannot write .: it is a directory"),
        ("csv:", "names no file"),
    ],
)
@each_command
def test_an_output_that_cannot_be_written_costs_no_call(
    command: str, output: str, said: str, sandbox: Sandbox, preflight: Any
) -> None:
    ran = preflight(command, "dev", "--region", "us-west-2", "-o", output)
    assert ran.code == 2
    assert said in ran.message()
    assert not sandbox.world.calls


@pytest.mark.parametrize("command", [("provision", "dev"), ("delete", "dev"), ("scan", "dev")])
def test_events_that_cannot_be_written_cost_no_call(
    command: tuple[str, ...], sandbox: Sandbox, preflight: Any
) -> None:
    ran = preflight(*command, "--yes", "--events", "nowhere/events.jsonl")
    assert ran.code == 2
    assert ran.message().startswith("cannot write nowhere/events.jsonl")
    assert not sandbox.world.calls


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (("frobnicate",), "No such command 'frobnicate'", "`preflight --help`"),
        (("check", "--frobnicate"), "No such option: --frobnicate", "`preflight check --help`"),
        (("check", "a", "b"), "unexpected extra argument", "`preflight check --help`"),
        (("check", "dev", "--region"), "requires an argument", "--help`"),
        (("role", "frobnicate"), "No such command 'frobnicate'", "`preflight role --help`"),
        (("explain",), "Missing argument", "`preflight explain --help`"),
        (("explain", "frobnicate"), "no check is called 'frobnicate'", "one of: identity, "),
        (("schema", "frobnicate"), "there is no schema 'frobnicate'", "one of: cluster"),
        (("scan",), "scan what?", "give a NAME, or --all"),
        (("scan", "dev", "--all"), "scan what?", "give a NAME, or --all"),
        (("delete",), "Missing argument", "`preflight delete --help`"),
        (("check",), "which cluster?", "give a NAME, or `-f cluster.yaml`"),
        (("check", "dev", "--waive", "names"), "--waive names gives no reason", "CHECK=REASON"),
        (("check", "dev", "--vendor", "nobody"), "nobody", "grid"),
        (("sandbox", "serve", "--port", "x"), "--port", "--help`"),
    ],
)
def test_a_wrong_command_line_is_one_message_and_where_help_is(
    arguments: tuple[str, ...], said: str, hint: str, sandbox: Sandbox, preflight: Any
) -> None:
    ran = preflight(*arguments)
    assert ran.code == 2
    assert said in ran.message()
    assert hint in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("arguments", [(), ("role",)])
def test_without_a_command_the_help_is_shown(arguments: tuple[str, ...], preflight: Any) -> None:
    ran = preflight(*arguments)
    assert ran.code == 2
    assert ran.err.startswith("Usage: preflight ")
    assert "Commands:" in ran.err


@pytest.mark.parametrize(
    "name", ["../../x", "a/b", "", " ", "a b", "\x1b[31mred", "x" * 300, "-", "a\nb", "é" * 3]
)
@pytest.mark.parametrize("command", [("check",), ("provision", "--yes"), ("delete", "--yes")])
def test_a_hostile_name_is_refused_before_anything_is_looked_at(
    command: tuple[str, ...], name: str, sandbox: Sandbox, preflight: Any, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    ran = preflight(*command, "--region", "us-west-2", "--", name)
    assert ran.code == 2
    assert "\x1b" not in ran.message()
    assert not sandbox.world.calls
    assert sorted(tmp_path.rglob("*")) == before


def test_a_hostile_role_name_is_refused(sandbox: Sandbox, preflight: Any) -> None:
    for name in ("../../x", "\x1b[31mred", "a b"):
        ran = preflight("role", "create", "--yes", "--", name)
        assert ran.code == 2, name
        assert "\x1b" not in ran.message()
    assert not sandbox.world.calls


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"schema": "preflight.report/9"}', "not a report of version 1"),
        ("{}", "not a report of version 1"),
        ("[1, 2]", "not a report"),
        ("{", "wrong.json"),
        ('{"schema": "preflight.report/1"}', "wrong.json"),
    ],
)
def test_a_file_that_is_no_report_of_this_version_is_refused(
    content: str, said: str, preflight: Any
) -> None:
    Path("wrong.json").write_text(content)
    ran = preflight("report", "wrong.json")
    assert ran.code == 2
    assert said in ran.message()


def test_a_secret_that_is_wrong_is_not_repeated(offline: None, preflight: Any) -> None:
    secret = "not allowed: blank and !"
    ran = preflight("check", "dev", "--region", "us-west-2", "--external-id", secret)
    assert ran.code == 2
    assert ran.message().startswith("--external-id: ")
    assert secret not in ran.err
    assert "blank" not in ran.err


def test_an_instance_type_that_does_not_exist_closes_the_gate(
    sandbox: Sandbox, preflight: Any
) -> None:
    ran = preflight(
        "check", "dev", "--region", "us-west-2", "--instance-types", "t9.huge", "-o", "json"
    )
    assert ran.code == 3
    failed = [
        found
        for found in json.loads(ran.out)["findings"]
        if found["check"] == "instance-types" and found["status"] == "fail"
    ]
    assert [found["subject"] for found in failed] == ["t9.huge"]


def test_a_reader_that_has_seen_enough_ends_a_command_quietly() -> None:
    command = f"{sys.executable} -m preflight schema report | head -1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout == "{\n0\n"
    assert ended.stderr == ""


def test_a_report_nobody_reads_ends_a_command_quietly(sandbox: Sandbox) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "preflight", "clusters"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_ctrl_c_ends_with_130_and_one_word(sandbox: Sandbox) -> None:
    fault = {"action": "sts:GetCallerIdentity", "delay_ms": 5_000}
    sandbox.reset({"faults": [fault]})
    running = subprocess.Popen(
        [sys.executable, "-m", "preflight", "check", "dev", "--region", "us-west-2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(2.5)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert (out, err) == ("", "preflight: interrupted\n")


def test_no_bad_input_makes_anything(
    sandbox: Sandbox, preflight: Any, changed: Callable[[], list[str]]
) -> None:
    Path("wrong.yaml").write_text("name: dev\nregon: us-west-2\n")
    preflight("provision", "-f", "wrong.yaml", "--region", "us-west-2", "--yes")
    preflight("provision", "dev", "--region", "nowhere", "--yes")
    preflight("provision", "dev", "--region", "us-west-2", "--instance-types", "t9.huge", "--yes")
    assert sandbox.world.calls
    assert changed() == []

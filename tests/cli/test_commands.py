"""The commands on the embedded AWS: what they end with, what they print, and what they keep."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from preflight import schemas
from preflight.cli.main import run
from preflight.sandbox.server import Sandbox
from reports.formats import FORMATS
from reports.schema import validate

REGION = "us-west-2"
ROLE = "grid-cloud-story"
#: An account with room for a cluster.
READY: dict[str, Any] = {
    "account": {"id": "111122223333", "region": REGION},
    "rates": "off",
    "quotas": [
        {"service": "vpc", "code": "L-F678F1CE", "region": REGION, "applied": 15},
        {"service": "ec2", "code": "L-1216C47A", "region": REGION, "applied": 1152},
        {"service": "ec2", "code": "L-34B43A08", "region": REGION, "applied": 1152},
    ],
}
#: A cluster with as few resources as there can be; a JSON file is a spec, too.
SPEC: dict[str, Any] = {
    "name": "dev",
    "region": REGION,
    "instance_types": [{"type": "m7i.large", "capacity": ["on-demand"]}],
    "network": {"zones": ["a", "b"], "nat": "single", "endpoints": False},
    "logging": False,
    "resolver_query_logging": False,
}
TIME_SCALE = 2000.0


@dataclass(frozen=True)
class Told:
    """How one command of the story ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Read standard output as a report and nothing else; it has to fit the shipped schema."""
        report: dict[str, Any] = json.loads(self.out)
        validate(report)
        return report


@dataclass
class Story:
    """One cluster from plan to scan, with all that was printed and kept on the way."""

    folder: Path
    told: dict[str, Told]
    secret: str = ""
    key: str = ""
    calls: str = ""

    def say(self, name: str, *arguments: str) -> Told:
        """Run a command and remember it."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(arguments))
        self.told[name] = Told(code=code, out=out.getvalue(), err=err.getvalue())
        return self.told[name]

    def __getitem__(self, name: str) -> Told:
        return self.told[name]


@pytest.fixture(scope="module")
def story(sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Tell the story once; the tests look at what was said."""
    folder = tmp_path_factory.mktemp("story")
    sandbox_server.reset(READY, time_scale=TIME_SCALE)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in sandbox_server.environment().items():
            patch.setenv(name, value)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setattr(sys, "stdin", io.StringIO())
        told = Story(folder=folder, told={}, key=sandbox_server.secret_access_key)
        _tell(told, sandbox_server)
        told.calls = json.dumps(list(sandbox_server.world.calls))
        yield told


def _tell(story: Story, sandbox: Sandbox) -> None:
    folder, account = story.folder, sandbox.account
    spec = folder / "dev.json"
    spec.write_text(json.dumps(SPEC))
    admin = f"arn:aws:iam::{account}:user/sandbox-admin"
    story.say("role create", "role", "create", ROLE, "--trust", admin, "--yes", "-o", "json")
    kept = folder / "state/preflight" / account / "roles" / f"{ROLE}.json"
    story.secret = str(json.loads(kept.read_text())["external_id"])
    story.say("role show", "role", "show", ROLE)
    arn = str(story["role create"].report["role"]["role_arn"])
    role = ("--role-arn", arn, "--external-id", story.secret)
    whole = ("-f", str(spec), *role, "-v", "-o", "json")
    story.say("plan", "plan", *whole)
    story.say("check", "check", *whole)
    events = ("--events", str(folder / "events.jsonl"))
    story.say("provision", "provision", *whole, *events, "--yes")
    story.say("plan again", "plan", *whole)
    story.say("clusters", "clusters", "-v", "-o", "json")
    story.say("scan alive", "scan", "dev", *role, "-v")
    story.say("role delete early", "role", "delete", ROLE, "--yes")
    story.say("delete unasked", "delete", "dev", *role, "-v")
    html = f"html:{folder / 'delete.html'}"
    story.say("delete", "delete", "dev", *role, "--yes", "-v", "-o", "json", "-o", html)
    story.say("scan", "scan", "dev", *role, "-v", "-o", "json")
    story.say("clusters after", "clusters", "-o", "json")
    story.say("role delete", "role", "delete", ROLE, "--yes", "-o", "json")


def test_every_step_of_the_story_ends_as_it_should(story: Story) -> None:
    codes = {name: told.code for name, told in story.told.items() if told.code}
    expected = {"scan alive": 7, "role delete early": 7, "delete unasked": 7}
    assert codes == expected, "\n".join(f"{name}: {story[name].err}" for name in codes)


@pytest.mark.parametrize(
    ("name", "kind", "verdict"),
    [
        ("role create", "role", "built"),
        ("plan", "plan", "done"),
        ("check", "check", "open"),
        ("provision", "provision", "built"),
        ("plan again", "plan", "done"),
        ("clusters", "clusters", "done"),
        ("delete", "delete", "deleted"),
        ("scan", "scan", "clean"),
        ("role delete", "role", "deleted"),
    ],
)
def test_standard_output_is_one_report_that_fits_the_schema(
    story: Story, name: str, kind: str, verdict: str
) -> None:
    report = story[name].report
    assert (report["kind"], report["verdict"], report["complete"]) == (kind, verdict, True)
    assert report["calls"]["total"] == sum(report["calls"]["by_operation"].values()) > 0


def test_a_plan_creates_everything_and_after_the_build_keeps_everything(story: Story) -> None:
    before = {each["address"]: each["change"] for each in story["plan"].report["plan"]["resources"]}
    after = {
        each["address"]: each["change"] for each in story["plan again"].report["plan"]["resources"]
    }
    assert set(before.values()) == {"create"}
    assert set(after.values()) == {"keep"}
    assert before.keys() == after.keys()


def test_a_build_makes_all_that_was_planned_and_a_tear_down_takes_as_much(story: Story) -> None:
    planned = {each["address"] for each in story["plan"].report["plan"]["resources"]}
    built = {step["address"] for step in story["provision"].report["steps"]}
    assert built == planned
    assert {step["state"] for step in story["provision"].report["steps"]} == {"ready"}
    assert {step["state"] for step in story["delete"].report["steps"]} == {"gone"}
    assert story["delete"].report["findings"] == []


def test_the_cluster_is_listed_as_long_as_it_lives(story: Story) -> None:
    rows = story["clusters"].report["clusters"]
    assert [(row["name"], row["status"], row["type"]) for row in rows] == [
        ("dev", "running", "byoc")
    ]
    assert story["clusters after"].report["clusters"] == []


def test_progress_goes_to_standard_error_line_by_line(story: Story) -> None:
    lines = story["provision"].err.splitlines()
    assert lines[0].startswith("gate open: ")
    assert any("ready" in line and "eks/cluster" in line for line in lines)


def test_events_are_json_lines_from_the_first_step_to_the_last(story: Story) -> None:
    lines = (story.folder / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert {event["event"] for event in events} == {"step"}
    last = {event["address"]: event["phase"] for event in events}
    planned = {each["address"] for each in story["plan"].report["plan"]["resources"]}
    assert last.keys() == planned
    assert set(last.values()) == {"ready"}


def test_what_is_alive_is_not_left_over(story: Story) -> None:
    assert "dev is alive" in story["scan alive"].err
    assert "preflight delete dev" in story["scan alive"].err
    assert story["scan alive"].out == ""


def test_nothing_is_deleted_without_a_yes(story: Story) -> None:
    assert story["delete unasked"].err.startswith("preflight: not without a yes: Everything of dev")
    assert "--yes" in story["delete unasked"].err


def test_a_role_stays_as_long_as_a_cluster_needs_it(story: Story) -> None:
    assert story["role delete early"].err == (
        "preflight: dev in us-west-2 still needs it\n"
        "  hint: delete first: preflight delete dev --region us-west-2\n"
    )


def test_a_secret_is_in_nothing_that_was_printed_or_kept(story: Story) -> None:
    assert len(story.secret) >= 30
    for secret in (story.secret, story.key):
        for name, told in story.told.items():
            assert secret not in told.out + told.err, name
        assert secret not in story.calls
        for path in sorted(story.folder.rglob("*")):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), path


def test_a_role_that_is_gone_leaves_no_secret_behind(story: Story) -> None:
    assert not list(story.folder.rglob(f"{ROLE}.json"))


def test_a_secret_is_told_only_when_asked_for_and_kept_for_its_owner_alone(
    sandbox: Sandbox, preflight: Any, tmp_path: Path
) -> None:
    assert preflight("role", "create", ROLE, "--yes").code == 0
    [kept] = tmp_path.rglob(f"{ROLE}.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    secret = json.loads(kept.read_text())["external_id"]
    report = preflight("role", "show", ROLE, "-o", "json").out
    assert secret not in report
    arn = json.loads(report)["role"]["role_arn"]
    shown = preflight("role", "show", ROLE, "--shell")
    assert shown.out == f"export ROLE_ARN={arn} EXTERNAL_ID={secret}\n"


def test_a_role_that_is_not_there_is_a_usage_error(sandbox: Sandbox, preflight: Any) -> None:
    for command in (("show",), ("delete", "--yes")):
        ran = preflight("role", command[0], "nobody", *command[1:])
        assert (ran.code, ran.message()) == (2, f"there is no role nobody in {sandbox.account}")


def test_a_name_typed_wrong_changes_nothing(sandbox: Sandbox, changed: Any) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "w") as terminal, os.fdopen(theirs) as stdin:
        running = subprocess.Popen(
            [sys.executable, "-m", "preflight", "role", "create", ROLE],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        terminal.write("another\n")
        terminal.flush()
        _, err = running.communicate(timeout=60)
    assert running.returncode == 7
    assert "not confirmed: nothing was changed" in err
    assert changed() == []


def test_what_could_not_be_looked_at_leaves_the_gate_incomplete(
    sandbox: Sandbox, preflight: Any
) -> None:
    Path("dev.json").write_text(json.dumps(SPEC))
    denied = {"action": "servicequotas:*", "error": "AccessDeniedException", "status": 403}
    sandbox.reset({**READY, "faults": [denied]})
    ran = preflight("check", "-f", "dev.json", "-o", "json")
    report = json.loads(ran.out)
    assert (ran.code, report["verdict"], report["complete"]) == (4, "incomplete", False)
    unknown = {each["check"] for each in report["findings"] if each["status"] == "unknown"}
    assert unknown == {"quota-plan", "quota-vendor"}
    assert ran.err == ""


def test_the_wrong_account_closes_the_gate_and_refuses_a_build(
    sandbox: Sandbox, preflight: Any, changed: Any
) -> None:
    Path("dev.json").write_text(json.dumps(SPEC))
    sandbox.reset(READY)
    wrong = ("-f", "dev.json", "--account", "999988887777")
    ran = preflight("check", *wrong, "-o", "json")
    failed = {each["check"] for each in json.loads(ran.out)["findings"] if each["status"] == "fail"}
    assert (ran.code, failed) == (3, {"identity"})
    for command in (("provision", *wrong, "--yes"), ("delete", "dev", *wrong[2:], "--yes")):
        ran = preflight(*command)
        assert ran.code == 7
        assert "account 111122223333, not 999988887777" in ran.message()
    assert changed() == []


def test_flags_win_over_the_file(sandbox: Sandbox, preflight: Any) -> None:
    Path("dev.json").write_text(json.dumps(SPEC))
    flags = ("prod", "--region", "us-east-1", "--instance-types", "t3.medium")
    report = json.loads(preflight("plan", "-f", "dev.json", *flags, "-o", "json").out)
    assert (report["cluster"], report["region"]) == ("prod", "us-east-1")
    nodes = [each["name"] for each in report["plan"]["resources"] if "nodegroup" in each["kind"]]
    assert nodes
    assert all("t3" in name for name in nodes)


def test_the_region_is_that_of_the_environment_where_nothing_else_names_one(
    sandbox: Sandbox, preflight: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert json.loads(preflight("scan", "dev", "-o", "json").out)["region"] == "eu-west-1"
    assert json.loads(preflight("clusters", "-o", "json").out)["region"] == "eu-west-1"
    given = preflight("clusters", "--region", "eu-central-1", "-o", "json")
    assert json.loads(given.out)["region"] == "eu-central-1"


def test_a_command_runs_on_a_sandbox_of_its_own(process: Any) -> None:
    ran = process(
        "clusters", "--sandbox", "--region", REGION, "-o", "json", AWS_ENDPOINT_URL="http://[::1]:9"
    )
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["clusters"] == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_saved_report_is_rendered_again_in_every_format(
    form: str, story: Story, preflight: Any
) -> None:
    Path("saved.json").write_text(story["check"].out)
    ran = preflight("report", "saved.json", "-o", form)
    assert (ran.code, ran.err) == (0, "")
    assert "L-6B80B8FA" in ran.out  # of which this account has less than the vendor recommends
    if form == "json":
        assert json.loads(ran.out) == story["check"].report


def test_a_report_that_closed_the_gate_is_rendered_with_0(sandbox: Sandbox, preflight: Any) -> None:
    closed: dict[str, Any] = {
        "schema": "preflight.report/1",
        "kind": "check",
        "generated_at": "2026-01-15T12:00:00Z",
        "version": "0.1.0",
        "account": None,
        "region": REGION,
        "cluster": "dev",
        "verdict": "closed",
        "complete": True,
        "findings": [],
        "coverage": [],
        "calls": {"total": 0, "by_operation": {}},
        "seconds": 1.0,
    }
    Path("closed.json").write_text(json.dumps(closed))
    ran = preflight("report", "closed.json")
    assert ran.code == 0
    assert "gate closed" in ran.out


def test_every_schema_that_is_named_is_printed(preflight: Any) -> None:
    for name in schemas.names():
        ran = preflight("schema", name)
        assert ran.code == 0
        assert json.loads(ran.out)["$schema"].startswith("https://json-schema.org/")

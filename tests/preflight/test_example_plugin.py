"""`examples/plugin`: a distribution of its own, installed as a stranger's would be, and run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the example and install it into a folder of its own; nothing is downloaded."""
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("build", "dist", "*.pyc"))
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(folder)]
    subprocess.run([*pip, *alone, str(source)], check=True, capture_output=True)
    return folder


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """Run a command with the example beside Preflight, and with `more` in its environment."""

    def ran(*words: str, folder: Path = installed) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *words],
            env={**os.environ, "PYTHONPATH": str(folder)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return ran


def test_it_is_listed_and_explained(run: Run) -> None:
    listed = run("preflight", "checks")
    explained = run("preflight", "explain", "cost-centre")

    assert "cost-centre              The cluster carries a cost centre" in listed.stdout
    assert "Write `tags: {cost-centre: '1234'}` into the spec" in " ".join(explained.stdout.split())


def test_it_can_be_switched_off(run: Run) -> None:
    listed = run("preflight", "checks", "--no-plugins")

    assert listed.returncode == 0
    assert "cost-centre" not in listed.stdout


def test_its_own_tests_pass_where_it_is_installed(run: Run) -> None:
    tests = EXAMPLE / "tests"
    ran = run("pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(tests))

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "4 passed" in ran.stdout


SCRIPT = """
from preflight import gate, plugins
from preflight.testing import context_of
found = plugins.checks({wanted!r}, known=[], seconds=2.0)
for finding in gate.run(found, context_of({spec!r})).findings:
    print(finding.check, finding.status, finding.message)
"""


@pytest.fixture
def verdict(run: Run, tmp_path: Path, installed: Path) -> Callable[..., list[str]]:
    """Run the gate with the plugins that are installed; gives its findings."""

    def findings(
        spec: dict[str, object], wanted: object = True, folder: Path = installed
    ) -> list[str]:
        (tmp_path / "gated.py").write_text(SCRIPT.format(wanted=wanted, spec=spec))
        ran = run("gated", folder=folder)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.splitlines()

    return findings


def test_it_is_run_by_the_gate(verdict: Callable[..., list[str]]) -> None:
    without, with_tag = {"name": "dev"}, {"name": "dev", "tags": {"cost-centre": "1234"}}

    assert verdict(without) == ["cost-centre fail the spec has no tag cost-centre"]
    assert verdict(with_tag) == ["cost-centre pass cost centre 1234 pays"]
    assert verdict(without, wanted=False) == []
    assert verdict(without, wanted=["budget"]) == [
        "budget unknown the spec asks for the plugin budget, which is not installed"
    ]


BREAKS = {
    "imports": ("raise RuntimeError('not today')", ""),
    "leaves": ("raise SystemExit('goodbye')", ""),
    "waits": ("import time\ntime.sleep(3600)", ""),
    "isnone": ("check = 'a text'", ""),
    "raises": ("", "raise KeyError('gone')"),
    "ends": ("", "raise SystemExit(3)"),
    "hangs": ("", "import time\n    time.sleep(3600)"),
    "nothing": ("", "return None"),
    "garbage": ("", "return ['a text', 7]"),
    "colours": ("", "yield Answer(status='green', subject='x', message='y')"),
    "numbers": ("", "yield Answer(status=Status.PASS, subject='x', message=7)"),
    "silent": ("", "return []"),
}
TELLS = {
    "imports": "broken-preflight[imports] cannot be loaded: RuntimeError: not today",
    "leaves": "broken-preflight[leaves] cannot be loaded: SystemExit: goodbye",
    "waits": "broken-preflight[waits] cannot be loaded: TimeoutError: no end of it within 2 s",
    "isnone": "broken-preflight[isnone] is a str, not a Check",
    "raises": "the check broke: KeyError: 'gone'",
    "ends": "the check broke: SystemExit: 3",
    "hangs": "the check gave no answer within 2 s",
    "nothing": "the check broke: TypeError: 'NoneType' object is not iterable",
    "garbage": "the check broke: TypeError: it gave a str, not an Answer",
    "colours": "the check broke: ValueError: 'green' is not a valid Status",
    "numbers": "the check broke: TypeError: the message of its answer is no text",
    "silent": "the check gave no answer",
}


@pytest.fixture
def broken(installed: Path, tmp_path: Path) -> Path:
    """Install beside the example a distribution whose checks break in every way there is."""
    folder = tmp_path / "broken"
    shutil.copytree(installed, folder)
    other = folder / "broken_preflight-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-preflight\nVersion: 1.0\n")
    points = "".join(f"{name} = broken_{name}:check\n" for name in BREAKS)
    (other / "entry_points.txt").write_text(f"[preflight.checks]\n{points}")
    for name, (top, body) in BREAKS.items():
        said = "why='a b c d.', fix='a b c d.', url='https://a.example'"
        asks = f"@check('{name}', 'It answers', {said})\ndef check(context):\n    {body}\n"
        code = f"from preflight import Answer, Status, check\n{top}\n{asks if body else ''}"
        (folder / f"broken_{name}.py").write_text(code)
    return folder


def test_one_that_breaks_is_unknown_and_takes_no_other_with_it(
    verdict: Callable[..., list[str]], broken: Path
) -> None:
    said = verdict({"name": "dev"}, folder=broken)

    assert sorted(said) == sorted(
        [
            "cost-centre fail the spec has no tag cost-centre",
            *(f"{name} unknown {words}" for name, words in TELLS.items()),
        ]
    )


def test_its_vendor_profile_is_found_by_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "load.py").write_text(
        "from preflight import profile\n"
        "acme = profile.load('acme')\n"
        "print(acme.title, acme.role.trusted_account, acme.name_problems('x') != ())\n"
        "print(profile.names())\n"
    )

    ran = run("load")

    assert ran.stdout.splitlines() == [
        "Acme 444455556666 True",
        "('grid', 'lightning', 'acme')",
    ]


def test_its_vendor_is_chosen_by_name_on_the_command_line(run: Run) -> None:
    asked = ("preflight", "check", "--vendor", "acme", "--region", "us-west-2", "--sandbox")

    fits, refused = (run(*asked, name, "-o", "json") for name in ("acme-dev", "dev"))

    told = {(one["check"], one["subject"]): one for one in json.loads(fits.stdout)["findings"]}
    assert told["names", "cluster acme-dev"]["message"] == "'acme-dev' fits Acme's rule"
    assert told["cost-centre", "cost-centre"]["status"] == "fail"
    assert (fits.returncode, refused.returncode) == (3, 3)
    wrong = {(one["check"], one["subject"]): one for one in json.loads(refused.stdout)["findings"]}
    assert wrong["names", "cluster dev"]["status"] == "fail"
    assert "no cluster name for Acme" in wrong["names", "cluster dev"]["message"]


def test_a_vendor_s_file_that_is_wrong_is_told_with_its_line(run: Run, broken: Path) -> None:
    profile = broken / "acme_preflight" / "acme.yaml"
    profile.write_text(profile.read_text("utf-8") + "colour: blue\n", "utf-8")

    ran = run("preflight", "check", "acme-dev", "--vendor", "acme", "--sandbox", folder=broken)

    assert ran.returncode == 2
    assert "acme_preflight/acme.yaml:" in ran.stderr
    assert "colour: there is no such key" in ran.stderr

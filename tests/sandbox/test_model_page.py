"""The page of what the sandbox models: each rule has a source and a test, and none is left out."""

from __future__ import annotations

import re
from pathlib import Path

from preflight.sandbox.table import MODULES

ROOT = Path(__file__).parents[2]
#: A module of the sandbox, as the page of what it models names one.
MODULE = re.compile(r"`(\w+)/(?!test_)(\w+)\.py`")


def model_page() -> str:
    return (ROOT / "docs" / "sandbox-model.md").read_text("utf-8")


def modelled() -> list[tuple[str, str, str]]:
    """Give the rows of the page of what the sandbox models: rule, sources, test."""
    text = model_page()
    rows = re.findall(r"^\| (.+?) \| (.+?) \| `([^`|]+)` \|$", text, re.MULTILINE)
    assert len(rows) == text.count("\n| ") - text.count("\n| rule ")
    return rows


def test_every_rule_of_the_sandbox_has_a_source() -> None:
    source = re.compile(r"(\[[^\]]+\]\(https://(docs\.aws\.amazon\.com|github\.com)/\S+\) ?)+")
    assert [rule for rule, sources, _ in modelled() if not source.fullmatch(sources)] == []


def test_every_rule_of_the_sandbox_has_a_test() -> None:
    gone = []
    for _, _, test in modelled():
        file, _, function = test.partition("::")
        path = ROOT / "tests" / "sandbox" / file
        if not path.is_file() or f"def {function}(" not in path.read_text("utf-8"):
            gone.append(test)
    assert gone == []


def test_no_rule_of_the_sandbox_is_told_twice() -> None:
    rules, tests = [rule for rule, _, _ in modelled()], [test for _, _, test in modelled()]
    assert [rule for rule in rules if rules.count(rule) > 1] == []
    assert [test for test in tests if tests.count(test) > 1] == []


def test_every_module_of_the_sandbox_that_takes_part_is_told_of() -> None:
    told = {f"preflight.sandbox.{room}.{file}" for room, file in MODULE.findall(model_page())}
    # What is asked of every request is no module of the table.
    assert told - {"preflight.sandbox.input.validate"} == set(MODULES)


def test_every_test_file_of_the_sandbox_s_rooms_proves_a_rule() -> None:
    proving = {test.partition("::")[0] for _, _, test in modelled()}
    tests = ROOT / "tests" / "sandbox"
    files = {str(file.relative_to(tests)) for file in tests.glob("*/test_*.py")}
    # Scenarios and the state are the sandbox's own, and no rule of AWS's.
    own = {file for file in files if file.startswith("account/")} | {"eks/test_state.py"}
    assert files - proving - own == set()

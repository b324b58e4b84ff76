"""A vendor is data: nothing of one stands in code, and a second one works like the first."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from preflight import profile, spec
from preflight.facts import Facts, Zone
from preflight.found import Owner
from provision.blueprint import draw
from provision.blueprint.vendor_role import draw_role
from provision.resources.roles import Role

ROOT = Path(__file__).parents[2]
#: The demonstration is told with one vendor.
STORIES = frozenset({"preflight/cli/demo.py"})
#: Which vendor it is when nobody says is the one word that code has of any.
DEFAULT = ("preflight/spec_values.py", "grid")
VENDORS = ("grid", "lightning")
SOURCES = sorted(
    file
    for package in ("preflight", "checks", "provision", "reports")
    for file in (ROOT / package).rglob("*.py")
    if str(file.relative_to(ROOT)) not in STORIES
)


def words_of(file: Path) -> Iterator[str]:
    """Give the texts and names in a module that do something: no docstrings, no comments."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    idle = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented)
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in idle:
            yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def marks_of(vendor: str) -> re.Pattern[str]:
    known = profile.load(vendor)
    assert known.role is not None
    marks = (known.name, known.title, known.role.trusted_account, known.role.name_prefix)
    return re.compile(
        "|".join(rf"(?<![a-z]){re.escape(mark)}(?![a-z])" for mark in marks), re.IGNORECASE
    )


@pytest.mark.parametrize("vendor", VENDORS)
def test_nothing_of_a_vendor_stands_in_code(vendor: str) -> None:
    marks = marks_of(vendor)

    found = [
        (str(file.relative_to(ROOT)), word)
        for file in SOURCES
        for word in words_of(file)
        if marks.search(word)
    ]

    assert set(found) <= {DEFAULT}


def test_the_search_would_find_a_vendor_in_code(tmp_path: Path) -> None:
    module = tmp_path / "bad.py"
    module.write_text('"""About Grid."""\nACCOUNT = "302180240179"  # grid\n', encoding="utf-8")

    assert [word for word in words_of(module) if marks_of("grid").search(word)] == ["302180240179"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_role_of_every_vendor_can_be_drawn(vendor: str) -> None:
    known = profile.load(vendor)
    owner = Owner(cluster="vendor", account="111122223333", region="us-west-2")

    (role,) = draw_role(known, owner, "secret").resources

    assert isinstance(role, Role)
    assert known.role is not None
    statement = role.trust["Statement"][0]
    assert statement["Principal"]["AWS"] == [f"arn:aws:iam::{known.role.trusted_account}:root"]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "secret"}}
    assert (len(role.managed), role.max_session) == (len(known.role.managed_policies), 43200)
    assert set(known.role.actions) <= set(role.inline["preflight"]["Statement"][0]["Action"])


@pytest.mark.parametrize(
    ("name", "fits"),
    [("team-a", True), ("team.a", False), ("-a", False), ("a" * 64, False), ("a\n", False)],
)
def test_the_successor_takes_no_dots_in_names(name: str, fits: bool) -> None:
    assert (profile.load("lightning").name_problems(name) == ()) is fits


def test_a_tag_the_vendor_deletes_by_is_claimed() -> None:
    lightning = profile.load("lightning")

    assert lightning.claims("lightning/cluster", "dev")
    assert lightning.claims("kubernetes.io/cluster/dev", "dev")
    assert not lightning.claims("kubernetes.io/cluster/prod", "dev")
    assert not profile.load("grid").claims("lightning/cluster", "dev")


def test_the_same_cluster_can_be_planned_for_either_vendor() -> None:
    zones = tuple(Zone(name=f"us-west-2{letter}", id="") for letter in "abc")
    facts = Facts(
        account="111122223333", partition="aws", region="us-west-2", principal="", zones=zones
    )

    plans = {
        draw(
            spec.from_mapping({"name": "dev", "region": "us-west-2", "vendor": each}), facts
        ).digest
        for each in VENDORS
    }

    assert len(plans) == 1

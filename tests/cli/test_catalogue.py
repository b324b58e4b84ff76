"""What there is to know of the checks, from the command line."""

from __future__ import annotations

from typing import Any

import pytest

from checks.builtin import CHECKS
from preflight.check import Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.id))
def test_every_check_says_why_how_to_mend_on_what_it_rests_and_what_it_needs(
    preflight: Any, check: Check
) -> None:
    ran = preflight("explain", check.id, "--no-plugins")

    told = " ".join(ran.out.split())
    assert ran.code == 0
    assert f"{check.id}: {check.title}" in told
    assert f"Why {' '.join(check.why.split())}" in told
    assert f"How to mend it {' '.join(check.fix.split())}" in told
    assert f"Source {check.url}" in told
    assert all(f" {action}" in told for action in check.actions)
    assert all(len(line) <= 80 or "://" in line for line in ran.out.splitlines())


def test_the_checks_are_listed_in_the_order_in_which_they_are_asked(preflight: Any) -> None:
    listed = [line.split()[0] for line in preflight("checks", "--no-plugins").out.splitlines()]

    assert listed == [check.id for check in CHECKS]


def test_a_check_that_is_not_there_is_answered_with_those_that_are(preflight: Any) -> None:
    ran = preflight("explain", "nonsense", "--no-plugins")

    assert ran.code == 2
    assert ran.message() == "no check is called 'nonsense'"
    assert "taken-names" in ran.err

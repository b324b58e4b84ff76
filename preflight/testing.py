"""The contract a check must keep, as a function: authors of plugins test theirs with ours.

from preflight.testing import check_contract
def test_contract():
    check_contract(cost_centre)
"""

from __future__ import annotations

import re

from preflight.aws import READS
from preflight.check import Check

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ACTION = re.compile(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+")


def check_contract(check: Check) -> None:
    """Raise AssertionError with the reason where a check breaks the contract.

    Its id is kebab-case, its title a sentence without a full stop, its texts say something, its url
    is an https page, and its actions only look.
    """
    problems = [
        message
        for holds, message in (
            (KEBAB.fullmatch(check.id), f"id {check.id!r} is not kebab-case"),
            (check.title[:1].isupper(), f"title {check.title!r} does not start like a sentence"),
            (not check.title.endswith("."), "the title ends with a full stop"),
            (len(check.why.split()) >= 4, "`why` does not say what happens without it"),
            (len(check.fix.split()) >= 4, "`fix` does not say what to do"),
            (check.url.startswith("https://"), "`url` is not an https page"),
            *((ACTION.fullmatch(a), f"{a!r} is no IAM action") for a in check.actions),
            *((_looks(a), f"{a} changes something") for a in check.actions),
        )
        if not holds
    ]
    if problems:
        raise AssertionError(f"{check.id}: {'; '.join(problems)}")


def _looks(action: str) -> bool:
    """Say whether an action only looks; assuming a role mints credentials and changes nothing."""
    return action == "sts:AssumeRole" or action.partition(":")[2].startswith(READS)

"""The contract a check must keep, as a function: authors of plugins test theirs with ours.

from preflight.testing import check_contract, context_of
def test_contract():
    check_contract(cost_centre)
def test_a_cluster_without_a_cost_centre_is_refused():
    (answer,) = cost_centre.ask(context_of({"name": "dev"}))
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from preflight import profile, spec
from preflight.aws import READS, Aws
from preflight.check import Check, Context
from preflight.facts import Facts
from preflight.found import Owner
from preflight.plan import Plan
from preflight.resource import Resource

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


def context_of(
    asked: Mapping[str, Any], *resources: Resource, account: str = "111122223333"
) -> Context:
    """Make the context of a check from a spec as a mapping, and the resources of its plan.

    `aws` connects when it is first used, to wherever the environment says: to the sandbox, say.
    Raises `SpecError` for a spec that is wrong.
    """
    wanted = spec.from_mapping(asked)
    owner = Owner(
        cluster=wanted.name, account=account, region=wanted.region, extra_tags=wanted.tags
    )
    aws = Aws(wanted.region)
    return Context(
        spec=wanted,
        profile=profile.load(wanted.vendor),
        plan=Plan(owner=owner, resources=resources),
        facts=Facts(account=account, partition="aws", region=wanted.region, principal=""),
        aws=aws,
        caller=aws,
    )


def _looks(action: str) -> bool:
    """Say whether an action only looks; assuming a role mints credentials and changes nothing."""
    return action == "sts:AssumeRole" or action.partition(":")[2].startswith(READS)

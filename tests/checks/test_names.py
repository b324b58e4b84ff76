"""Names: the cluster's own, and all that follow from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.names import names, proposed
from preflight.finding import Status
from preflight.names import CLUSTER, RULES, problems


def test_a_legal_name_passes_and_every_derived_name_is_told(bench: Any) -> None:
    found = bench.ask(names, bench.context())

    assert {finding.status for finding in found.values()} == {Status.PASS}
    assert found["derived names"].data["names"]["eks/cluster/main"] == "dev"


def test_a_dot_is_told_with_the_name_that_eks_will_have(bench: Any) -> None:
    found = bench.ask(names, bench.context(name="team.a"))

    renamed = found["eks/cluster/main renamed"]
    assert renamed.status is Status.PASS
    assert renamed.data["name"].startswith("team-a-")
    assert "'.' at position 5" in renamed.message


@pytest.mark.parametrize(
    ("name", "character", "proposal"),
    [("dev_one", "'_' at position 4", "dev-one"), ("Dev", "'D' at position 1", "dev")],
)
def test_an_illegal_name_fails_at_its_character_and_a_legal_one_is_proposed(
    bench: Any, name: str, character: str, proposal: str
) -> None:
    context = bench.context()
    context = replace(context, spec=replace(context.spec, name=name))

    found = bench.ask(names, context)[f"cluster {name}"]

    assert found.status is Status.FAIL
    assert character in found.message
    assert found.data["proposal"] == proposal
    assert context.profile.name_problems(proposal) == ()


def test_a_derived_name_that_aws_refuses_fails(bench: Any) -> None:
    context = bench.context()
    plan = context.plan
    wrong = tuple(
        replace(each, cluster_name="two.words") if each.kind == "eks/cluster" else each
        for each in plan.resources
    )

    found = bench.ask(names, replace(context, plan=replace(plan, resources=wrong)))

    refused = found["eks/cluster/main EKS cluster"]
    assert refused.status is Status.FAIL
    assert "'.' at position 4" in refused.message
    assert "derived names" not in found


@given(name=st.text(min_size=1, max_size=300), rule=st.sampled_from((CLUSTER, *RULES)))
def test_whatever_is_proposed_is_legal(name: str, rule: Any) -> None:
    proposal = proposed(rule, name)

    assert proposal is not None
    assert problems(rule, proposal) == ()

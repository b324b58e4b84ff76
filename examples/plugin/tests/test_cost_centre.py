"""The check keeps the contract, and judges the tag."""

from __future__ import annotations

from typing import Any

import pytest
from acme_preflight.cost_centre import cost_centre

from preflight import Status
from preflight.testing import check_contract, context_of


def test_the_check_keeps_the_contract() -> None:
    check_contract(cost_centre)


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ({"cost-centre": "1234"}, Status.PASS),
        ({"cost-centre": "mine"}, Status.FAIL),
        ({}, Status.FAIL),
    ],
)
def test_the_tag_is_judged(tags: dict[str, Any], status: Status) -> None:
    (answer,) = cost_centre.ask(context_of({"name": "dev", "tags": tags}))

    assert getattr(answer, "status", None) is status

"""Zones: those of this account, by its own letters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checks.zones import zones
from preflight.finding import Status


def network(*letters: str) -> dict[str, Any]:
    return {"zones": list(letters), "nat": "single"}


def test_zones_of_the_account_pass(bench: Any) -> None:
    assert set(bench.statuses(zones, bench.context()).values()) == {Status.PASS}


def test_a_letter_the_account_does_not_have_fails_with_the_line_to_write(bench: Any) -> None:
    found = bench.ask(zones, bench.context(network=network("a", "f")))

    assert found["us-west-2f"].status is Status.FAIL
    assert "not a zone of this account" in found["us-west-2f"].message
    assert "zones: [a, b]" in found["us-west-2f"].hint
    assert found["number of zones"].status is Status.FAIL
    assert found["us-west-2a"].status is Status.PASS


def test_a_zone_that_eks_refuses_fails_by_its_id(bench: Any) -> None:
    context = bench.context(region="us-east-1", network=network("a", "b", "c", "d", "e", "f"))
    described = context.aws.each("ec2", "DescribeAvailabilityZones", "AvailabilityZones")
    refused = next(zone["ZoneName"] for zone in described if zone["ZoneId"] == "use1-az3")

    found = bench.ask(zones, context)

    assert found[refused].status is Status.FAIL
    assert "use1-az3" in found[refused].message
    assert found["number of zones"].status is Status.PASS


def test_a_plan_outside_the_vendor_s_default_zone_is_a_warning(bench: Any) -> None:
    found = bench.ask(zones, bench.context(network=network("b", "c")))

    assert found["default zone a"].status is Status.WARN
    assert "zones: [a, b]" in found["default zone a"].hint
    assert found["number of zones"].status is Status.PASS


def test_an_account_without_the_default_zone_is_told_which_letters_it_has(bench: Any) -> None:
    context = bench.context(network=network("b", "c"))
    without = tuple(zone for zone in context.facts.zones if not zone.name.endswith("a"))

    found = bench.ask(zones, replace(context, facts=replace(context.facts, zones=without)))

    assert found["default zone a"].status is Status.WARN
    assert "this account has b, c, d" in found["default zone a"].hint


@pytest.mark.parametrize("error", ["UnauthorizedOperation", "InternalError"])
def test_zones_that_could_not_be_looked_up_are_unknown(bench: Any, error: str) -> None:
    context = bench.context()
    context.aws.clock.sleep = lambda _: None
    bench.fault({"action": "ec2:DescribeAvailabilityZones", "error": error})

    found = bench.ask(zones, bench.looked_up_anew(context))

    assert {one.status for one in found.values()} == {Status.UNKNOWN}

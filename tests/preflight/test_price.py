"""Prices: what the table holds is added up, what it does not hold is said, nothing is guessed."""

from __future__ import annotations

import fnmatch
import re

import pytest

from preflight.price import Charge, add_up, as_of, monthly, table

REGIONS = sorted(table()["regions"])


def test_a_charge_is_its_price_times_its_quantity() -> None:
    assert monthly(Charge(sku="eks/cluster"), "us-east-1") == 73.0
    assert monthly(Charge(sku="ebs/gp3", quantity=100), "us-east-1") == 8.0
    assert monthly(Charge(sku="ec2/instance/t3.medium", quantity=3), "us-east-1") == 91.1


def test_an_hour_of_a_region_is_not_an_hour_of_another() -> None:
    at_home = monthly(Charge(sku="ec2/nat-gateway"), "us-east-1")
    in_ireland = monthly(Charge(sku="ec2/nat-gateway"), "eu-west-1")
    assert (at_home, in_ireland) == (32.85, 35.04)


@pytest.mark.parametrize(
    ("sku", "region"),
    [
        ("eks/cluster", "mars-north-1"),
        ("elb/unheard-of", "us-west-2"),
        ("ec2/instance/t9.huge", "us-east-1"),
        ("ec2/spot/t3.medium", "us-east-1"),
    ],
)
def test_what_the_table_does_not_hold_has_no_price(sku: str, region: str) -> None:
    assert monthly(Charge(sku=sku), region) is None
    total = add_up([Charge(sku=sku), Charge(sku=sku)], region)
    assert (total.monthly_usd, total.unpriced) == (0.0, (sku,))


def test_a_sum_keeps_apart_what_has_no_price() -> None:
    charges = [Charge(sku="eks/cluster"), Charge(sku="ec2/spot/t3.medium"), Charge(sku="kms/key")]
    total = add_up(charges, "us-east-1")
    assert total.monthly_usd == 74.0
    assert total.unpriced == ("ec2/spot/t3.medium",)


def test_a_sum_of_nothing_is_nothing_and_leaves_nothing_out() -> None:
    total = add_up([], "us-east-1")
    assert (total.monthly_usd, total.unpriced) == (0.0, ())


def test_the_table_is_dated() -> None:
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", as_of())


@pytest.mark.parametrize("region", REGIONS)
def test_every_price_has_a_source(region: str) -> None:
    covered = [
        pattern
        for source in table()["sources"]
        if region in source["regions"]
        for pattern in source["covers"]
    ]
    assert covered
    for sku, price in table()["regions"][region].items():
        assert any(fnmatch.fnmatchcase(sku, pattern) for pattern in covered), sku
        assert price > 0, sku


def test_no_source_covers_a_region_or_a_thing_that_the_table_does_not_hold() -> None:
    for source in table()["sources"]:
        for region in source["regions"]:
            held = table()["regions"][region]
            for pattern in source["covers"]:
                assert fnmatch.filter(held, pattern), (source["source"], region, pattern)


def test_the_sizes_of_a_family_cost_in_proportion() -> None:
    """A slip of the pen in one of them would stand out."""
    sizes = {"large": 1, "xlarge": 2, "2xlarge": 4, "4xlarge": 8, "8xlarge": 16}
    for region in REGIONS:
        held = table()["regions"][region]
        for family in ("t2", "t3", "m5", "m6i", "m7i", "c5", "c6i", "c7i", "r5", "r6i", "r7i"):
            hourly = {
                round(held[sku] / factor, 1)
                for size, factor in sizes.items()
                if (sku := f"ec2/instance/{family}.{size}") in held
            }
            assert len(hourly) <= 1, (region, family, hourly)

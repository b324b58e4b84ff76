"""What things cost: list prices from a dated table, and never a guess.

The table (`prices.json`) holds USD per unit and month of 730 hours, by Region, and under `sources`
where each number was read. A price that it does not hold is None, which reports show as "not
priced": it is not zero. Spot prices change by the hour, and a Region's prices are not another's:
neither is made up from what the table does hold. A volume is priced by its size alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Charge:
    """A quantity of something that AWS bills: `Charge(sku="ebs/gp3", quantity=100)` is 100 GiB."""

    sku: str
    quantity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Total:
    """A sum of charges per month, with what could not be priced."""

    monthly_usd: float
    unpriced: tuple[str, ...] = ()


@cache
def table() -> Mapping[str, Any]:
    """Read the table.

    `{"as_of": month, "source": text, "sources": [{"source": text, "regions": [...],
    "covers": [sku pattern, ...]}, ...], "regions": {region: {sku: usd}}}`
    """
    loaded: Mapping[str, Any] = json.loads((files("preflight") / "prices.json").read_text("utf-8"))
    return loaded


def as_of() -> str:
    """The month of the instance prices, which are most of the table; `sources` says more."""
    return str(table()["as_of"])


def monthly(charge: Charge, region: str) -> float | None:
    """Price one charge in USD per month; None when the table does not hold it for the Region."""
    price = table()["regions"].get(region, {}).get(charge.sku)
    return None if price is None else round(float(price) * charge.quantity, 2)


def add_up(charges: Iterable[Charge], region: str) -> Total:
    """Add up charges, keeping apart what has no price."""
    usd, unpriced = 0.0, set()
    for charge in charges:
        price = monthly(charge, region)
        if price is None:
            unpriced.add(charge.sku)
        else:
            usd += price
    return Total(monthly_usd=round(usd, 2), unpriced=tuple(sorted(unpriced)))

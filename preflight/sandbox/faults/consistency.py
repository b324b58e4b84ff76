"""How far AWS lags behind itself, as a scenario's `consistency` says, in virtual seconds.

A new account is told at once of everything that was done in it; AWS takes its time, and not always
the same: a lag is a number, or `{min, max}` to draw from anew each time, by the scenario's seed.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

from __future__ import annotations

import random
from typing import Any, Literal

from preflight.sandbox.world import World

Lag = Literal["iam_propagation", "describe_lag", "tag_index_lag"]


class Draws:
    """The chance in one sandbox's lags; a part of the world."""

    def __init__(self, world: World) -> None:
        self.random = random.Random(world.scenario.get("seed", 0))  # noqa: S311 - not a secret


def _asked(world: World, name: Lag) -> tuple[float, float]:
    asked: Any = world.scenario.get("consistency", {}).get(name, 0)
    if isinstance(asked, dict):
        return float(asked["min"]), float(asked["max"])
    return float(asked), float(asked)


def longest(world: World, name: Lag) -> float:
    """Give the most that a lag can be, in virtual seconds; 0 when the scenario says nothing."""
    return _asked(world, name)[1]


def lag(world: World, name: Lag) -> float:
    """Draw one of the lags, in virtual seconds."""
    low, high = _asked(world, name)
    return low if low == high else world.part(Draws).random.uniform(low, high)

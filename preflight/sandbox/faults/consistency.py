"""How far AWS lags behind itself, as a scenario's `consistency` says, in virtual seconds.

A new account is told at once of everything that was done in it; AWS takes its time.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

from __future__ import annotations

from typing import Literal

from preflight.sandbox.world import World

Lag = Literal["iam_propagation", "describe_lag", "tag_index_lag"]


def lag(world: World, name: Lag) -> float:
    """Give one of the lags in virtual seconds; 0 when the scenario says nothing of it."""
    return float(world.scenario.get("consistency", {}).get(name, 0))

"""The whole account as plain JSON (being filled in)."""

from __future__ import annotations

from typing import Any

from preflight.sandbox.world import World


def snapshot(world: World) -> dict[str, Any]:
    """Describe the account."""
    return {"account": world.account}

"""What the sandbox answers beside AWS, under `/_sandbox/`: state, calls, clock and faults."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

from preflight.errors import SpecError
from preflight.sandbox import wire
from preflight.sandbox.account.scenario import read_scenario
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.world import World
from preflight.yamlfile import of_value

TEXT = {"type": "string", "minLength": 1}
CLOCK = {
    "type": "object",
    "required": ["advance"],
    "additionalProperties": False,
    "properties": {"advance": {"type": "number", "minimum": 0}},
}
LEAVE = {
    "type": "object",
    "required": ["cluster"],
    "additionalProperties": False,
    "properties": {
        "cluster": TEXT,
        "region": TEXT,
        "vpc": TEXT,
        "what": {"type": "array", "items": TEXT},
    },
}


class Control:
    """The control plane of one sandbox; not reachable with AWS's own clients."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes: dict[tuple[str, str], Callable[[Any], Any]] = {
            ("GET", "/_sandbox/state"): self._state,
            ("GET", "/_sandbox/calls"): self._calls,
            ("POST", "/_sandbox/clock"): self._clock,
            ("POST", "/_sandbox/faults"): self._faults,
            ("POST", "/_sandbox/leave"): self._leave,
            ("POST", "/_sandbox/regions"): self._regions,
        }

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        """Answer one request with an HTTP status and JSON."""
        route = self._routes.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        body = wire.read_body(environ)
        if route is None:
            return 404, _json({"error": f"the sandbox has {[' '.join(r) for r in self._routes]}"})
        try:
            return 200, _json(route(json.loads(body) if body else None))
        except (ValueError, SpecError) as error:
            return 400, _json({"error": str(error)})
        except Exception as error:  # noqa: BLE001 - a server answers, whatever happened
            traceback.print_exc(file=sys.stderr)
            return 500, _json({"error": repr(error)})

    def _state(self, _: Any) -> Any:
        from preflight.sandbox.account.snapshot import snapshot
        from preflight.sandbox.agenda import agenda

        agenda(self._world).catch_up()
        return snapshot(self._world)

    def _calls(self, _: Any) -> Any:
        with self._world.lock:
            return list(self._world.calls)

    def _clock(self, body: Any) -> Any:
        from preflight.sandbox.agenda import agenda

        of_value(body, "request").check(CLOCK)
        now = self._world.clock.advance(float(body["advance"]))
        agenda(self._world).catch_up()
        return {"now": now.isoformat()}

    def _leave(self, body: Any) -> Any:
        from preflight.sandbox.account.leave import leave

        of_value(body, "request").check(LEAVE)
        read_scenario({"account": {"region": body.get("region", self._world.region)}})
        return leave(self._world, body)

    def _regions(self, body: Any) -> Any:
        """Do what the console's account settings do: `{"us-west-2": {"sts": "active"}}`."""
        read_scenario({"regions": body})
        with self._world.lock:
            before = self._world.scenario.get("regions", {})
            changed = {name: {**before.get(name, {}), **new} for name, new in body.items()}
            regions = {**before, **changed}
            self._world.scenario = {**self._world.scenario, "regions": regions}
        return {"regions": regions}

    def _faults(self, body: Any) -> Any:
        """Replace the fault rules: by one, a list, or `{"faults": [...]}`; nothing clears them."""
        rules = body["faults"] if isinstance(body, dict) and "faults" in body else body
        rules = rules if isinstance(rules, list) else [rules] if rules else []
        read_scenario({"faults": rules})
        self._world.part(Faults).replace(rules)
        return {"faults": len(rules)}


def _json(value: Any) -> bytes:
    return (json.dumps(value, sort_keys=True) + "\n").encode()

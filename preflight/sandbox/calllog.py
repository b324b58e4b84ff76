"""Who called what: one JSON line a request, in memory and, if asked, in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any

from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World


class CallLog:
    """Writes `{t, service, operation, region, principal, status, error}`, t in virtual time.

    Where a fault broke the connection, `error` is its effect, and `status` 0 if the request was not
    carried out. The sandbox's own set-up is not in it.
    """

    def __init__(self, world: World, path: Path | None) -> None:
        self._world = world
        self._path = path
        self._file: IO[str] | None = None

    def add(self, request: Request, response: Response) -> None:
        """Remember one request and its answer."""
        if request.is_privileged:
            return
        entry: dict[str, Any] = {
            "t": self._world.clock.now().isoformat(timespec="milliseconds"),
            "service": request.service,
            "operation": request.operation,
            "region": request.region,
            "principal": request.principal.arn if request.principal else None,
            "status": response.status,
            "error": _effect(request) or response.error_code or None,
        }
        with self._world.lock:
            self._world.calls.append(entry)
            if self._path is not None:
                if self._file is None:
                    self._file = self._path.open("a", encoding="utf-8", buffering=1)
                self._file.write(json.dumps(entry) + "\n")

    def close(self) -> None:
        """Close the file, if there is one."""
        with self._world.lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def _effect(request: Request) -> str | None:
    rule = request.notes.get("break")
    return rule.effect if rule is not None else None

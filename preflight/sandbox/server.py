"""One sandbox: the embedded AWS on a port of this machine, for as long as a `with` block lasts."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from preflight.sandbox import engine, models, table
from preflight.sandbox.account.furnish import furnish
from preflight.sandbox.account.scenario import Scenario, read_scenario
from preflight.sandbox.calllog import CallLog
from preflight.sandbox.clock import VirtualClock
from preflight.sandbox.pipeline import OnAnswer, Pipeline
from preflight.sandbox.world import World, new_key

if find_spec("moto") is None:
    # Said here, where the extra is first needed, and not by the first request.
    raise ModuleNotFoundError("No module named 'moto'", name="moto")


class Sandbox:
    """An AWS account to play with: `with Sandbox(scenario=...) as sandbox:`.

    `scenario` is a file or its contents as a dict; `port` 0 takes a free one; `time_scale` is how
    many virtual seconds pass in a real one; `latency_ms` is added to each request; `call_log` is
    a file that gets one JSON line a request; `on_answer` is told every request with its answer, in
    the thread that answers it. One process holds one sandbox at a time. Raises
    SpecError for a scenario that is wrong, OSError when the port is taken.
    """

    def __init__(
        self,
        scenario: Path | str | Mapping[str, Any] | None = None,
        port: int = 0,
        time_scale: float = 1.0,
        latency_ms: float = 0.0,
        call_log: Path | str | None = None,
        on_answer: OnAnswer | None = None,
    ) -> None:
        self._source = scenario
        self._port = port
        self._time_scale = time_scale
        self._latency = latency_ms / 1000
        self._call_log = Path(call_log) if call_log is not None else None
        self._on_answer = on_answer
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._log: CallLog | None = None
        self._moto: Any = None
        self._holds_moto = False
        self._admin = new_key()
        self.world: World

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Read the scenario, open the port, and fill the account."""
        with models.reading():
            self._start()

    def _start(self) -> None:
        scenario = read_scenario(self._source)
        engine.take()
        self._holds_moto = True
        try:
            from preflight.sandbox.connections import make_server

            self._server = make_server(self._port, _refuse_early)
            self._moto = engine.application()
            self._thread = threading.Thread(
                target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
            )
            self._thread.start()
            self._furnish(scenario)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Close the port and forget the account; harmless when that was done before."""
        if self._server is not None:
            if self._thread is not None:
                self._server.shutdown()
                self._thread.join()
            self._server.server_close()
            self._server = self._thread = None
        if self._log is not None:
            self._log.close()
        if self._holds_moto:
            self._holds_moto = False
            engine.reset()
            engine.release()

    def reset(
        self,
        scenario: Path | str | Mapping[str, Any] | None = None,
        time_scale: float | None = None,
        latency_ms: float | None = None,
    ) -> None:
        """Begin again on the same port: an empty account, or the one of another scenario.

        Clock, faults and call log begin anew too; only the admin's key stays what it was.
        `time_scale` and `latency_ms` hold until the next reset; None stands for what the sandbox
        was made with.
        """
        self._furnish(read_scenario(scenario), time_scale, latency_ms)

    def _furnish(
        self, scenario: Scenario, time_scale: float | None = None, latency_ms: float | None = None
    ) -> None:
        scale = self._time_scale if time_scale is None else time_scale
        latency = self._latency if latency_ms is None else latency_ms / 1000
        clock = VirtualClock(scale)
        if self._log is not None:
            self._log.close()
        engine.reset()
        self.world = World(scenario.value, clock, self._admin)
        self._log = CallLog(self.world, self._call_log)
        self._server.app = Pipeline(
            self.world, table.build(), self._moto, self._log, latency, self._on_answer
        )
        furnish(self.world, scenario, self.endpoint)

    @property
    def endpoint(self) -> str:
        """The address to point clients at."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def account(self) -> str:
        """The id of the account."""
        return self.world.account

    @property
    def region(self) -> str:
        """The Region to use when there is no reason for another."""
        return self.world.region

    @property
    def access_key_id(self) -> str:
        """The key of a user with all rights, who is always there."""
        return self.world.admin_key_id

    @property
    def secret_access_key(self) -> str:
        """The secret of that user."""
        return self.world.admin_secret

    def environment(self) -> dict[str, str]:
        """Give the variables that send any AWS client of a child process here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def banner(self) -> dict[str, str]:
        """Give what `preflight sandbox serve` prints when it is ready."""
        return {
            "endpoint": self.endpoint,
            "account": self.account,
            "region": self.region,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
        }


def _refuse_early(_: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer whoever comes before the account is there."""
    start_response("503 Service Unavailable", [("Content-Length", "0")])
    return [b""]

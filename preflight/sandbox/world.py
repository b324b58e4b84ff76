"""Everything one sandbox knows that moto does not: one object, handed to every stage."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from preflight.sandbox.clock import VirtualClock
from preflight.sandbox.identity.principals import Principal, Session, random_key

DEFAULT_ACCOUNT = "111122223333"
DEFAULT_REGION = "us-west-2"
# The oldest are forgotten: a sandbox that serves for days does not grow by being asked.
CALLS_REMEMBERED = 50_000

Part = TypeVar("Part")


def new_key() -> tuple[str, str]:
    """Make up an access key for a user: its id and its secret."""
    return random_key("AKIA"), secrets.token_urlsafe(30)


class World:
    """The account of one sandbox beside moto's state.

    `scenario` is the scenario as plain values ({} when there is none): a part reads its own
    section of it. `admin` is key id and secret of the user with all rights. `lock` is held while
    rules, operations, moto and effects run, because moto has no locks; never sleep under it.
    `part(Kind)` gives the one `Kind(world)` of this sandbox, made when first asked for: that is
    where a module keeps state of its own. A part may have `snapshot() -> JSON value`,
    which then appears in `GET /_sandbox/state`.
    """

    def __init__(
        self,
        scenario: Mapping[str, Any],
        clock: VirtualClock,
        admin: tuple[str, str] | None = None,
    ) -> None:
        self.scenario = scenario
        self.clock = clock
        account = scenario.get("account", {})
        self.account: str = account.get("id", DEFAULT_ACCOUNT)
        self.region: str = account.get("region", DEFAULT_REGION)
        self.lock = threading.RLock()
        self.sessions: dict[str, Session] = {}
        self.calls: deque[dict[str, Any]] = deque(maxlen=CALLS_REMEMBERED)
        self.admin_key_id, self.admin_secret = admin or new_key()
        self.setup_key_id = random_key("AKIA")
        self.setup_principal = Principal(
            kind="root",
            arn=f"arn:aws:iam::{self.account}:root",
            account=self.account,
            user_id=self.account,
            name="root",
            is_privileged=True,
        )
        self._parts: dict[type[Any], Any] = {}

    def part(self, kind: type[Part]) -> Part:
        """Give this sandbox's one instance of a class that is made as `kind(world)`."""
        with self.lock:
            if kind not in self._parts:
                self._parts[kind] = cast("Any", kind)(self)
            return cast("Part", self._parts[kind])

    @property
    def parts(self) -> list[Any]:
        """All parts made so far, by name of their class."""
        with self.lock:
            return sorted(self._parts.values(), key=lambda part: type(part).__name__)

    def backend(self, service: str, region: str) -> Any:
        """Give moto's own state of a service in this account; IAM and STS live in Region `aws`."""
        from preflight.sandbox import engine
        from preflight.sandbox.account.snapshot import Baseline

        self.part(Baseline).note(service, region)
        return engine.backend(service, self.account, region)

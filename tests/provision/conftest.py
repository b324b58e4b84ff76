"""Somebody who builds in the embedded AWS."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
import botocore.session
import pytest

from preflight import facts, spec
from preflight.aws import Aws
from preflight.clock import SystemClock
from preflight.found import Found, Owner, State
from preflight.gate import Permit, Verdict
from preflight.journal import Journal
from preflight.plan import Plan
from preflight.resource import WAIT, Failed, Resource
from preflight.sandbox.account.snapshot import difference
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.server import Sandbox
from provision.blueprint import draw
from provision.executor import Built, build
from provision.resources.kinds import KINDS
from provision.strays.kinds import PUT_BY_AWS
from provision.teardown import TornDown, tear_down

PATIENCE = 50
SECONDS = 30.0
#: Virtual seconds in a real one: a cluster takes ten minutes in AWS and a fifth of a second here.
SCALE = 3000.0
#: Virtual seconds after which EC2 tells nothing any more of what was deleted.
FORGOTTEN = 7200.0
#: Every kind there is, and as few of each as can be.
SMALL: Mapping[str, Any] = MappingProxyType(
    {
        "instance_types": [{"type": "m5.large", "capacity": ["on-demand"]}],
        "network": {
            "zones": 2,
            "nat": "single",
            "endpoints": {"gateway": ["s3"], "interface": ["sts"]},
        },
        "addons": ["vpc-cni"],
        "buckets": ["logs"],
    }
)
#: A cluster with its network and nodes, and nothing around it.
TINY: Mapping[str, Any] = MappingProxyType(
    {
        **SMALL,
        "network": {"zones": 2, "nat": "single", "endpoints": False},
        "addons": [],
        "buckets": [],
        "repositories": [],
        "encryption": False,
        "logging": False,
        "oidc": False,
        "interruption_queue": False,
        "notifications": False,
        "resolver_query_logging": False,
        "guardduty": False,
    }
)


class Hurry:
    """A clock that does not wait but moves the sandbox's time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._clock = sandbox.world.clock

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)


class Builder:
    """Builds for one owner, one thing after the other: the least there can be of an executor."""

    def __init__(self, aws: Aws, cluster: str, sandbox: Sandbox) -> None:
        self.aws = aws
        self.owner = Owner(
            cluster=cluster,
            account=sandbox.account,
            region=aws.region,
            incarnation=f"i-{cluster}",
        )
        self._ids: dict[Resource, str] = {}

    def __getitem__(self, resource: Resource) -> str:
        return self._ids[resource]

    def build(self, *resources: Resource) -> None:
        """Make these, and what they need, unless they are there."""
        for resource in resources:
            if resource in self._ids:
                continue
            self.build(*resource.needs)
            token = f"{self.owner.cluster}-{len(self._ids)}"
            self._ids[resource] = resource.create(self.aws, self, token)
            resource.configure(self.aws, self, self._ids[resource])
            self.wait(resource)

    def wait(self, resource: Resource) -> None:
        """Let the sandbox's time pass until it is ready."""
        for _ in range(PATIENCE):
            readiness = resource.ready(self.aws, self, self._ids[resource])
            assert not isinstance(readiness, Failed), readiness
            if readiness is not WAIT:
                return
            self.aws.clock.sleep(SECONDS)
        raise AssertionError(f"{resource.address} does not become ready")

    def made(self, kind: type[Resource]) -> dict[str, str]:
        """Give the ids of what was made of a kind, by address."""
        return {
            resource.address: id for resource, id in self._ids.items() if type(resource) is kind
        }

    def found(self, kind: type[Resource]) -> dict[str, Found]:
        """Find what there is of a kind, by address."""
        return {each.address: each for each in kind.find(self.aws, self.owner)}

    def is_gone(self, kind: type[Resource], id: str) -> bool:
        """Let the sandbox's time pass until a thing that was deleted is not found any more."""
        for _ in range(PATIENCE):
            left = [each for each in kind.find(self.aws, self.owner) if each.id == id]
            if not left:
                return True
            assert left[0].state is State.GOING
            self.aws.clock.sleep(SECONDS)
        return False


class Login:
    """One session for all connections: reading botocore's models anew takes half a second."""

    def __init__(self) -> None:
        self._core = botocore.session.get_session()
        self._session = boto3.Session(botocore_session=self._core)

    def __call__(self, key_id: str, secret: str) -> boto3.Session:
        """Give the session, with other credentials for the clients made from now on."""
        self._core.set_credentials(key_id, secret)
        return self._session


@pytest.fixture(scope="session")
def login() -> Login:
    """Sign in with a key: `login(key_id, secret)`."""
    return Login()


@pytest.fixture
def connect(sandbox: Sandbox, login: Login) -> Callable[[], Aws]:
    """Give a new connection to the emptied account, one with no calls made yet."""

    def connect() -> Aws:
        session = login(sandbox.access_key_id, sandbox.secret_access_key)
        return Aws(sandbox.region, session=session, clock=Hurry(sandbox))

    return connect


@pytest.fixture
def aws(connect: Callable[[], Aws]) -> Aws:
    """Give one connection to the emptied account."""
    return connect()


@pytest.fixture
def builder(connect: Callable[[], Aws], sandbox: Sandbox) -> Callable[[str], Builder]:
    """Make the builder of a cluster, with calls of its own to count."""
    return lambda cluster: Builder(connect(), cluster, sandbox)


class Instant(SystemClock):
    """The clock of this machine, by which nobody waits for a turn to ask."""

    def sleep(self, seconds: float) -> None:
        """Go on at once."""


@dataclass(frozen=True)
class Bench:
    """An account in the sandbox, and whatever it takes to build in it and to tear down."""

    sandbox: Sandbox
    login: Login
    folder: Path

    def begin(self, **scenario: Any) -> None:
        """Begin anew in the account of a scenario."""
        self.sandbox.reset({"rates": "off", **scenario}, time_scale=SCALE)

    def fault(self, *rules: Mapping[str, Any]) -> None:
        """Put these fault rules in the place of the present ones."""
        self.sandbox.world.part(Faults).replace(list(rules))

    def aws(self, key_id: str = "", secret: str = "") -> Aws:
        """Connect as the admin or with a key, with no calls made yet."""
        session = self.login(
            key_id or self.sandbox.access_key_id, secret or self.sandbox.secret_access_key
        )
        return Aws(self.sandbox.region, session=session, clock=Instant())

    def plan(self, name: str = "dev", *, tiny: bool = False, **changes: Any) -> Plan:
        """Draw the plan of a cluster."""
        size = TINY if tiny else SMALL
        wanted = {"name": name, "region": self.sandbox.region, **size, **changes}
        asked = spec.from_mapping(wanted)
        types = tuple(each.type for each in asked.instance_types)
        return draw(asked, facts.look(self.aws(), types))

    def owner(self, name: str = "dev") -> Owner:
        """Name whose things those of a cluster are, whichever its incarnation."""
        return Owner(cluster=name, account=self.sandbox.account, region=self.sandbox.region)

    def journal(self, name: str = "dev") -> Journal:
        """Give the journal of a cluster, not yet opened."""
        return Journal(self.folder / f"{name}.sqlite3")

    @staticmethod
    def permit(plan: Plan) -> Permit:
        """Give the permit that an open gate would."""
        return Verdict(plan=plan.digest, findings=()).permit(plan)

    def build(
        self, plan: Plan, aws: Aws | None = None, journal: Journal | None = None, **options: Any
    ) -> Built:
        """Build a plan."""
        with journal or self.journal(plan.owner.cluster) as opened:
            permit = self.permit(plan)
            return build(permit, aws or self.aws(), opened, shortest_poll=0.02, **options)

    def tear_down(self, name: str = "dev", aws: Aws | None = None, **options: Any) -> TornDown:
        """Tear a cluster down; what is blocked is given up soon."""
        given = {"patience": 1.0, "shortest_poll": 0.02, **options}
        with self.journal(name) as opened:
            kinds = (*KINDS, *PUT_BY_AWS)
            return tear_down(aws or self.aws(), self.owner(name), kinds, opened, **given)

    def left(self, before: Mapping[str, Any]) -> list[str]:
        """Tell what differs from the state before, once AWS has forgotten what is gone.

        Keys wait for their deletion for at least a week: they may be left.
        """
        self.sandbox.world.clock.advance(FORGOTTEN)
        lines = difference(before, self.state())
        return [line for line in lines if not line.startswith("pending_deletion")]

    def state(self) -> dict[str, Any]:
        """Tell the whole account."""
        address = f"{self.sandbox.endpoint}/_sandbox/state"
        with urllib.request.urlopen(address) as answer:  # noqa: S310 - the sandbox's own
            told: dict[str, Any] = json.load(answer)
        return told


@pytest.fixture
def bench(sandbox: Sandbox, login: Login, tmp_path: Path) -> Bench:
    """An empty account to build in, on a fast clock."""
    found = Bench(sandbox, login, tmp_path)
    found.begin()
    return found


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, login: Login) -> Iterator[Callable[..., Aws]]:
    """An AWS that says word for word what it is told: `scripted((400, xml), (200, xml))`."""
    answers: list[tuple[int, str]] = []

    class Teller(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, body = answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Teller)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def script(*told: tuple[int, str]) -> Aws:
        answers.extend(told)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        return Aws("us-west-2", session=login("key", "secret"))

    yield script
    server.shutdown()
    thread.join()
    server.server_close()
    assert not answers, "AWS was not asked for everything it had to say"

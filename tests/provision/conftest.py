"""Somebody who builds in the embedded AWS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import botocore.session
import pytest

from preflight.aws import Aws
from preflight.resource import WAIT, Failed, Found, Owner, Resource, State
from preflight.sandbox.server import Sandbox

PATIENCE = 50
SECONDS = 30.0


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

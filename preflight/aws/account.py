"""One account as one principal: each call paced, recorded, and retried where that is safe."""

from __future__ import annotations

import copy
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
import botocore.exceptions
import jmespath
from botocore import xform_name
from botocore.credentials import RefreshableCredentials

from preflight import errors
from preflight.aws.calls import Calls
from preflight.aws.failures import ANSWERS, READS, is_repeatable, translated
from preflight.aws.pace import Pace
from preflight.aws.regions import home_region
from preflight.aws.sessions import CONFIG, pagings, renewable, session_of, session_with
from preflight.clock import Clock, SystemClock
from preflight.once import Once

ATTEMPTS = 6
#: For an endpoint that has not answered yet: it rather is the wrong one than a weak connection.
FIRST_ATTEMPTS = 2
_TOKEN = "NextToken"  # noqa: S105 - of a page


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who is calling, as STS says."""

    account: str
    arn: str
    user_id: str

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`, ..."""
        return self.arn.split(":")[1]


class Aws:
    """One account, seen from one Region, as one principal. Makes its clients when they are used."""

    def __init__(
        self,
        region: str,
        *,
        profile: str | None = None,
        clock: Clock | None = None,
        calls: Calls | None = None,
        session: boto3.Session | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.region = region
        self.clock: Clock = clock or SystemClock()
        self.calls = calls or Calls()
        #: How many things were looked at through this view; see `watching`.
        self.examined = 0
        self._profile = profile
        self._given = session
        self._pace = pace or Pace(self.clock)
        self._clients: dict[tuple[str, str], Any] = {}
        self._pagings: dict[str, Mapping[str, dict[str, Any]]] = {}
        self._lock = threading.RLock()
        #: The services that have answered, and where: what falls silent later is asked longer.
        self._answered: set[tuple[str, str]] = set()
        self._remembered: Once | None = None
        #: Seconds that STS took to grant the credentials, of an assumed role.
        self.granted_in: float | None = None

    def call(
        self, service: str, operation: str, *, region: str | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Make one call, named as AWS names it, and give back the parsed answer.

        Raises a subclass of `errors.AwsError`. A call that only looks is retried on any failure;
        one that changes something only when AWS says that it did nothing (throttling).
        """
        answer = self._send(service, operation, region, parameters)
        self.examined += 1
        return answer

    def _send(
        self, service: str, operation: str, region: str | None, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        if self._remembered is None or not operation.startswith(READS):
            return self._ask(service, operation, region, parameters)
        key = repr((service, operation, region, sorted(parameters.items())))
        return self._remembered.get(key, lambda: self._ask(service, operation, region, parameters))

    def _ask(
        self, service: str, operation: str, region: str | None, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        where = region or self.region
        client = self._client(service, where)
        method: Callable[..., dict[str, Any]] = getattr(client, xform_name(operation))
        bucket = self._pace.of(service, where, operation)
        for attempt in range(1, ATTEMPTS + 1):
            bucket.take()
            self.calls.note(service, operation)
            try:
                answer = method(**parameters)
            except ANSWERS as error:
                failure, status = translated(service, operation, error)
                if isinstance(failure, errors.Throttled):
                    bucket.slow()
                if status:
                    self._answered.add((service, where))
                most = ATTEMPTS if (service, where) in self._answered else FIRST_ATTEMPTS
                if attempt >= most or not is_repeatable(operation, failure, status):
                    raise failure from error
            else:
                self._answered.add((service, where))
                return answer
            self.clock.sleep(random.uniform(0.5, 1.0) * min(20.0, 0.2 * 2**attempt))  # noqa: S311
        raise AssertionError("unreachable")

    def pages(
        self, service: str, operation: str, *, region: str | None = None, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Make a call and follow its pages; an operation without pages gives one."""
        paging = self._paging(service, operation)
        seen: set[str] = set()
        while True:
            page = self._send(service, operation, region, parameters)
            yield page
            following = _next_tokens(paging, page) if paging else {}
            if not following or repr(following) in seen:
                return  # a token that comes back leads nowhere new: some services repeat the last
            seen.add(repr(following))
            parameters = {**parameters, **following}

    def each(
        self,
        service: str,
        operation: str,
        path: str,
        *,
        region: str | None = None,
        **parameters: Any,
    ) -> Iterator[Any]:
        """Give what is under `path` on every page (JMESPath: `Reservations[].Instances[]`)."""
        expression = jmespath.compile(path)
        for page in self.pages(service, operation, region=region, **parameters):
            found = expression.search(page) or ()
            self.examined += len(found)
            yield from found

    @cached_property
    def identity(self) -> Identity:
        """Who is calling; asked once.

        A Region that the account has not opted into does not know the credentials: the partition's
        first Region then tells whether they are good. Raises `CredentialsError` when they are not.
        """
        try:
            answer = self.call("sts", "GetCallerIdentity")
        except errors.CredentialsError:
            home = home_region(self.region)
            if home == self.region:
                raise
            answer = self.call("sts", "GetCallerIdentity", region=home)
        return Identity(account=answer["Account"], arn=answer["Arn"], user_id=answer["UserId"])

    def watching(self) -> Aws:
        """Give a view of the same account that counts for itself what it looks at."""
        view = copy.copy(self)
        view.examined = 0
        return view

    def remembering(self) -> Aws:
        """Give a view that asks the same question only once; for one look at everything."""
        view = copy.copy(self)
        view._remembered = Once()  # noqa: SLF001 - its own, a moment ago
        return view

    def at(self, region: str) -> Aws:
        """See the same account as the same principal from another Region."""
        view = Aws(
            region, clock=self.clock, calls=self.calls, session=self._session, pace=self._pace
        )
        if "identity" in vars(self):
            vars(view)["identity"] = self.identity  # asked already, and the same everywhere
        return view

    def assume(self, role_arn: str, external_id: str | None = None) -> Aws:
        """Act as a role, assumed at the STS endpoint of this Region as a vendor would.

        The credentials are renewed while a long build lasts. Raises `AccessDenied` when the trust
        policy or the external id does not fit and `RegionDisabled` when STS is off in the Region.
        """
        request: dict[str, Any] = {"RoleArn": role_arn, "RoleSessionName": "preflight"}
        if external_id:
            request["ExternalId"] = external_id

        began = self.clock.monotonic()
        first = self.call("sts", "AssumeRole", **request)
        seconds = self.clock.monotonic() - began
        renewed = RefreshableCredentials.create_from_metadata(
            renewable(first),
            refresh_using=lambda: renewable(self.call("sts", "AssumeRole", **request)),
            method="sts-assume-role",
        )
        # AWS counts what an account asks, whoever of it asks. Not known yet: its own pace.
        caller: Identity | None = vars(self).get("identity")
        mine = caller is not None and f":{caller.account}:" in role_arn
        view = Aws(
            self.region,
            clock=self.clock,
            calls=self.calls,
            session=session_with(renewed),
            pace=self._pace if mine else None,
        )
        view.granted_in = seconds
        user: dict[str, str] = first["AssumedRoleUser"]
        vars(view)["identity"] = Identity(  # STS has just said it
            account=user["Arn"].split(":")[4], arn=user["Arn"], user_id=user["AssumedRoleId"]
        )
        return view

    def endpoint(self, service: str) -> str:
        """Say where calls to a service go: `https://sts.us-west-2.amazonaws.com`."""
        return str(self._client(service, self.region).meta.endpoint_url)

    @cached_property
    def _session(self) -> boto3.Session:
        if self._given is not None:
            return self._given
        return session_of(self._profile)

    def _client(self, service: str, region: str) -> Any:
        # Without the lock first: who has a client does not wait while another one is made.
        made = self._clients.get((service, region))
        if made is not None:
            return made
        with self._lock:
            if (service, region) not in self._clients:
                try:
                    self._clients[service, region] = self._session.client(
                        service, region_name=region, config=CONFIG
                    )
                except botocore.exceptions.BotoCoreError as error:
                    raise translated(service, "", error)[0] from error
            return self._clients[service, region]

    def _paging(self, service: str, operation: str) -> dict[str, Any] | None:
        if service not in self._pagings:
            with self._lock:  # read once, not by everybody at the same time
                self._pagings[service] = pagings(service)
        return self._pagings[service].get(operation) or self._by_token(service, operation)

    def _by_token(self, service: str, operation: str) -> dict[str, Any] | None:
        """Find pages that botocore does not describe, as those of ListEventBuses."""
        model = self._client(service, self.region).meta.service_model.operation_model(operation)
        shapes = (model.input_shape, model.output_shape)
        if all(shape is not None and _TOKEN in shape.members for shape in shapes):
            return {"input_token": _TOKEN, "output_token": _TOKEN}
        return None


def as_principal(region: str, access_key_id: str, secret_access_key: str) -> Aws:
    """Act with given keys instead of those of the environment."""
    session = boto3.Session(
        aws_access_key_id=access_key_id, aws_secret_access_key=secret_access_key
    )
    return Aws(region, session=session)


def _next_tokens(paging: dict[str, Any], page: dict[str, Any]) -> dict[str, Any]:
    more = paging.get("more_results")
    if more and not jmespath.search(more, page):
        return {}
    names, sources = paging["input_token"], paging["output_token"]
    if isinstance(names, str):
        names, sources = [names], [sources]
    found = {
        name: jmespath.search(source, page) for name, source in zip(names, sources, strict=True)
    }
    return {name: token for name, token in found.items() if token}

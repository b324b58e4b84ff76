"""The only code that talks to AWS: paced, recorded, retried where that is safe, errors translated.

Everything else says what it wants in AWS's own words and gets plain dictionaries back:

    aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for subnet in aws.each("ec2", "DescribeSubnets", "Subnets", Filters=[...]): ...
"""

from __future__ import annotations

import copy
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
import botocore.exceptions
import botocore.loaders
import botocore.parsers
import botocore.session
import jmespath
from botocore import xform_name
from botocore.config import Config
from botocore.credentials import RefreshableCredentials

from preflight import errors, translate
from preflight.actions import action_of
from preflight.clock import Clock, SystemClock
from preflight.once import Once
from preflight.pace import Pace

#: Operations that only look: asking twice changes nothing, so any failure may be retried.
READS = ("Describe", "List", "Get", "Head", "Simulate", "Lookup", "Search")
#: What a call can end with beside its answer; half an answer is a parser's error.
ANSWERS = (
    botocore.exceptions.ClientError,
    botocore.exceptions.BotoCoreError,
    botocore.parsers.ResponseParserError,
)
ATTEMPTS = 6
#: For an endpoint that has not answered yet: it rather is the wrong one than a weak connection.
FIRST_ATTEMPTS = 2
CONFIG = Config(
    # One attempt: retries are made here, where it is known which calls may be repeated. botocore
    # would repeat a CreateVpc whose answer got lost, and takes a used-up quota for throttling.
    retries={"total_max_attempts": 1, "mode": "standard"},
    # What answers, answers within seconds; a plan of hundreds of calls waits for each silent one.
    connect_timeout=5,
    read_timeout=20,
    max_pool_connections=32,
    user_agent_extra="preflight",
)


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


class Calls:
    """What was asked of AWS, by IAM action; safe to share between threads."""

    def __init__(self) -> None:
        self._made: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def note(self, service: str, operation: str) -> None:
        """Count one request."""
        with self._lock:
            self._made[service, operation] += 1

    @property
    def by_operation(self) -> dict[str, int]:
        """How often each operation was called: `{"ec2:DescribeVpcs": 2}`."""
        with self._lock:
            return {f"{s}:{o}": count for (s, o), count in sorted(self._made.items())}

    @property
    def total(self) -> int:
        """How many requests were sent, retries included."""
        with self._lock:
            return self._made.total()

    @property
    def actions(self) -> frozenset[str]:
        """The IAM actions of all calls made."""
        with self._lock:
            return frozenset(action_of(*call) for call in self._made)


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
        self._lock = threading.RLock()
        #: The services that have answered, and where: what falls silent later is asked longer.
        self._answered: set[tuple[str, str]] = set()
        self._remembered: Once | None = None

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
                translated, status = _translated(service, operation, error)
                if isinstance(translated, errors.Throttled):
                    bucket.slow()
                if status:
                    self._answered.add((service, where))
                most = ATTEMPTS if (service, where) in self._answered else FIRST_ATTEMPTS
                if attempt >= most or not _repeatable(operation, translated, status):
                    raise translated from error
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

        def fresh() -> dict[str, str]:
            granted = self.call("sts", "AssumeRole", **request)["Credentials"]
            return {
                "access_key": granted["AccessKeyId"],
                "secret_key": granted["SecretAccessKey"],
                "token": granted["SessionToken"],
                "expiry_time": granted["Expiration"].isoformat(),
            }

        renewed = RefreshableCredentials.create_from_metadata(
            fresh(), refresh_using=fresh, method="sts-assume-role"
        )
        # AWS counts what an account asks, whoever of it asks. Not known yet: its own pace.
        caller: Identity | None = vars(self).get("identity")
        mine = caller is not None and f":{caller.account}:" in role_arn
        return Aws(
            self.region,
            clock=self.clock,
            calls=self.calls,
            session=_session_with(renewed),
            pace=self._pace if mine else None,
        )

    @cached_property
    def _session(self) -> boto3.Session:
        if self._given is not None:
            return self._given
        try:
            return _session(self._profile)
        except botocore.exceptions.ProfileNotFound as error:
            raise errors.UsageError(
                str(error), "`aws configure list-profiles` lists them"
            ) from error

    def _client(self, service: str, region: str) -> Any:
        with self._lock:
            if (service, region) not in self._clients:
                try:
                    self._clients[service, region] = self._session.client(
                        service, region_name=region, config=CONFIG
                    )
                except botocore.exceptions.BotoCoreError as error:
                    raise _translated(service, "", error)[0] from error
            return self._clients[service, region]

    def _paging(self, service: str, operation: str) -> dict[str, Any] | None:
        with self._lock:
            client = self._client(service, self.region)
            if not client.can_paginate(xform_name(operation)):
                return None
            model = self._botocore.get_paginator_model(service)
            paging: dict[str, Any] = model.get_paginator(operation)
            return paging

    @cached_property
    def _botocore(self) -> botocore.session.Session:
        return botocore.session.get_session()


def as_principal(region: str, access_key_id: str, secret_access_key: str) -> Aws:
    """Act with given keys instead of those of the environment."""
    session = boto3.Session(
        aws_access_key_id=access_key_id, aws_secret_access_key=secret_access_key
    )
    return Aws(region, session=session)


def partition_of(region: str) -> str:
    """Name the partition of a Region: `aws`, `aws-cn`, `aws-us-gov`, ..."""
    partitions = botocore.loaders.create_loader().load_data("partitions")["partitions"]
    for partition in partitions:
        if region in partition["regions"] or re.fullmatch(partition["regionRegex"], region):
            return str(partition["id"])
    return "aws"


def home_region(region: str) -> str:
    """Name the Region of the same partition that is always enabled."""
    for beginning, home in (("cn-", "cn-north-1"), ("us-gov-", "us-gov-west-1")):
        if region.startswith(beginning):
            return home
    return "us-east-1"


def _session(profile: str | None = None) -> boto3.Session:
    """Make a session that speaks to regional STS endpoints, whatever the environment says."""
    core = botocore.session.Session(profile=profile)
    core.set_config_variable("sts_regional_endpoints", "regional")
    return boto3.Session(botocore_session=core)


def configured_region(profile: str | None) -> str | None:
    """Read the Region of a profile of the AWS configuration, as every AWS tool does."""
    try:
        region: str | None = boto3.Session(profile_name=profile).region_name
    except botocore.exceptions.ProfileNotFound as error:
        raise errors.UsageError(str(error), _LIST_PROFILES) from error
    return region


def known_regions() -> tuple[str, ...]:
    """Name the Regions of every partition, as far as the installed botocore knows them."""
    partitions = botocore.loaders.create_loader().load_data("partitions")["partitions"]
    named = (region for partition in partitions for region in partition["regions"])
    return tuple(sorted(region for region in named if not region.endswith("-global")))


def cli_word(name: str) -> str:
    """Write an operation or a parameter as the AWS CLI spells it: `--vpc-id`, `delete-vpc`."""
    return str(xform_name(name[:1].upper() + name[1:], "-"))


def _session_with(credentials: RefreshableCredentials) -> boto3.Session:
    session = botocore.session.get_session()
    session.set_config_variable("sts_regional_endpoints", "regional")
    # botocore has no public way to hand in credentials that renew themselves.
    session._credentials = credentials  # noqa: SLF001
    return boto3.Session(botocore_session=session)


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


def _repeatable(operation: str, error: errors.AwsError, status: int) -> bool:
    if isinstance(error, errors.Throttled):
        return True
    lost = isinstance(error, errors.Unreachable) or status >= 500
    return lost and operation.startswith(READS)


def _translated(service: str, operation: str, error: Exception) -> tuple[errors.AwsError, int]:
    if isinstance(error, botocore.exceptions.ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return translate.from_response(service, operation, error.response), status
    for types, kind, hint in BOTOCORE:
        if isinstance(error, types):
            return kind(str(error), service=service, operation=operation, hint=hint), 0
    return errors.AwsError(str(error), service=service, operation=operation), 0


_LIST_PROFILES = "`aws configure list-profiles` lists them"
_SIGN_IN = "sign in: `aws configure`, `aws sso login`, --profile NAME or the AWS_* variables"
BOTOCORE: tuple[tuple[tuple[type[Exception], ...], type[errors.AwsError], str], ...] = (
    (
        (
            botocore.exceptions.NoCredentialsError,
            botocore.exceptions.PartialCredentialsError,
            botocore.exceptions.CredentialRetrievalError,
            botocore.exceptions.TokenRetrievalError,
            botocore.exceptions.SSOError,
        ),
        errors.CredentialsError,
        _SIGN_IN,
    ),
    (
        (
            botocore.exceptions.HTTPClientError,
            botocore.exceptions.ConnectionError,
            botocore.exceptions.EndpointConnectionError,
            botocore.exceptions.ReadTimeoutError,
            botocore.exceptions.ConnectTimeoutError,
            botocore.parsers.ResponseParserError,
        ),
        errors.Unreachable,
        "check the network, the Region's name and AWS_ENDPOINT_URL",
    ),
)

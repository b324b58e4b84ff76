"""The way of a request through the sandbox, as a WSGI application around moto's.

    identify ─▶ authenticate ─▶ validate ─▶ AUTHORISERS ─▶ faults, latency
        ─▶ RULES (may refuse) ─▶ OPERATIONS (own) or moto ─▶ EFFECTS ─▶ call log

A module takes part by constants, and by its name in `preflight.sandbox.table.MODULES`:

    AUTHORISERS = (function,)                 f(request) -> None, raises AwsFault to deny
    RULES = {(service, operation): function}  f(request) -> None, raises AwsFault to refuse
    OPERATIONS = {...}                        f(request) -> dict by botocore's output shape,
                                              or a Response; replaces moto
    VIEWS = {...}                             f(request) -> a context in which it is carried out
    EFFECTS = {...}                           f(request, response) -> None, or a dict that
                                              replaces the answer; only after success

`service` is the botocore client name, `operation` the name in its model. But in OPERATIONS
`(service, "*")` and `("*", "*")` stand for all. `request.parameters` is the parsed input,
`request.principal` the signer, `request.world` the account, `request.notes` a place to leave
something for a later stage; `response.result` is moto's answer parsed, to change and return, and
`request.forward()` lets an own operation ask moto and change what it says. A module's own state
is a class made as `Kind(world)` and reached by `request.world.part(Kind)`; times come from
`request.world.clock`. Moto's objects are `request.world.backend("ec2", request.region)`.

RULES, OPERATIONS, VIEWS and EFFECTS run under `world.lock`; AUTHORISERS do not, and take it
themselves if they read what others write. A privileged request (`request.is_privileged`, the
scenario's `calls`) skips authorisers, faults, latency and the call log; RULES run for it, so a rule
about quotas or rates asks `request.is_privileged` first, and a rule about dependencies does not.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from preflight.sandbox import engine, models, wire
from preflight.sandbox.account.snapshot import Baseline
from preflight.sandbox.calllog import CallLog
from preflight.sandbox.control import Control
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.faults.disturbance import (
    BREAKS,
    CONNECTION_RESET,
    TIME_OUT,
    TRUNCATED_BODY,
    Broken,
)
from preflight.sandbox.faults.repaging import PAGES, repage
from preflight.sandbox.faults.rules import Fault, Faults, error_of
from preflight.sandbox.identity.credentials import not_taken
from preflight.sandbox.identity.principals import principal_of
from preflight.sandbox.input.validate import validate
from preflight.sandbox.request import INJECTED, Request, Response
from preflight.sandbox.table import Table
from preflight.sandbox.world import World

# Services that moto splits by more than the name in the signature.
SEVERAL_APPLICATIONS = frozenset(
    {"bedrock", "bedrock-agentcore", "dynamodb", "execute-api", "mediastore", "sagemaker", "ses"}
    | {"sesv2", "timestream"}
)
# In the notes of a request: the fault by which its connection ends.
BREAK = "break"
S3_CONTROL = "/v20180820/"

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
OnAnswer = Callable[[Request, Response], None]


class Pipeline:
    """The WSGI application of one sandbox; `latency` is real seconds added to every request."""

    def __init__(
        self,
        world: World,
        table: Table,
        moto: Any,
        log: CallLog,
        latency: float = 0.0,
        on_answer: OnAnswer | None = None,
    ) -> None:
        self.world = world
        self.table = table
        self._moto = moto
        self._log = log
        self._latency = latency
        self._on_answer = on_answer
        self._control = Control(world)
        self._applications: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one HTTP request."""
        if environ.get("PATH_INFO", "").startswith("/_sandbox/"):
            status, body = self._control.answer(environ)
            start_response(_status_line(status), [("Content-Type", "application/json")])
            return [body]
        response = self.respond(environ)
        if response.request is not None and BREAK in response.request.notes:
            _break(response, response.request.notes[BREAK])
        headers = [(n, v) for n, v in response.headers if n.lower() != "content-length"]
        headers.append(("Content-Length", str(len(response.body))))
        start_response(_status_line(response.status), headers)
        return [response.body]

    def respond(self, environ: dict[str, Any]) -> Response:
        """Take a request through all stages."""
        try:
            request = wire.identify(self.world, environ)
        except AwsFault as fault:
            return wire.refuse(None, fault)
        request.forwarder = self._forward
        try:
            response = self._stages(request)
        except AwsFault as fault:
            response = wire.refuse(request, fault)
        except NotImplementedError as error:
            response = wire.refuse(request, _not_implemented(request, str(error)))
        except Exception as error:  # noqa: BLE001 - a server answers, whatever happened
            traceback.print_exc(file=sys.stderr)
            response = wire.refuse(request, AwsFault("InternalFailure", repr(error), 500))
        self._log.add(request, response)
        if self._on_answer is not None:
            self._on_answer(request, response)
        return response

    def _stages(self, request: Request) -> Response:
        self._authenticate(request)
        validate(request)
        if not request.is_privileged:
            for authoriser in self.table.authorisers:
                authoriser(request)
            rule = self._disturb(request)
            if rule is not None and rule.effect in PAGES:
                return repage(request, str(rule.effect), lambda: self._decide(request))
            if rule is not None and not rule.carried_out:
                return Response(0, [], b"", request)
        return self._decide(request)

    def _decide(self, request: Request) -> Response:
        """Refuse or carry out, under the lock."""
        with self.world.lock:
            for rule in self.table.rules(request.service, request.operation):
                rule(request)
            with ExitStack() as views:
                for view in self.table.views(request.service, request.operation):
                    views.enter_context(view(request))
                response = self._carry_out(request)
            if response.is_error:
                return response
            for effect in self.table.effects(request.service, request.operation):
                replacement = effect(request, response)
                if replacement is not None:
                    response = wire.answer(request, replacement)
            return response

    def _authenticate(self, request: Request) -> None:
        if not request.access_key_id:
            return
        try:
            request.principal = principal_of(
                self.world, request.access_key_id, request.session_token
            )
        except AwsFault as fault:
            raise not_taken(request, fault) from fault

    def _disturb(self, request: Request) -> Fault | None:
        """Wait as told, and fail as told: real time, so that clients' own timing is tested.

        Gives the rule that pages the answer or breaks the connection, if one strikes.
        """
        delay, rule = self.world.part(Faults).hit(request)
        if self._latency + delay > 0:
            # Real time: it stands for the network, and clients measure it.
            time.sleep(self._latency + delay)
        if rule is None:
            return None
        if rule.error is not None:
            request.notes[INJECTED] = rule
            raise error_of(rule, request)
        if rule.effect in BREAKS:
            request.notes[BREAK] = rule
        return rule

    def _carry_out(self, request: Request) -> Response:
        operation = self.table.operation(request.service, request.operation)
        if operation is None:
            return self._forward(request)
        result = operation(request)
        return result if isinstance(result, Response) else wire.answer(request, result)

    def _forward(self, request: Request) -> Response:
        from io import BytesIO

        from werkzeug.test import run_wsgi_app

        environ = request.environ
        if not request.operation:
            raise _not_implemented(request)
        application = self._application(request)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = request.account
        environ["wsgi.input"] = BytesIO(request.body)
        environ["CONTENT_LENGTH"] = str(len(request.body))
        region = "aws" if request.service in engine.GLOBAL_SERVICES else request.region
        self.world.part(Baseline).note(request.service, region)
        chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
        body = b"".join(chunks)
        code = int(status.split()[0])
        # What is asked with HEAD is answered without a body, whether it is there or not.
        is_head = request.environ.get("REQUEST_METHOD") == "HEAD"
        if code == 404 and not is_head and _is_missing_route(body):
            raise _not_implemented(request)
        return Response(code, headers.to_wsgi_list(), body, request)

    def _application(self, request: Request) -> Any:
        """Find moto's application for a service; it takes moto longer than most answers do."""
        known = self._applications.get(request.service)
        environ = request.environ
        path = environ.get("PATH_INFO", "")
        if known is not None and not path.startswith(S3_CONTROL):
            return known
        host = self._moto.infer_service_region_host(environ, path)
        if not self._moto.get_backend_for_host(host):
            raise _not_implemented(request)
        with models.reading(), models.sharing():
            found = self._moto.get_application(environ)
        is_plain = "HTTP_AUTHORIZATION" in environ and not path.startswith(S3_CONTROL)
        if is_plain and request.service not in SEVERAL_APPLICATIONS:
            self._applications[request.service] = found
        return found


def _break(response: Response, rule: Fault) -> None:
    """End the connection in place of an answer; always raises Broken."""
    if rule.effect == TIME_OUT:
        time.sleep(rule.delay_ms / 1000)
    if rule.effect == TRUNCATED_BODY and response.body:
        headers = [(n, v) for n, v in response.headers if n.lower() != "content-length"]
        headers.append(("Content-Length", str(len(response.body))))
        half = response.body[: len(response.body) // 2]
        raise Broken(answer=(_status_line(response.status), headers, half))
    raise Broken(is_reset=rule.effect in (CONNECTION_RESET, TRUNCATED_BODY))


def _not_implemented(request: Request, reason: str = "") -> AwsFault:
    what = f"{request.service}:{request.operation}" if request.operation else request.service
    path = "" if request.operation else f" {request.environ.get('PATH_INFO')}"
    why = f": {reason}" if reason else ""
    return AwsFault("NotImplemented", f"The sandbox does not have {what}{path}{why}", 501)


def _is_missing_route(body: bytes) -> bool:
    """Tell Flask's own 404 page from a service's."""
    return body.lstrip().lower().startswith(b"<!doctype html") or not body.strip()


def _status_line(status: int) -> str:
    from http import HTTPStatus

    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"

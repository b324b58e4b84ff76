"""One AWS request on its way through the sandbox, and the answer to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from preflight.sandbox import wire
from preflight.sandbox.identity.principals import Principal
from preflight.sandbox.names import iam_action
from preflight.sandbox.world import World

#: In the notes of a request: its error is one that the scenario asked for.
INJECTED = "injected"
_ERROR_CODE = re.compile(rb"<Code>([^<]+)</Code>|\"__type\"\s*:\s*\"(?:[^\"#]*#)?([^\"]+)\"")


@dataclass
class Response:
    """An HTTP answer; `result` parses it by botocore's model when a stage asks for it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    request: Request = field(repr=False)

    @property
    def is_error(self) -> bool:
        """Whether AWS, or the sandbox in its place, said no."""
        return self.status >= 400

    @property
    def error_code(self) -> str:
        """The error's code, or an empty string when there is no error."""
        if not self.is_error:
            return ""
        # REST clients look for the header before they read the body, which may say another thing.
        told = {name.lower(): value for name, value in self.headers}.get("x-amzn-errortype")
        if told is None:
            found = _ERROR_CODE.search(self.body)
            return (found[1] or found[2]).decode() if found else str(self.status)
        return told.split("#")[-1].split(":")[0]

    @cached_property
    def result(self) -> dict[str, Any]:
        """The operation's output as a client would see it; change it and return it to replace."""
        return wire.parse_result(self.request, self)


@dataclass
class Request:
    """A request as the stages see it.

    `service` is the botocore client name (`service-quotas`, `elbv2`), `operation` the operation's
    name in that model (empty when it matches none), `parameters` the parsed input, made when
    first asked for. `session_token` is empty for long-term keys. `principal` is None for the
    few requests that need no signature.
    """

    world: World
    environ: dict[str, Any] = field(repr=False)
    body: bytes = field(repr=False)
    service: str
    region: str
    operation: str
    access_key_id: str
    session_token: str = field(repr=False, default="")
    uri_parameters: Mapping[str, Any] = field(default_factory=dict)
    principal: Principal | None = None
    request_id: str = ""
    notes: dict[str, Any] = field(default_factory=dict)
    forwarder: Callable[[Request], Response] | None = field(repr=False, default=None)

    @property
    def action(self) -> str:
        """The IAM action, such as `ec2:CreateVpc`."""
        return iam_action(self.service, self.operation)

    @property
    def is_privileged(self) -> bool:
        """Whether the sandbox's own set-up sent this: no authorisation, quota, rate or fault."""
        return self.principal is not None and self.principal.is_privileged

    @property
    def account(self) -> str:
        """The account the request acts in."""
        return self.principal.account if self.principal else self.world.account

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The operation's input by botocore's model, as the client passed it to boto3."""
        return wire.parse_parameters(self)

    def forward(self) -> Response:
        """Let moto answer this request as it stands."""
        if self.forwarder is None:
            raise RuntimeError("this request is not in a pipeline")
        return self.forwarder(self)

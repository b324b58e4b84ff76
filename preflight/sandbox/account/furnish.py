"""Filling a fresh account with what its scenario says, through the sandbox's own front door."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from preflight.errors import SpecError
from preflight.sandbox import models
from preflight.sandbox.account.scenario import REFERENCE, Scenario
from preflight.sandbox.wire import operation_model
from preflight.sandbox.world import World

ADMIN = "sandbox-admin"
ADMIN_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"


def furnish(world: World, scenario: Scenario, endpoint: str) -> None:
    """Make the admin, the principals, and what the calls make; raises SpecError with the line."""
    backend = world.backend("iam", "aws")
    backend.create_user(region_name="us-east-1", user_name=ADMIN)
    backend.attach_user_policy(ADMIN_POLICY, ADMIN)
    _give_key(backend, ADMIN, world.admin_key_id, world.admin_secret)
    if not scenario.value:
        return
    furnisher = _Furnisher(world, scenario, endpoint)
    try:
        furnisher.run()
    finally:
        furnisher.close()


def _give_key(backend: Any, user: str, access_key_id: str, secret: str) -> None:
    """Make an access key with the id and secret somebody wants it to have."""
    key = backend.create_access_key(user)
    del backend.access_keys[key.access_key_id]
    key.access_key_id = access_key_id
    key.secret_access_key = secret
    backend.access_keys[access_key_id] = key


class _Furnisher:
    """Carries out one scenario with the set-up's own key."""

    def __init__(self, world: World, scenario: Scenario, endpoint: str) -> None:
        self._world = world
        self._scenario = scenario
        self._endpoint = endpoint
        self._clients: dict[tuple[str, str], Any] = {}
        self._saved: dict[str, Any] = {"account": world.account}

    def run(self) -> None:
        value = self._scenario.value
        alias = value.get("account", {}).get("alias")
        if alias:
            path: list[str | int] = ["account", "alias"]
            self._call(path, "iam", "us-east-1", "CreateAccountAlias", {"AccountAlias": alias})
        for number, entry in enumerate(value.get("principals", [])):
            self._principal(["principals", number], entry)
        for number, call in enumerate(value.get("calls", [])):
            self._repeat(["calls", number], call)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _principal(self, at: list[str | int], entry: Mapping[str, Any]) -> None:
        kind = "User" if "user" in entry else "Role"
        name = entry[kind.lower()]
        parameters: dict[str, Any] = {f"{kind}Name": name, "Path": entry.get("path", "/")}
        if kind == "Role":
            parameters["AssumeRolePolicyDocument"] = json.dumps(entry["trust"])
        if "boundary" in entry:
            path: list[str | int] = [*at, "boundary"]
            parameters["PermissionsBoundary"] = self._boundary(path, name, entry["boundary"])
        self._iam(at, f"Create{kind}", parameters)
        for number, policy in enumerate(entry.get("policies", [])):
            self._policy([*at, "policies", number], kind, name, policy)
        if "access_key" in entry:
            _give_key(self._world.backend("iam", "aws"), name, *entry["access_key"])

    def _policy(self, at: list[str | int], kind: str, name: str, policy: Any) -> None:
        if isinstance(policy, str):
            self._iam(at, f"Attach{kind}Policy", {f"{kind}Name": name, "PolicyArn": policy})
            return
        parameters = {
            f"{kind}Name": name,
            "PolicyName": f"inline-{at[-1]}",
            "PolicyDocument": json.dumps(policy),
        }
        self._iam(at, f"Put{kind}Policy", parameters)

    def _boundary(self, at: list[str | int], name: str, boundary: Any) -> str:
        """Give the ARN of a boundary; a document becomes a managed policy first, as in AWS."""
        if isinstance(boundary, str):
            return boundary
        parameters = {"PolicyName": f"{name}-boundary", "PolicyDocument": json.dumps(boundary)}
        return str(self._iam(at, "CreatePolicy", parameters)["Policy"]["Arn"])

    def _iam(self, at: list[str | int], operation: str, parameters: Mapping[str, Any]) -> Any:
        return self._call(at, "iam", "us-east-1", operation, parameters)

    def _repeat(self, at: list[str | int], call: Mapping[str, Any]) -> None:
        import jmespath

        region = call.get("region", self._world.region)
        for n in range(call.get("repeat", 1)):
            names = {**self._saved, "region": region, "n": n}
            shape = operation_model(call["service"], call["operation"]).input_shape
            parameters = _fit(shape, _fill(call.get("parameters", {}), names))
            answer = self._call(at, call["service"], region, call["operation"], parameters)
            for name, expression in call.get("save", {}).items():
                found = jmespath.search(expression, answer)
                if found is None:
                    message = f"{expression!r} finds nothing in the answer"
                    raise self._scenario.error([*at, "save", name], message)
                self._saved[name] = found

    def _call(
        self,
        at: list[str | int],
        service: str,
        region: str,
        operation: str,
        parameters: Mapping[str, Any],
    ) -> Any:
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client(service, region), xform_name(operation))(**parameters)
        except ClientError as error:
            reason = error.response["Error"]
            message = f"{reason['Code']}: {reason['Message']}"
            raise self._failed(at, service, operation, message) from error
        except BotoCoreError as error:
            raise self._failed(at, service, operation, str(error)) from error

    def _failed(self, at: list[str | int], service: str, operation: str, why: str) -> SpecError:
        return self._scenario.error(at, f"{service} {operation} failed: {' '.join(why.split())}")

    def _client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        if (service, region) not in self._clients:
            session = models.session_of_s3() if service == "s3" else models.session()
            self._clients[service, region] = session.create_client(
                service,
                region_name=region,
                endpoint_url=self._endpoint,
                aws_access_key_id=self._world.setup_key_id,
                aws_secret_access_key=self._world.admin_secret,
                config=Config(
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path"},
                    proxies={},
                    use_dualstack_endpoint=False,
                    use_fips_endpoint=False,
                ),
            )
        return self._clients[service, region]


def _fill(value: Any, names: Mapping[str, Any]) -> Any:
    """Put values in place of `${name}`; a text that is nothing else becomes the value itself."""
    if isinstance(value, Mapping):
        return {_fill(key, names): _fill(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, names) for inner in value]
    if not isinstance(value, str):
        return value
    whole = REFERENCE.fullmatch(value)
    if whole:
        found = names[whole[1]]
        return _Count(found) if whole[1] == "n" else found
    return REFERENCE.sub(lambda match: str(names[match[1]]), value)


class _Count(int):
    """The index of a repeated call: a number or a text, as the parameter wants it."""


def _fit(shape: Any, value: Any) -> Any:
    """Turn each index into text where the operation's model wants text."""
    if isinstance(value, _Count):
        return str(value) if shape is not None and shape.type_name == "string" else int(value)
    if isinstance(value, Mapping):
        members = getattr(shape, "members", {})
        inner = getattr(shape, "value", None)
        return {str(key): _fit(members.get(key, inner), part) for key, part in value.items()}
    if isinstance(value, list):
        return [_fit(getattr(shape, "member", None), part) for part in value]
    return value

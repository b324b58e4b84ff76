"""An account without rates for each test, and clients in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """An empty account with no rates; `sandbox.reset({...})` makes it another one."""
    sandbox.reset({"rates": "off"})
    return sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """Make boto3 clients: `client("ec2")` as the admin, or with `region`, `key`, `credentials`."""
    made: list[Any] = []

    def make(
        service: str,
        region: str | None = None,
        key: tuple[str, str] | None = None,
        credentials: dict[str, Any] | None = None,
    ) -> Any:
        access_key, secret = key or (sandbox.access_key_id, sandbox.secret_access_key)
        token = None
        if credentials is not None:
            access_key, secret = credentials["AccessKeyId"], credentials["SecretAccessKey"]
            token = credentials["SessionToken"]
        made.append(
            boto3.client(
                service,
                region_name=region or sandbox.region,
                endpoint_url=sandbox.endpoint,
                aws_access_key_id=access_key,
                aws_secret_access_key=secret,
                aws_session_token=token,
                config=Config(retries={"total_max_attempts": 1}),
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close()

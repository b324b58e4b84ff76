"""One account for all tests of a file: each makes its own principals in it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import boto3
import pytest
from botocore.config import Config

from preflight.sandbox.server import Sandbox

NUMBERS = itertools.count(1)
SESSION = boto3.Session()  # one for all clients: the models are loaded once
Statement = dict[str, Any]


class Caller:
    """Clients that sign with one key; `arn` and `name` are those of a user."""

    def __init__(self, sandbox: Sandbox, key: str, secret: str, token: str | None = None) -> None:
        self.sandbox = sandbox
        self.arn = ""
        self.name = ""
        self._keys = {
            "aws_access_key_id": key,
            "aws_secret_access_key": secret,
            "aws_session_token": token,
        }

    def client(self, service: str, region: str = "us-west-2", **config: Any) -> Any:
        return SESSION.client(
            service,
            region_name=region,
            endpoint_url=self.sandbox.endpoint,
            config=Config(retries={"total_max_attempts": 1}, **config),
            **self._keys,
        )

    def assume(self, role: str, session: str = "test", **more: Any) -> Caller:
        """Become somebody else."""
        answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName=session, **more)
        return self.with_keys(answer["Credentials"])

    def with_keys(self, keys: dict[str, Any]) -> Caller:
        """Sign with what STS gave out."""
        return Caller(
            self.sandbox, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        )


class Admin(Caller):
    """Who may do everything, and makes the others."""

    @staticmethod
    def document(*statements: Statement) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})

    def user(self, *statements: Statement, boundary: str | None = None) -> Caller:
        iam = self.client("iam")
        name = f"user{next(NUMBERS)}"
        extra = {"PermissionsBoundary": boundary} if boundary else {}
        arn = iam.create_user(UserName=name, **extra)["User"]["Arn"]
        if statements:
            text = self.document(*statements)
            iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=text)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        user = Caller(self.sandbox, key["AccessKeyId"], key["SecretAccessKey"])
        user.arn, user.name = arn, name
        return user

    def policy(self, *statements: Statement) -> str:
        made = self.client("iam").create_policy(
            PolicyName=f"policy{next(NUMBERS)}", PolicyDocument=self.document(*statements)
        )
        return str(made["Policy"]["Arn"])

    def role(
        self,
        *statements: Statement,
        trusts: Any = "*",
        path: str = "/",
        trust: str | None = None,
        **more: Any,
    ) -> str:
        iam = self.client("iam")
        name = f"role{next(NUMBERS)}"
        plain = {"Effect": "Allow", "Principal": {"AWS": trusts}, "Action": "sts:AssumeRole"}
        document = trust or self.document(plain)
        made = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document, **more)
        if statements:
            text = self.document(*statements)
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=text)
        return str(made["Role"]["Arn"])

    def simulate(self, arn: str, *actions: str, **more: Any) -> list[dict[str, Any]]:
        answer = self.client("iam").simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=list(actions), **more
        )
        return list(answer["EvaluationResults"])


@pytest.fixture(scope="module")
def account(sandbox_server: Sandbox, request: pytest.FixtureRequest) -> Sandbox:
    """The account of the file: empty, or as its `SCENARIO` says."""
    sandbox_server.reset(getattr(request.module, "SCENARIO", {"rates": "off"}))
    return sandbox_server


@pytest.fixture(scope="module")
def admin(account: Sandbox) -> Admin:
    return Admin(account, account.access_key_id, account.secret_access_key)

"""A user with the generated policies and nothing else, who goes the whole way in the sandbox.

Check, provision, plan, delete and scan, the commands themselves; in between somebody uses the
cluster. The sandbox puts every question of every call to his policies, and each is kept.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from preflight import spec as specs
from preflight.aws import as_principal
from preflight.cli import check, delete, plan, provision, scan
from preflight.cli.asked import Asked
from preflight.cli.needs import drawn, least_of
from preflight.errors import PreflightError
from preflight.least import Document, Least
from preflight.policy import Decision, Outcome, Policy, Request
from preflight.sandbox.identity import authorise
from preflight.sandbox.server import Sandbox

REGION = "us-west-2"
ACCOUNT = "111122223333"
KEY = ("AKIABUILDER000000000", "the-builder-has-no-secrets")
TIME_SCALE = 3000.0
POLL = 0.02
COMMANDS = ("check", "provision", "plan", "use", "delete", "scan")
#: Small, and yet with at least one of every kind of resource.
SPEC: Mapping[str, Any] = {
    "name": "dev",
    "region": REGION,
    "account": ACCOUNT,
    "instance_types": [{"type": "m7i.large", "capacity": ["on-demand", "spot"]}],
    "network": {"zones": ["a", "b"], "nat": "single", "endpoints": {"interface": ["sts"]}},
    "guardduty": True,
    "notifications": True,
}
#: What the vendor wants to be free; of one of them AWS lists the default alone.
QUOTAS: tuple[Mapping[str, Any], ...] = (
    {"service": "vpc", "code": "L-F678F1CE", "applied": 20},
    {"service": "vpc", "code": "L-A4707A72", "applied": 20},
    {"service": "ec2", "code": "L-0263D0A3", "applied": 20},
    {"service": "ec2", "code": "L-1216C47A", "applied": 1000},
    {"service": "ec2", "code": "L-34B43A08", "applied": None, "default": 1000},
)
_NOTHING = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A question put to the policies, by a call of which command, and the answer they gave.

    `without` is the answer of the same evaluator, at the same moment, to policies from which the
    action was taken out.
    """

    command: str
    request: Request
    outcome: Outcome
    without: Outcome


@dataclass(frozen=True, kw_only=True)
class Way:
    """How far somebody got: each command's exit code, what was said, and what was asked."""

    codes: tuple[tuple[str, int], ...]
    said: str
    heard: tuple[Heard, ...]
    seconds: float

    @property
    def through(self) -> bool:
        """Whether every command ended with 0."""
        return all(code == 0 for _, code in self.codes)

    @property
    def stopped(self) -> str:
        """Name the command that did not end with 0."""
        return next((f"{name} ({code})" for name, code in self.codes if code), "")


class Walk:
    """Takes the way with the policies he is given, in a new account each time."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self._file = folder / "cluster.yaml"
        self._folder = folder
        self._count = 0
        self._command = ""
        self._file.write_text(json.dumps(SPEC))
        self.plan = drawn(specs.from_mapping(SPEC), Asked())
        self.least = least_of(self.plan)
        self._lessened = cache(lambda action: parsed(without(self.least, action)))

    def __call__(self, least: Least, *waive: str, only: tuple[str, ...] = COMMANDS) -> Way:
        """Begin a new account and go as far as the policies let him; `only` through some."""
        began = time.monotonic()
        file = Asked(file=self._file, quiet=True, yes=True, outputs=("json",), waive=waive)
        name = replace(file, file=None, name="dev", region=REGION, account=ACCOUNT, waive=())
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("check", lambda: check.run(file)),
            ("provision", lambda: provision.run(file, shortest_poll=POLL)),
            ("plan", lambda: plan.run(file)),
            ("use", self._use),
            ("delete", lambda: delete.run(name, patience=8.0, shortest_poll=POLL)),
            ("scan", lambda: scan.run(name)),
        )
        codes: list[tuple[str, int]] = []
        said = io.StringIO()
        heard: list[Heard] = []
        with self._as_builder(), contextlib.redirect_stdout(said), self._listening(heard):
            self._begin(least)
            for title, step in steps:
                if title not in only:
                    continue
                self._command = title
                codes.append((title, _code(step, said)))
                if codes[-1][1]:
                    break
        return Way(
            codes=tuple(codes),
            said=said.getvalue(),
            heard=tuple(heard),
            seconds=time.monotonic() - began,
        )

    def _use(self) -> None:
        """Be everybody who uses the cluster: gives occasion for what only deletions need."""
        admin = self._admin
        named = {one.address: one.value for one in self.plan.names}
        for bucket in (name for address, name in named.items() if address.startswith("s3/bucket")):
            for _ in range(2):
                admin.call("s3", "PutObject", Bucket=bucket, Key="result", Body=b"42")
            admin.call("s3", "CreateMultipartUpload", Bucket=bucket, Key="large")
        role = named["iam/role/node"]
        nothing = json.dumps({"Version": "2012-10-17", "Statement": [_NOTHING]})
        for each in (name for address, name in named.items() if address.startswith("iam/role/")):
            admin.call(
                "iam", "PutRolePolicy", RoleName=each, PolicyName="o", PolicyDocument=nothing
            )
        admin.call("iam", "CreateInstanceProfile", InstanceProfileName="other")
        admin.call("iam", "AddRoleToInstanceProfile", InstanceProfileName="other", RoleName=role)
        for policy in admin.each("iam", "ListPolicies", "Policies", Scope="Local"):
            if policy["Path"].startswith("/preflight/"):
                arn = policy["Arn"]
                admin.call("iam", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=nothing)
        listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}
        zones = [f"{REGION}a"]
        admin.call(
            "elb",
            "CreateLoadBalancer",
            LoadBalancerName="somebody",
            Listeners=[listener],
            AvailabilityZones=zones,
        )

    def _begin(self, least: Least) -> None:
        user = {
            "user": "builder",
            "access_key": list(KEY),
            "policies": [],
            "boundary": least.boundary,
        }
        account = {"id": ACCOUNT, "region": REGION}
        self._sandbox.reset(
            {"account": account, "rates": "off", "principals": [user], "quotas": list(QUOTAS)},
            time_scale=TIME_SCALE,
        )
        box = self._sandbox
        self._admin = as_principal(REGION, box.access_key_id, box.secret_access_key)
        for name, document in least.policies.items():
            text = json.dumps(document)
            made = self._admin.call("iam", "CreatePolicy", PolicyName=name, PolicyDocument=text)
            arn = made["Policy"]["Arn"]
            self._admin.call("iam", "AttachUserPolicy", UserName="builder", PolicyArn=arn)

    @contextlib.contextmanager
    def _as_builder(self) -> Iterator[None]:
        self._count += 1
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self._sandbox.environment().items():
                patch.setenv(name, value)
            for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
                patch.delenv(name, raising=False)
            for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
                patch.setenv(name, os.devnull)
            patch.setenv("AWS_ACCESS_KEY_ID", KEY[0])
            patch.setenv("AWS_SECRET_ACCESS_KEY", KEY[1])
            patch.setenv("XDG_STATE_HOME", str(self._folder / f"state-{self._count}"))
            yield

    @contextlib.contextmanager
    def _listening(self, heard: list[Heard]) -> Iterator[None]:
        """Listen to what the sandbox asks the policies; it decides as ever."""
        decide = authorise.decide

        def listen(asked: Any, standing: Any, requirement: Any) -> Decision:
            decision = decide(asked, standing, requirement)
            less = replace(standing, identity=self._lessened(requirement.action))
            heard.append(
                Heard(
                    command=self._command,
                    request=decision.request,
                    outcome=decision.outcome,
                    without=decide(asked, less, requirement).outcome,
                )
            )
            return decision

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(authorise, "decide", listen)
            yield


def _code(step: Callable[[], None], said: io.StringIO) -> int:
    try:
        step()
    except typer.Exit as ended:
        return ended.exit_code
    except PreflightError as error:
        said.write(f"\n{error}\n")
        return error.exit_code
    return 0


def parsed(least: Least) -> tuple[Policy, ...]:
    """Read the policies as the sandbox does."""
    return tuple(Policy.parse(document, id=name) for name, document in least.policies.items())


def without(least: Least, action: str) -> Least:
    """Take one action out of every statement."""
    policies = {name: _less(document, action) for name, document in least.policies.items()}
    return replace(least, policies={n: d for n, d in policies.items() if d["Statement"]})


def _less(document: Document, action: str) -> Document:
    kept = [
        {**one, "Action": [name for name in one["Action"] if name != action]}
        for one in document["Statement"]
    ]
    return {**document, "Statement": [one for one in kept if one["Action"]]}


@pytest.fixture(scope="session")
def walk(sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Somebody who is given policies, and goes."""
    return Walk(sandbox_server, tmp_path_factory.mktemp("walk"))


@pytest.fixture(scope="session")
def way(walk: Walk) -> Way:
    """The way with exactly the generated policies, once for all tests that study it."""
    return walk(walk.least)


@pytest.fixture(scope="session")
def taken_out() -> Callable[[Least, str], Least]:
    """Take one action out of every statement."""
    return without

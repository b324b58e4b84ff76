"""Is the generated policy enough, and is any of it too much? Proven on the enforcing sandbox.

A user with exactly what `preflight permissions` writes goes the whole way: check, provision,
delete, scan; somebody uses the cluster in between. Then one action is taken out, and he must not
get through; once for each action.

    python benchmarks/least_privilege.py            # the table, all actions (about an hour)
    python benchmarks/least_privilege.py ec2: kms:  # only these
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer

from preflight import spec as specs
from preflight.aws import as_principal
from preflight.cli import check, delete, plan, provision, scan
from preflight.cli.asked import Asked
from preflight.cli.needs import drawn, least_of
from preflight.errors import PreflightError
from preflight.least import Document, Least
from preflight.policy import Decision, Request
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
#: What the vendor wants to be free.
QUOTAS: tuple[Mapping[str, Any], ...] = (
    {"service": "vpc", "code": "L-F678F1CE", "applied": 20},
    {"service": "vpc", "code": "L-A4707A72", "applied": 20},
    {"service": "ec2", "code": "L-0263D0A3", "applied": 20},
    {"service": "ec2", "code": "L-1216C47A", "applied": 1000},
    {"service": "ec2", "code": "L-34B43A08", "applied": 1000},
)
#: What the sandbox gives no occasion to use, or lets one do without: action, and why it is in the
#: policy all the same.
NOT_EXERCISED: Mapping[str, str] = {}
_NOTHING = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}


@dataclass(frozen=True, kw_only=True)
class Way:
    """How far somebody got: the exit code of each command, and which one was the last."""

    codes: tuple[tuple[str, int], ...]
    said: str
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
    """A user of the sandbox who may do what he is given, and takes the whole way."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self._file = folder / "cluster.yaml"
        self._folder = folder
        self._count = 0
        self._file.write_text(json.dumps(SPEC))
        self.plan = drawn(specs.from_mapping(SPEC), Asked())
        self.least = least_of(self.plan)
        #: What the sandbox asked the policies, the first request of each action.
        self.demanded: dict[str, Request] = {}

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
        with self._as_builder(), contextlib.redirect_stdout(said), self._listening():
            self._begin(least)
            for title, step in steps:
                if title not in only or (waive and title == "check"):
                    continue  # `provision` asks the very gate that `check` asks
                codes.append((title, _code(step, said)))
                if codes[-1][1]:
                    break
        return Way(codes=tuple(codes), said=said.getvalue(), seconds=time.monotonic() - began)

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
        admin.call("iam", "PutRolePolicy", RoleName=role, PolicyName="o", PolicyDocument=nothing)
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
        before = dict(os.environ)
        self._count += 1
        os.environ.update(self._sandbox.environment())
        os.environ.update(
            AWS_ACCESS_KEY_ID=KEY[0],
            AWS_SECRET_ACCESS_KEY=KEY[1],
            XDG_STATE_HOME=str(self._folder / f"state-{self._count}"),
        )
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """Listen to what the sandbox asks the policies; it decides as ever."""
        decide = authorise.decide

        def heard(asked: Any, standing: Any, requirement: Any) -> Decision:
            decision = decide(asked, standing, requirement)
            self.demanded.setdefault(decision.request.action, decision.request)
            return decision

        authorise.decide = heard  # type: ignore[assignment]
        try:
            yield
        finally:
            authorise.decide = decide


def _code(step: Any, said: io.StringIO) -> int:
    try:
        step()
    except typer.Exit as ended:
        return ended.exit_code
    except PreflightError as error:
        said.write(f"\n{error}\n")
        return error.exit_code
    return 0


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


def main(wanted: Iterable[str]) -> int:
    """Print the table; 1 when the whole policy is not enough, or some of it is too much."""
    prefixes = tuple(wanted)
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        walk = Walk(sandbox, Path(folder))
        whole = walk(walk.least)
        print(f"all {len(walk.least.actions)} actions: {whole.codes}, {whole.seconds:.1f} s")
        if not whole.through:
            print(whole.said[-3000:])
            return 1
        wrong = 0
        for action in walk.least.actions:
            if prefixes and not action.startswith(prefixes):
                continue
            less = without(walk.least, action)
            gate = walk(less, only=("check",))
            way = walk(less, "permissions=only a real denial counts here")
            known = action in NOT_EXERCISED
            wrong += way.through is not known
            mark = "ok" if way.through is known else "WRONG"
            what = NOT_EXERCISED.get(action, "") if way.through else f"stopped by {way.stopped}"
            print(f"{mark:<5} {action:<50} gate: {gate.stopped or 'open':<12} {what}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

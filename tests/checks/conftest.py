"""What the tests of checks share: one sandbox, accounts from scenarios, and contexts in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import pytest

from checks.builtin import CHECKS
from preflight import facts, gate, profile, spec
from preflight.actions import Action
from preflight.aws import Aws
from preflight.check import Check, Context
from preflight.finding import Finding, Status
from preflight.plan import Plan
from preflight.resource import Resource
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.server import Sandbox
from provision.blueprint import draw

ACCOUNT = "111122223333"
REGION = "us-west-2"
#: A cluster as small as one can be without leaving out a kind of resource that matters here.
SMALL: Mapping[str, Any] = {
    "name": "dev",
    "region": REGION,
    "instance_types": [{"type": "m7i.large", "capacity": ["on-demand"]}],
    "network": {"zones": ["a", "b"], "nat": "single"},
    "resolver_query_logging": False,
}
SOME = frozenset({"ec2:CreateVpc", "ec2:DescribeVpcs", "eks:CreateCluster", "eks:DeleteCluster"})
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class Needs(Resource):
    """Something that needs what a test says, and is never built."""

    kind = "test/needs"
    creates = ()
    wanted: tuple[Action, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "creates", self.wanted)

    def create(self, aws: Any, ids: Any, token: str) -> str:
        raise NotImplementedError

    @classmethod
    def find(cls, aws: Any, owner: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def delete(cls, aws: Any, found: Any) -> None:
        raise NotImplementedError


def keys_of(name: str) -> tuple[str, str]:
    """Give the access key of a scenario's user."""
    return "AKIA" + name.upper().ljust(16, "0"), f"secret-of-{name}"


@dataclass(frozen=True)
class Bench:
    """An account in the sandbox, and whatever a check needs in it."""

    sandbox: Sandbox
    loader: botocore.loaders.Loader
    #: What was looked up of zones and types, which are the same in all accounts of the sandbox.
    known: dict[tuple[str, ...], facts.Facts]

    def begin(self, **scenario: Any) -> None:
        """Begin anew: an account with the keys of a scenario."""
        region = {"account": {"id": ACCOUNT, "region": REGION}, "rates": "off"}
        self.sandbox.reset({**region, **scenario})

    @staticmethod
    def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
        """Write a policy."""
        return {"Version": "2012-10-17", "Statement": list(statements)}

    def user(self, name: str, *statements: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Describe a user for a scenario, who may do anything unless told otherwise."""
        policies = [self.document(*(statements or (ANYTHING,)))]
        return {"user": name, "access_key": list(keys_of(name)), "policies": policies, **more}

    def role(self, name: str, *statements: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Describe a role for a scenario that everybody in the account may assume."""
        everybody = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        trust = {"Effect": "Allow", "Principal": everybody, "Action": "sts:AssumeRole"}
        policies = [self.document(*(statements or (ANYTHING,)))]
        return {"role": name, "trust": self.document(trust), "policies": policies, **more}

    def aws(self, name: str | None = None, region: str = REGION) -> Aws:
        """Act as one of the scenario's users, or as the one who may do everything."""
        box = self.sandbox
        key, secret = keys_of(name) if name else (box.access_key_id, box.secret_access_key)
        # Reading botocore's descriptions takes seconds; one loader keeps them for all tests.
        session = botocore.session.get_session()
        session.register_component("data_loader", self.loader)
        session.set_credentials(key, secret)
        return Aws(region, session=boto3.Session(botocore_session=session))

    def context(self, aws: Aws | None = None, caller: Aws | None = None, **wanted: Any) -> Context:
        """Make a context; `wanted` goes over the small spec. The facts are the admin's."""
        asked = spec.from_mapping({**SMALL, **wanted})
        builder = aws or self.aws(region=asked.region)
        types = tuple(each.type for each in asked.instance_types)
        known = self.known.get((asked.region, *types))
        if known is None:
            known = facts.look(self.aws(region=asked.region), types)
            self.known[asked.region, *types] = known
        return Context(
            spec=asked,
            profile=profile.load(asked.vendor),
            plan=draw(asked, known),
            facts=known,
            aws=builder,
            caller=caller or builder,
            checks=CHECKS,
        )

    def needing(self, context: Context, *wanted: Action) -> Context:
        """Put a plan that needs exactly these actions in place of the present one."""
        plan = Plan(owner=context.plan.owner, resources=(Needs(name="all", wanted=wanted),))
        return replace(context, plan=plan)

    def as_user(self, *statements: Any, **more: Any) -> Context:
        """Be alice, with a plan of SOME actions only: simulating a whole one takes a while."""
        context = self.as_builder(*statements, **more)
        return self.needing(context, *(one for one in context.plan.actions if one.name in SOME))

    def as_builder(self, *statements: Any, **more: Any) -> Context:
        """Be alice, with a whole plan; `scps` goes to the account, the rest to the user."""
        scps = {"scps": more.pop("scps")} if "scps" in more else {}
        self.begin(principals=[self.user("alice", *statements, **more)], **scps)
        return self.context(self.aws("alice"))

    def looked_up_anew(self, context: Context) -> Context:
        """Look the facts up as the builder, with whatever may be denied by now."""
        types = tuple(each.type for each in context.spec.instance_types)
        return replace(context, facts=facts.look(context.aws, types))

    def deny(self, *actions: str) -> None:
        """Deny actions from now on, whatever policies say."""
        rules = [{"action": action, "error": "AccessDenied"} for action in actions]
        self.fault(*rules)

    def fault(self, *rules: Mapping[str, Any]) -> None:
        """Put faults in place of the present ones."""
        self.sandbox.world.part(Faults).replace(list(rules))

    def ask(self, check: Check, context: Context) -> dict[str, Finding]:
        """Ask one check through the gate, as the command line does; findings by subject."""
        findings = gate.run([check], context).findings
        by_subject = {finding.subject: finding for finding in findings}
        assert len(by_subject) == len(findings), "two findings share a subject, and so an id"
        return by_subject

    def statuses(self, check: Check, context: Context) -> dict[str, Status]:
        """Ask one check and keep what most tests compare."""
        found = self.ask(check, context)
        return {subject: Status(finding.status) for subject, finding in found.items()}


@pytest.fixture(scope="session")
def loader() -> botocore.loaders.Loader:
    return botocore.loaders.create_loader()


@pytest.fixture(scope="session")
def known() -> dict[tuple[str, ...], facts.Facts]:
    return {}


@pytest.fixture
def bench(
    sandbox: Sandbox,
    loader: botocore.loaders.Loader,
    known: dict[tuple[str, ...], facts.Facts],
) -> Bench:
    """An empty account, and what is needed to ask checks about it."""
    made = Bench(sandbox, loader, known)
    made.begin()
    return made

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import botocore.session
import pytest

from preflight.actions import action_of
from preflight.aws import Aws, Calls
from preflight.errors import NotFound, PlanError
from preflight.facts import Facts, Zone
from preflight.found import Found, Owner, State, Strength
from preflight.names import NODE_GROUP, problems
from preflight.plan import Plan
from preflight.resource import READY, Failed, Resource
from preflight.sandbox.account.snapshot import difference, snapshot
from preflight.sandbox.server import Sandbox
from preflight.spec import from_mapping
from provision.blueprint import draw
from provision.order import gone_first
from provision.resources.kinds import KINDS
from provision.strays.kinds import STRAYS

Kinds = type[Resource]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.kind for kind in KINDS])
PATIENCE, SECONDS = 60, 30.0
#: Virtual seconds after which EC2 tells nothing any more of what was deleted.
FORGOTTEN = 7200.0
FACTS = Facts(
    account="111122223333",
    partition="aws",
    region="us-west-2",
    principal="arn:aws:iam::111122223333:user/builder",
    zones=tuple(Zone(name=f"us-west-2{z}", id=f"usw2-az{n}") for n, z in enumerate("abc", 1)),
)
DOCUMENT = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
)
#: Names that the vendor allows and some service of AWS does not.
HOSTILE = ("a" * 100, "a.b.c", "a.b", "1.2.3.4", "x" + "-y" * 60, "aws-sg-x", "team--a.b", "0")


def drawn(name: str = "dev") -> Plan:
    """Draw a plan with everything that a spec can ask for, as little of each as can be."""
    wanted = {
        "name": name,
        "region": "us-west-2",
        "instance_types": [{"type": "m5.large", "capacity": ["on-demand"]}],
        "network": {
            "zones": 2,
            "nat": "single",
            "endpoints": {"gateway": ["s3"], "interface": ["sts"]},
        },
    }
    return draw(from_mapping(wanted), FACTS)


@dataclass
class Record:
    """What happened to one plan, by kind: the calls it took, and what was found when."""

    plan: Plan
    calls: dict[str, Calls] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    found: dict[str, list[Found]] = field(default_factory=dict)
    never_gone: list[str] = field(default_factory=list)
    second_deletion: dict[str, BaseException] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


class Life:
    """Builds a plan and takes it down, the calls of each kind counted by themselves."""

    def __init__(self, aws: Aws, plan: Plan, sandbox: Sandbox) -> None:
        self.owner = Owner(
            cluster=plan.owner.cluster,
            account=plan.owner.account,
            region=plan.owner.region,
            incarnation="one",
        )
        self._plan = plan
        self._sandbox = sandbox
        self._made: dict[Resource, str] = {}
        self._ready: set[Resource] = set()
        self._views: dict[str, Aws] = {}
        self.record = Record(plan=plan)
        for kind in KINDS:
            view = copy.copy(aws)
            view.calls = self.record.calls[kind.kind] = Calls()
            self._views[kind.kind] = view

    def __getitem__(self, resource: Resource) -> str:
        return self._made[resource]

    def live(self) -> Record:
        """Do all of it."""
        for resource in self._plan.ordered:
            self._make(resource)
        for resource in self._plan.ordered:
            self._wait(resource)
        self.record.ids = {resource.address: id for resource, id in self._made.items()}
        for kind in KINDS:
            self.record.found[kind.kind] = self._find(kind)
        self._use()
        first = gone_first(KINDS)
        waiting = list(KINDS)
        while waiting:
            kind = next(k for k in waiting if not first[k.kind] & {w.kind for w in waiting})
            waiting.remove(kind)
            self._end(kind)
        return self.record

    def _make(self, resource: Resource) -> None:
        aws = self._views[resource.kind]
        for needed in resource.needs:
            self._wait(needed)
        assert resource.adopt(aws) is None
        id = self._made[resource] = resource.create(aws, self, f"token-of-{resource.address}")
        for _ in range(2):  # a resumed run does it again
            resource.configure(aws, self, id)

    def _wait(self, resource: Resource) -> None:
        if resource in self._ready:
            return
        aws, id = self._views[resource.kind], self._made[resource]
        for _ in range(PATIENCE):
            answer = type(resource).ready_all(aws, self, {resource: id})[resource]
            assert not isinstance(answer, Failed), answer
            if answer is READY:
                self._ready.add(resource)
                return
            self._sandbox.world.clock.advance(SECONDS)
        raise AssertionError(f"{resource.address} does not become ready")

    def _use(self) -> None:
        """Put in what users and AWS put in, so that the deletions have everything to do."""
        aws = copy.copy(self._views["iam/role"])
        aws.calls = Calls()
        (role,) = (each for each in self._made if each.address == "iam/role/node")
        name = {"RoleName": self[role].rsplit("/", 1)[-1]}
        aws.call("iam", "PutRolePolicy", **name, PolicyName="more", PolicyDocument=DOCUMENT)
        aws.call("iam", "CreateInstanceProfile", InstanceProfileName="nodes")
        aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName="nodes", **name)
        for resource, id in self._made.items():
            if resource.kind == "iam/policy":
                aws.call("iam", "CreatePolicyVersion", PolicyArn=id, PolicyDocument=DOCUMENT)
            if resource.kind == "s3/bucket":
                # The sandbox speaks no TLS, which the bucket insists on.
                aws.call("s3", "DeleteBucketPolicy", Bucket=id)
                aws.call("s3", "PutObject", Bucket=id, Key="kept", Body=b"1")
                aws.call("s3", "CreateMultipartUpload", Bucket=id, Key="unfinished")

    def _find(self, kind: Kinds) -> list[Found]:
        return list(kind.find(self._views[kind.kind], self.owner))

    def _end(self, kind: Kinds) -> None:
        aws, asked = self._views[kind.kind], self._find(kind)
        for found in asked:
            kind.delete(aws, found)
        for _ in range(PATIENCE):
            here = self._find(kind)
            if not here:
                break
            assert {found.state for found in here} == {State.GOING}, here
            self._sandbox.world.clock.advance(SECONDS)
        else:
            self.record.never_gone.append(kind.kind)
        for found in asked:
            try:
                kind.delete(aws, found)
            except Exception as error:  # noqa: BLE001 - a test looks at it
                self.record.second_deletion[found.address] = error


@pytest.fixture(scope="module")
def record(sandbox_server: Sandbox) -> Iterator[Record]:
    """One plan of everything, built and taken down once for all tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        sandbox_server.reset({"rates": "off", "principals": [{"user": "builder"}]})
        for name, value in sandbox_server.environment().items():
            patch.setenv(name, value)
        aws = Aws(sandbox_server.region, clock=Hurry(sandbox_server))
        before = snapshot(sandbox_server.world)
        found = Life(aws, drawn(), sandbox_server).live()
        aws.call("iam", "DeleteInstanceProfile", InstanceProfileName="nodes")
        sandbox_server.world.clock.advance(FORGOTTEN)
        aws.call("ec2", "DescribeVpcs")  # whatever is due by now is done with the next request
        found.left = difference(before, snapshot(sandbox_server.world))
        yield found


class Hurry:
    """A clock that moves the sandbox's time instead of waiting."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._clock = sandbox.world.clock
        self.now = self._clock.now
        self.monotonic = self._clock.monotonic

    def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)


def test_the_blueprint_draws_every_kind() -> None:
    assert {*drawn().kinds} == {*KINDS}


def test_every_kind_has_a_name_and_a_title_of_its_own() -> None:
    assert (
        len({kind.kind for kind in KINDS}) == len({kind.__name__ for kind in KINDS}) == len(KINDS)
    )
    for kind in KINDS:
        assert re.fullmatch(r"[a-z0-9]+/[a-z0-9-]+", kind.kind)
        title = (kind.__doc__ or "").split("\n")[0]
        assert "." in title or ":" in title, f"{kind.__name__} does not say what it is for"
        assert len(title.split()) >= 4, title


@each_kind
def test_a_kind_says_how_long_it_takes_and_which_kinds_it_waits_for(kind: Kinds) -> None:
    assert min(kind.takes) > 0
    known = {each.kind for each in (*KINDS, *STRAYS)}
    assert {*kind.dies_after} <= known
    assert {*kind.outlives} <= known
    assert kind.dies_with in {None, *known}


@each_kind
def test_a_kind_declares_actions_that_exist(kind: Kinds, operations: frozenset[str]) -> None:
    for action in (*kind.creates, *kind.finds, *kind.deletes):
        assert re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+", action.name)
        assert action.by_hand or action.name in operations, action.name
    assert any(not action.by_hand for action in kind.creates)
    assert any(not action.by_hand for action in kind.finds)
    assert any(not action.by_hand for action in kind.deletes)


@pytest.fixture(scope="module")
def operations() -> frozenset[str]:
    """The IAM actions of all operations of the clients that kinds use."""
    session = botocore.session.get_session()
    names = {action.name.split(":")[0] for kind in KINDS for action in kind.creates}
    clients = {*names, "resourcegroupstaggingapi", "autoscaling"} & {
        *session.get_available_services()
    }
    return frozenset(
        action_of(client, operation)
        for client in clients
        for operation in session.get_service_model(client).operation_names
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_every_name_a_plan_uses_is_legal_whatever_the_cluster_is_called(name: str) -> None:
    plan = drawn(name)
    names = list(plan.names)
    assert len(names) > 10
    for each in names:
        assert problems(each.rule, each.value) == (), each
    assert len({(each.rule.kind, each.value) for each in names}) == len(names)
    # Node groups have their names within their cluster; everything else shares a Region.
    own = {(each.rule.kind, each.value) for each in names if each.rule is not NODE_GROUP}
    assert not own & {(each.rule.kind, each.value) for each in drawn("dev").names}


@each_kind
def test_a_kind_makes_exactly_the_calls_it_declares(kind: Kinds, record: Record) -> None:
    wanted = [each for each in record.plan.resources if type(each) is kind]
    declared = {
        action.name
        for each in wanted
        for action in (*each.creates, *kind.finds, *kind.deletes)
        if not action.by_hand
    }
    assert record.calls[kind.kind].actions == declared


@each_kind
def test_what_was_made_is_found_at_its_address_with_the_best_evidence(
    kind: Kinds, record: Record
) -> None:
    made = {
        each.address: record.ids[each.address]
        for each in record.plan.resources
        if type(each) is kind
    }
    found = record.found[kind.kind]
    assert {each.address: each.id for each in found} == made
    assert len(found) == len(made)
    for each in found:
        assert (each.kind, each.cluster, each.region) == (kind.kind, "dev", "us-west-2")
        assert each.strength is Strength.A
        assert each.state is State.PRESENT


@each_kind
def test_what_was_deleted_is_gone_and_deleting_it_again_is_harmless(
    kind: Kinds, record: Record
) -> None:
    assert kind.kind not in record.never_gone
    mine = {
        address: error
        for address, error in record.second_deletion.items()
        if address.startswith(f"{kind.kind}/")
    }
    assert [str(error) for error in mine.values() if not isinstance(error, NotFound)] == []


def test_the_account_is_afterwards_what_it_was_before(record: Record) -> None:
    # The one thing AWS does not let go of at once: the key, for at least a week.
    (pending,) = record.left
    assert pending.startswith("pending_deletion")


def test_kinds_can_be_deleted_in_some_order() -> None:
    first = gone_first(KINDS)
    assert {*first} == {kind.kind for kind in KINDS}
    assert {*gone_first((*KINDS, *STRAYS))} == {kind.kind for kind in (*KINDS, *STRAYS)}


def test_kinds_that_wait_for_each_other_are_an_error() -> None:
    vpc, subnet = (kind for kind in KINDS if kind.kind in {"ec2/vpc", "ec2/subnet"})
    later = type("Later", (subnet,), {"kind": "ec2/subnet", "dies_after": ("ec2/vpc",)})
    with pytest.raises(PlanError, match="wait for each other"):
        gone_first((vpc, later))

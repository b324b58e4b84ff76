from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from preflight.aws import READS, Aws
from preflight.errors import AccessDenied, Refused
from preflight.journal import Entry, Event, Journal
from preflight.plan import Plan
from preflight.resource import Failed, Resource
from provision.executor import build
from provision.life import Stop
from provision.progress import Phase, Step
from provision.resources.gateways import NatGateway
from provision.resources.kinds import KINDS

Bench = Any
DONE = {Phase.READY, Phase.ADOPTED, Phase.KEPT}
#: Where a run dies: before or after an event of the journal became durable. An ACCEPTED that was
#: never written is the worst, so it happens to every kind: AWS made it, and nobody noted the id.
POINTS = [
    ("before", Event.ACCEPTED, KINDS),
    ("after", Event.INTENT, KINDS[0::5]),
    ("after", Event.ACCEPTED, KINDS[2::5]),
    ("before", Event.READY, KINDS[4::5]),
]


class Killed(Exception):
    """The run ended here, as by a power cut."""


class Mortal(Journal):
    """A journal whose writer dies at one event, of the first kind whose turn has not come yet."""

    when: str
    event: Event
    #: The kinds at which a run died already.
    spent: set[str]

    def append(self, event: Event, address: str, *, id: str = "", **detail: Any) -> None:
        kind = address.rsplit("/", 1)[0]
        kind = next((each.kind for each in KINDS if address.startswith(f"{each.kind}/")), kind)
        dies = event is self.event and kind not in self.spent
        if dies and self.when == "before":
            self.spent.add(kind)
            raise Killed(address)
        super().append(event, address, id=id, **detail)
        if dies:
            self.spent.add(kind)
            raise Killed(address)


def mortal(bench: Bench, when: str, event: Event, spent: set[str]) -> Mortal:
    journal = Mortal(bench.journal().path)
    journal.when, journal.event, journal.spent = when, event, spent
    return journal


def ids(steps: tuple[Step, ...]) -> dict[str, str]:
    return {step.address: step.id for step in steps}


def phases(steps: tuple[Step, ...]) -> dict[str, Phase]:
    return {step.address: step.phase for step in steps}


def changes(aws: Aws) -> dict[str, int]:
    """What was asked of AWS that does not only look."""
    made = aws.calls.by_operation.items()
    return {name: n for name, n in made if not name.partition(":")[2].startswith(READS)}


def entries(bench: Bench, name: str = "dev") -> Iterator[Entry]:
    with bench.journal(name) as journal:
        yield from list(journal.entries())


def counted(bench: Bench) -> Counter[str]:
    """Count what stands at each address, by EC2's own tags and by what each kind finds."""
    aws = bench.aws()
    tags = aws.each(
        "ec2", "DescribeTags", "Tags", Filters=[{"Name": "key", "Values": ["preflight:resource"]}]
    )
    seen = Counter(tag["Value"] for tag in tags)
    for kind in KINDS:
        for found in kind.find(aws, bench.owner()):
            if not seen[found.address] or not found.kind.startswith("ec2/"):
                seen[found.address] += 1
    # What AWS lets stand beside its equal, and `find` would meet by one name.
    seen["keys in all"] = sum(
        "preflight:resource"
        in {
            tag["TagKey"] for tag in aws.each("kms", "ListResourceTags", "Tags", KeyId=key["KeyId"])
        }
        for key in aws.each("kms", "ListKeys", "Keys")
    )
    seen["query logs in all"] = len(
        list(
            aws.each("route53resolver", "ListResolverQueryLogConfigs", "ResolverQueryLogConfigs[]")
        )
    )
    return seen


def test_what_is_built_is_there_and_a_second_run_keeps_it_and_changes_nothing(
    bench: Bench,
) -> None:
    plan = bench.plan()
    first = bench.build(plan)
    assert first.complete, [step for step in first.steps if step.phase not in DONE]
    assert list(ids(first.steps)) == [resource.address for resource in plan.ordered]
    assert {step.phase for step in first.steps} == {Phase.READY}
    assert {key: n for key, n in counted(bench).items() if n != 1} == {}
    aws = bench.aws()
    second = bench.build(plan, aws)
    assert second.complete
    assert {step.phase for step in second.steps} == {Phase.KEPT}
    assert ids(second.steps) == ids(first.steps)
    assert changes(aws) == {}


def test_nothing_is_started_before_all_it_needs_is_ready(bench: Bench) -> None:
    seen: list[Step] = []
    plan = bench.plan()
    assert bench.build(plan, progress=seen.append).complete
    order = [(step.address, step.phase) for step in seen]
    for resource in plan.ordered:
        for needed in resource.needs:
            assert order.index((needed.address, Phase.READY)) < order.index(
                (resource.address, Phase.STARTED)
            )


def test_every_call_that_makes_something_was_in_the_journal_before(bench: Bench) -> None:
    plan = bench.plan(tiny=True)
    assert bench.build(plan).complete
    for resource in plan.resources:
        written = [entry.event for entry in entries(bench) if entry.address == resource.address]
        assert written == [Event.INTENT, Event.ACCEPTED, Event.READY]


@pytest.mark.parametrize(("when", "event", "kinds"), POINTS, ids=[f"{w}-{e}" for w, e, _ in POINTS])
def test_killed_at_a_point_of_every_kind_it_goes_on_with_nothing_twice_and_nothing_lost(
    bench: Bench, when: str, event: Event, kinds: tuple[type[Resource], ...]
) -> None:
    plan, aws, before = bench.plan(), bench.aws(), bench.state()
    spent = {kind.kind for kind in KINDS if kind not in kinds}
    built = None
    for _ in range(len(kinds) + 1):
        with suppress(Killed):
            built = bench.build(plan, aws, mortal(bench, when, event, spent))
            break
    unknown = {e.address for e in entries(bench) if e.event is Event.INTENT} - {
        e.address for e in entries(bench) if e.event is Event.ACCEPTED
    }
    # What the dead run had asked for at that moment died at the same point as the one it died of.
    assert spent | {address.rsplit("/", 1)[0] for address in unknown} >= {k.kind for k in KINDS}
    assert built is not None
    assert built.complete
    assert {key: n for key, n in counted(bench).items() if n != 1} == {}
    accepted = {e.address: e.id for e in entries(bench) if e.event is Event.ACCEPTED}
    assert accepted.items() <= ids(built.steps).items()
    assert bench.tear_down().complete
    assert bench.left(before) == []


def test_a_lost_journal_is_rebuilt_from_tags(bench: Bench) -> None:
    plan = bench.plan()
    first = bench.build(plan)
    for file in bench.folder.glob("dev.sqlite3*"):
        file.unlink()
    second = bench.build(plan)
    assert second.complete
    assert second.owner.incarnation == first.owner.incarnation
    assert ids(second.steps) == ids(first.steps)
    assert {key: n for key, n in counted(bench).items() if n != 1} == {}


def test_a_failure_cancels_only_what_depends_on_it(bench: Bench) -> None:
    bench.fault({"action": "ec2:AllocateAddress", "error": "AddressLimitExceeded"})
    plan = bench.plan()
    built = bench.build(plan)
    assert not built.complete
    ended = phases(built.steps)
    lost = {"ec2/elastic-ip/nat-a"}
    for resource in plan.ordered:
        if lost & {needed.address for needed in resource.needs}:
            lost.add(resource.address)
    assert {address for address, phase in ended.items() if phase not in DONE} == lost
    assert [a for a, phase in ended.items() if phase is Phase.FAILED] == ["ec2/elastic-ip/nat-a"]
    (failed,) = (step for step in built.steps if step.phase is Phase.FAILED)
    assert "AddressLimitExceeded" in failed.message
    assert "eks/nodegroup/m5-large-on-demand" in lost
    assert ended["eks/cluster/main"] is Phase.READY
    bench.fault()
    again = bench.build(plan)
    assert again.complete
    assert {a for a, phase in phases(again.steps).items() if phase is not Phase.KEPT} == lost


def test_what_only_nodes_make_ready_is_not_waited_for_when_none_will_come(bench: Bench) -> None:
    bench.fault({"action": "eks:CreateNodegroup", "error": "AccessDeniedException"})

    built = bench.build(bench.plan(addons=["vpc-cni", "coredns"]))

    ended = {step.address: step for step in built.steps}
    assert ended["eks/addon/vpc-cni"].phase is Phase.READY
    assert ended["eks/addon/coredns"].phase is Phase.FAILED
    assert "it needs eks/nodegroup/" in ended["eks/addon/coredns"].message


def test_a_denied_call_fails_at_once_and_names_the_action(bench: Bench) -> None:
    bench.fault({"action": "ec2:CreateInternetGateway", "error": "UnauthorizedOperation"})
    aws = bench.aws()
    built = bench.build(bench.plan(tiny=True), aws)
    (failed,) = (step for step in built.steps if step.phase is Phase.FAILED)
    assert failed.address == "ec2/internet-gateway/main"
    assert "allow ec2:CreateInternetGateway" in failed.message
    assert aws.calls.by_operation["ec2:CreateInternetGateway"] == 1


def test_a_denied_first_look_is_not_taken_for_an_empty_account(bench: Bench) -> None:
    bench.fault({"action": "ec2:DescribeSubnets", "error": "UnauthorizedOperation"})
    aws, plan = bench.aws(), bench.plan(tiny=True)
    with pytest.raises(AccessDenied) as denied:
        bench.build(plan, aws)
    assert denied.value.action == "ec2:DescribeSubnets"
    assert changes(aws) == {}


class Fickle(NatGateway):
    """A NAT gateway whose first one fails as AWS's do when the way out is not there yet."""

    kind = "ec2/nat-gateway"

    @classmethod
    def ready_all(cls, aws: Any, ids: Any, made: Any) -> Any:
        answers = dict(super().ready_all(aws, ids, made))
        listed = aws.each("ec2", "DescribeNatGateways", "NatGateways")
        if len(list(listed)) == 1:
            answers = dict.fromkeys(made, Failed(reason="Gateway.NotAttached: no way", again=True))
        return answers


class Hopeless(Fickle):
    """One that always fails, and always is said to be worth another try."""

    kind = "ec2/nat-gateway"

    @classmethod
    def ready_all(cls, aws: Any, ids: Any, made: Any) -> Any:
        del aws, ids
        return dict.fromkeys(made, Failed(reason="InternalError: sorry", again=True))


def with_nat(bench: Bench, kind: type[NatGateway]) -> Plan:
    """Plan a NAT gateway of another class, with all it needs and no more."""
    drawn = bench.plan(tiny=True)
    (nat,) = (each for each in drawn.ordered if isinstance(each, NatGateway))
    other = kind(name=nat.name, subnet=nat.subnet, elastic_ip=nat.elastic_ip, after=nat.after)
    kinds = {"ec2/vpc", "ec2/subnet", "ec2/internet-gateway", "ec2/elastic-ip"}
    needed = (each for each in drawn.ordered if each.kind in kinds)
    return Plan(owner=drawn.owner, resources=(*needed, other))


def test_what_is_known_to_work_at_the_second_try_is_made_once_more(bench: Bench) -> None:
    aws = bench.aws()
    built = bench.build(with_nat(bench, Fickle), aws)
    assert built.complete
    written = [e for e in entries(bench) if e.address == "ec2/nat-gateway/a"]
    assert [entry.event for entry in written] == [
        Event.INTENT,
        Event.ACCEPTED,
        Event.FAILED,
        Event.DOOMED,
        Event.INTENT,
        Event.ACCEPTED,
        Event.READY,
    ]
    first, second = (e for e in written if e.event is Event.INTENT)
    assert first.detail["token"] != second.detail["token"]
    assert len({e.id for e in written if e.event is Event.ACCEPTED}) == 2


def test_it_is_not_made_a_third_time(bench: Bench) -> None:
    aws = bench.aws()
    built = bench.build(with_nat(bench, Hopeless), aws)
    assert phases(built.steps)["ec2/nat-gateway/a"] is Phase.FAILED
    assert aws.calls.by_operation["ec2:CreateNatGateway"] == 2


def test_a_name_that_somebody_else_took_fails_soon_and_says_so(bench: Bench) -> None:
    plan = bench.plan(tiny=True)
    (template,) = (each for each in plan.ordered if each.kind == "ec2/launch-template")
    theirs = {
        "LaunchTemplateName": template.template_name,
        "LaunchTemplateData": {"EbsOptimized": True},
    }
    bench.aws().call("ec2", "CreateLaunchTemplate", **theirs)
    built = bench.build(plan)
    (failed,) = (step for step in built.steps if step.phase is Phase.FAILED)
    assert failed.address == template.address
    assert "AlreadyExists" in failed.message
    assert "nothing shows that it is this cluster's" in failed.message
    assert built.seconds < 30


def test_throttling_of_a_fifth_of_all_calls_changes_nothing_in_the_end(bench: Bench) -> None:
    plan = bench.plan()
    bench.fault({"action": "*", "error": "ThrottlingException", "probability": 0.2})
    built = bench.build(plan)
    bench.fault()
    assert built.complete, [step for step in built.steps if step.phase not in DONE]
    assert {key: n for key, n in counted(bench).items() if n != 1} == {}


def test_after_stop_nothing_new_is_started_and_what_was_sent_is_in_the_journal(
    bench: Bench,
) -> None:
    stop, started = Stop(), []

    def watch(step: Step) -> None:
        if step.phase is Phase.STARTED:
            started.append(step.address)
            stop.asked = True  # while many others are about to be started

    plan = bench.plan(tiny=True)
    built = bench.build(plan, progress=watch, stop=stop)
    assert built.interrupted
    assert not built.complete
    (sent,) = started
    written = {entry.address: entry for entry in entries(bench)}[sent]
    assert written.event in {Event.ACCEPTED, Event.READY}
    assert sent in ids(built.steps)
    assert {*phases(built.steps).values()} <= {Phase.READY, Phase.CANCELLED}
    assert bench.build(plan).complete


def test_stop_does_not_wait_for_what_only_becomes_ready(bench: Bench) -> None:
    stop = Stop()

    def watch(step: Step) -> None:
        if step.address == "ec2/nat-gateway/a" and step.phase is Phase.WAITING:
            stop.asked = True

    bench.sandbox.reset({"rates": "off"}, time_scale=1)  # a NAT gateway takes 105 seconds
    plan = bench.plan()
    built = bench.build(plan, progress=watch, stop=stop)
    assert built.interrupted
    assert built.seconds < 60
    assert phases(built.steps)["ec2/nat-gateway/a"] is Phase.CANCELLED
    assert ids(built.steps)["ec2/nat-gateway/a"].startswith("nat-")


def test_a_detector_of_the_account_is_used_and_survives_the_tear_down(bench: Bench) -> None:
    aws = bench.aws()
    theirs = aws.call("guardduty", "CreateDetector", Enable=True)["DetectorId"]
    plan = bench.plan(tiny=True, guardduty=True)
    built = bench.build(plan)
    assert built.complete
    assert phases(built.steps)["guardduty/detector/main"] is Phase.ADOPTED
    assert ids(built.steps)["guardduty/detector/main"] == theirs
    assert bench.tear_down().complete
    assert list(aws.each("guardduty", "ListDetectors", "DetectorIds")) == [theirs]


def test_an_adopted_detector_that_went_since_is_made_anew(bench: Bench) -> None:
    aws = bench.aws()
    theirs = aws.call("guardduty", "CreateDetector", Enable=True)["DetectorId"]
    plan = bench.plan(tiny=True, guardduty=True)
    assert bench.build(plan).complete
    aws.call("guardduty", "DeleteDetector", DetectorId=theirs)
    built = bench.build(plan)
    assert phases(built.steps)["guardduty/detector/main"] is Phase.READY
    (ours,) = aws.each("guardduty", "ListDetectors", "DetectorIds")
    assert ids(built.steps)["guardduty/detector/main"] == ours != theirs


def test_two_runs_do_not_build_the_same_cluster(bench: Bench) -> None:
    aws, plan = bench.aws(), bench.plan(tiny=True)
    with bench.journal() as first, bench.journal() as second:
        first.lock("alice", "1")
        with pytest.raises(Refused, match="alice is at work"):
            second.lock("bob", "2")
    assert changes(aws) == {}
    with bench.journal() as journal, bench.journal() as thief:
        journal.lock("alice", "3")
        thief.remember("fence", "9")
        thief._sql.execute("UPDATE lease SET fence = 9, holder = 'bob'")
        with pytest.raises(Refused, match="bob took this cluster over"):
            build(bench.permit(plan), aws, journal, shortest_poll=0.02)
    assert changes(aws) == {}


def test_what_stands_is_never_changed_to_other_parameters(bench: Bench) -> None:
    assert bench.build(bench.plan(tiny=True)).complete
    other = bench.plan(
        tiny=True, network={"zones": 2, "nat": "single", "endpoints": False, "cidr": "10.8.0.0/16"}
    )
    built = bench.build(other)
    assert phases(built.steps)["ec2/vpc/main"] is Phase.FAILED
    (failed,) = (step for step in built.steps if step.address == "ec2/vpc/main")
    assert "exists with other parameters" in failed.message


def test_other_parameters_are_seen_although_the_first_run_failed(bench: Bench) -> None:
    bench.fault({"action": "ec2:ModifyVpcAttribute", "error": "UnauthorizedOperation"})
    assert not bench.build(bench.plan(tiny=True)).complete
    bench.fault()
    other = bench.plan(
        tiny=True, network={"zones": 2, "nat": "single", "endpoints": False, "cidr": "10.8.0.0/16"}
    )
    built = bench.build(other)
    assert phases(built.steps)["ec2/vpc/main"] is Phase.FAILED


def test_a_cluster_that_was_deleted_is_built_anew_although_its_data_stayed(bench: Bench) -> None:
    plan = bench.plan()
    first = bench.build(plan)
    torn = bench.tear_down(choose=lambda found: found.kind != "s3/bucket")
    assert torn.complete
    second = bench.build(plan)
    assert second.complete, [str(s) for s in second.steps if s.phase not in DONE]
    same = {address for address, id in ids(first.steps).items() if ids(second.steps)[address] == id}
    assert "s3/bucket/logs" in same
    assert "ec2/nat-gateway/a" not in same
    assert "ec2/route-table/public" not in same


def test_what_was_deleted_by_hand_is_made_again(bench: Bench) -> None:
    aws, plan = bench.aws(), bench.plan(tiny=True)
    (table,) = (each for each in plan.ordered if each.address == "ec2/route-table/public")
    alone = Plan(owner=plan.owner, resources=(*table.needs, table))
    first = bench.build(alone)
    aws.call("ec2", "DeleteRouteTable", RouteTableId=ids(first.steps)[table.address])
    second = bench.build(alone)
    assert second.complete
    (found,) = aws.each("ec2", "DescribeRouteTables", "RouteTables[?Tags].RouteTableId")
    assert ids(second.steps)[table.address] == found != ids(first.steps)[table.address]


def test_nothing_is_built_over_the_remains_of_another_cluster_of_that_name(bench: Bench) -> None:
    plan = bench.plan(tiny=True)
    assert bench.build(plan).complete
    aws = bench.aws()
    with bench.journal("other") as journal:
        journal.remember("incarnation", "of-another")
        with pytest.raises(Refused, match="earlier cluster of this name"):
            build(bench.permit(plan), aws, journal, shortest_poll=0.02)
    assert changes(aws) == {}

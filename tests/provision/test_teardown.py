from __future__ import annotations

from typing import Any

import pytest

from preflight.aws import Aws
from preflight.errors import Refused
from preflight.found import Owner
from preflight.journal import Event
from provision.order import field_kinds, gone_first
from provision.progress import Phase, Step
from provision.resources.kinds import KINDS
from provision.teardown import tear_down

Bench = Any


def of(steps: tuple[Step, ...], address: str) -> Step:
    (found,) = (step for step in steps if step.address == address)
    return found


def standing(aws: Aws, owner: Owner) -> set[str]:
    return {found.address for kind in KINDS for found in kind.find(aws, owner)}


def test_all_of_one_cluster_goes_and_nothing_of_its_neighbour(bench: Bench) -> None:
    aws, before = bench.aws(), bench.state()
    assert bench.build(bench.plan("dev-2", tiny=True)).complete
    with_neighbour = bench.state()
    neighbour = standing(aws, bench.owner("dev-2"))
    assert bench.build(bench.plan("dev")).complete
    built = standing(aws, bench.owner("dev"))
    seen: list[Step] = []
    torn = bench.tear_down("dev", progress=seen.append)
    assert torn.complete, [str(step) for step in torn.steps if step.phase is not Phase.GONE]
    assert standing(aws, bench.owner("dev")) == set()
    assert standing(aws, bench.owner("dev-2")) == neighbour
    assert {step.address for step in torn.steps} <= built
    assert {step.address for step in seen if step.phase is Phase.GONE} == {
        step.address for step in torn.steps
    }
    assert bench.left(with_neighbour) == []
    assert bench.tear_down("dev-2").complete
    assert bench.left(before) == []


def test_what_guardduty_puts_into_the_network_goes_with_it(bench: Bench) -> None:
    """https://docs.aws.amazon.com/guardduty/latest/ug/runtime-monitoring-agent-resource-clean-up.html"""
    aws = bench.aws()
    agents = [{"Name": "EKS_ADDON_MANAGEMENT", "Status": "ENABLED"}]
    monitoring = {
        "Name": "RUNTIME_MONITORING",
        "Status": "ENABLED",
        "AdditionalConfiguration": agents,
    }
    aws.call("guardduty", "CreateDetector", Enable=True, Features=[monitoring])
    assert bench.build(bench.plan(tiny=True)).complete
    bench.sandbox.world.clock.advance(300)
    assert len(aws.call("ec2", "DescribeVpcEndpoints")["VpcEndpoints"]) == 1
    seen: list[Step] = []
    torn = bench.tear_down(progress=seen.append)
    assert torn.complete, [str(step) for step in torn.steps if step.phase is not Phase.GONE]
    assert standing(aws, bench.owner()) == set()
    assert {"ec2/guardduty-endpoint", "ec2/guardduty-security-group"} <= {
        step.address.rpartition("/")[0] for step in torn.steps
    }
    assert aws.call("ec2", "DescribeVpcEndpoints")["VpcEndpoints"] == []
    endpoint_gone = next(
        number
        for number, step in enumerate(seen)
        if step.address.startswith("ec2/guardduty-endpoint/") and step.phase is Phase.GONE
    )
    asked = [step.address for step in seen[:endpoint_gone] if step.phase is Phase.DELETING]
    assert not any(address.startswith(("ec2/subnet/", "ec2/vpc/")) for address in asked)


def test_nothing_is_asked_to_go_before_what_must_be_gone_first(bench: Bench) -> None:
    assert bench.build(bench.plan()).complete
    seen: list[Step] = []
    assert bench.tear_down(progress=seen.append).complete
    kind_of = {
        step.address: next(k for k in KINDS if step.address.startswith(f"{k.kind}/"))
        for step in seen
    }
    for number, step in enumerate(seen):
        if step.phase is not Phase.DELETING:
            continue
        gone_before = {each.address for each in seen[:number] if each.phase is Phase.GONE}
        first = gone_first(KINDS)[kind_of[step.address].kind]
        must = {address for address, kind in kind_of.items() if kind.kind in first}
        assert must <= gone_before, (step.address, must - gone_before)


def test_the_order_follows_from_fields_and_from_what_kinds_say() -> None:
    first = gone_first(KINDS)
    by_name = {kind.__name__: kind for kind in KINDS}
    for kind in KINDS:
        assert first[kind.kind] >= {*kind.dies_after} & {*first}
        for needed in field_kinds(kind, by_name) - {*kind.outlives, kind.kind}:
            if kind.dies_with is None:
                assert kind.kind in first[needed]


def test_what_somebody_else_holds_is_told_with_the_reason_of_aws_and_the_rest_goes(
    bench: Bench,
) -> None:
    built = bench.build(bench.plan(tiny=True))
    ids = {step.address: step.id for step in built.steps}
    aws = bench.aws()
    theirs = aws.call("ec2", "CreateNetworkInterface", SubnetId=ids["ec2/subnet/private-a"])[
        "NetworkInterface"
    ]["NetworkInterfaceId"]
    torn = bench.tear_down()
    assert not torn.complete
    subnet, vpc = of(torn.steps, "ec2/subnet/private-a"), of(torn.steps, "ec2/vpc/main")
    assert subnet.phase is Phase.BLOCKED
    assert "has dependencies and cannot be deleted" in subnet.message
    assert vpc.phase is Phase.BLOCKED
    assert "ec2/subnet" in vpc.message
    assert "has dependencies and cannot be deleted" in vpc.message
    assert of(torn.steps, "ec2/subnet/private-b").phase is Phase.GONE
    assert of(torn.steps, "eks/cluster/main").phase is Phase.GONE
    assert standing(aws, bench.owner()) & {"eks/cluster/main", "ec2/nat-gateway/a"} == set()
    aws.call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=theirs)
    again = bench.tear_down()
    assert again.complete
    assert standing(aws, bench.owner()) == set()


def test_once_more_is_harmless_and_asks_for_nothing(bench: Bench) -> None:
    assert bench.build(bench.plan(tiny=True)).complete
    assert bench.tear_down().complete
    aws = bench.aws()
    torn = bench.tear_down(aws=aws)
    assert torn.complete
    assert torn.steps == ()
    declared = {action.name for kind in KINDS for action in kind.finds}
    assert aws.calls.actions <= declared


def test_a_denied_deletion_fails_and_names_the_action(bench: Bench) -> None:
    assert bench.build(bench.plan(tiny=True)).complete
    bench.fault({"action": "ec2:DeleteRouteTable", "error": "UnauthorizedOperation"})
    aws = bench.aws()
    torn = bench.tear_down(aws=aws)
    assert not torn.complete
    failed = [step for step in torn.steps if step.phase is Phase.FAILED]
    assert {step.address.rsplit("/", 1)[0] for step in failed} == {"ec2/route-table"}
    assert all("allow ec2:DeleteRouteTable" in step.message for step in failed)
    assert aws.calls.by_operation["ec2:DeleteRouteTable"] == len(failed)
    assert of(torn.steps, "ec2/vpc/main").phase is Phase.BLOCKED
    assert of(torn.steps, "eks/cluster/main").phase is Phase.GONE
    with bench.journal() as journal:
        last = journal.latest()
    assert all(last[step.address].event is Event.FAILED for step in failed)
    bench.fault()
    assert bench.tear_down().complete


@pytest.mark.parametrize("after", [0, 1], ids=["the-first-look", "a-later-look"])
def test_a_look_that_is_denied_is_never_taken_for_gone(bench: Bench, after: int) -> None:
    assert bench.build(bench.plan(tiny=True)).complete
    seen: list[Step] = []

    def watch(step: Step) -> None:
        seen.append(step)
        if after and step.address == "ec2/vpc/main" and step.phase is Phase.DELETING:
            deny()

    def deny() -> None:
        bench.fault({"action": "ec2:DescribeVpcs", "error": "UnauthorizedOperation"})

    if not after:
        deny()
    torn = bench.tear_down(progress=watch)
    assert not torn.complete
    (blind,) = (step for step in torn.steps if step.address.startswith("ec2/vpc"))
    assert blind.phase is Phase.FAILED
    assert "could not look" in blind.message
    assert "allow ec2:DescribeVpcs" in blind.message
    assert blind in seen
    assert not any(step.phase is Phase.GONE and step.address == "ec2/vpc/main" for step in seen)


def test_what_depends_on_a_kind_nobody_could_look_at_stays(bench: Bench) -> None:
    assert bench.build(bench.plan(tiny=True, encryption=True)).complete
    bench.fault(
        {"action": "eks:ListClusters", "error": "AccessDeniedException"},
        {"action": "eks:DescribeCluster", "error": "AccessDeniedException"},
    )
    torn = bench.tear_down()
    assert not torn.complete
    assert of(torn.steps, "kms/key/secrets").phase is Phase.BLOCKED
    bench.fault()
    assert "kms/key/secrets" in standing(bench.aws(), bench.owner())


def test_what_is_not_chosen_stays(bench: Bench) -> None:
    assert bench.build(bench.plan(tiny=True, buckets=["artifacts"])).complete
    kept = {kind.kind for kind in KINDS if kind.holds_data}
    assert bench.tear_down(choose=lambda found: found.kind not in kept).complete
    assert standing(bench.aws(), bench.owner()) == {"s3/bucket/artifacts"}


def test_a_tear_down_ends_when_somebody_else_takes_the_cluster_over(bench: Bench) -> None:
    assert bench.build(bench.plan(tiny=True)).complete
    with bench.journal() as journal, bench.journal() as thief:
        journal.lock("alice", "1")

        def steal(step: Step) -> None:
            if step.address == "eks/nodegroup/m5-large-on-demand" and step.phase is Phase.GONE:
                thief._sql.execute("UPDATE lease SET fence = 9, holder = 'bob'")

        with pytest.raises(Refused, match="bob took this cluster over"):
            tear_down(
                bench.aws(), bench.owner(), KINDS, journal, progress=steal, shortest_poll=0.02
            )
    assert "eks/cluster/main" in standing(bench.aws(), bench.owner())


def test_doomed_is_written_before_and_gone_after(bench: Bench) -> None:
    assert bench.build(bench.plan(tiny=True)).complete
    assert bench.tear_down().complete
    with bench.journal() as journal:
        written = [e.event for e in journal.entries() if e.address == "eks/cluster/main"]
    assert written[-2:] == [Event.DOOMED, Event.GONE]

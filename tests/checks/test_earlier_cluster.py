"""What an earlier cluster of the same name left."""

from __future__ import annotations

from typing import Any

from checks.earlier_cluster import earlier_cluster
from preflight.finding import Status


def leave_volume(bench: Any, cluster: str) -> str:
    key = f"kubernetes.io/cluster/{cluster}"
    made = bench.aws().call(
        "ec2",
        "CreateVolume",
        AvailabilityZone="us-west-2a",
        Size=8,
        TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": key, "Value": "owned"}]},
        ],
    )
    return str(made["VolumeId"])


def test_an_account_that_never_had_it_passes(bench: Any) -> None:
    leave_volume(bench, "dev-2")

    assert bench.statuses(earlier_cluster, bench.context()) == {"cluster dev": Status.PASS}


def test_what_is_left_is_a_warning_that_counts_it_and_names_the_scan(bench: Any) -> None:
    id = leave_volume(bench, "dev")

    found = bench.ask(earlier_cluster, bench.context())["cluster dev"]

    assert found.status is Status.WARN
    assert "1 ec2 volume" in found.message
    assert "`preflight scan dev --region us-west-2`" in found.hint
    assert [arn.rpartition("/")[2] for arn in found.data["arns"]] == [id]


def test_the_name_in_eks_is_looked_for_where_it_is_another_one(bench: Any) -> None:
    context = bench.context(name="team.a")
    leave_volume(bench, context.plan.owner.eks_name)

    assert bench.statuses(earlier_cluster, context) == {"cluster team.a": Status.WARN}


def test_tags_that_may_not_be_read_are_unknown(bench: Any) -> None:
    context = bench.context()
    bench.deny("tag:GetResources")

    found = bench.ask(earlier_cluster, context)["earlier-cluster"]

    assert found.status is Status.UNKNOWN
    assert found.data["missing_action"] == "tag:GetResources"


def test_the_caller_looks_where_the_role_may_not(bench: Any) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    no_tags = {"Effect": "Deny", "Action": "tag:*", "Resource": "*"}
    bench.begin(principals=[bench.role("builder", everything, no_tags)])
    leave_volume(bench, "dev")
    role = "arn:aws:iam::111122223333:role/builder"
    caller = bench.aws()
    context = bench.context(caller.assume(role), caller, role_arn=role)

    assert bench.statuses(earlier_cluster, context) == {"cluster dev": Status.WARN}

"""A cluster is built and torn down in an account that lags behind itself as AWS does."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from preflight import facts, spec
from preflight.aws import Aws
from preflight.found import Owner
from preflight.gate import Verdict
from preflight.journal import Journal
from preflight.sandbox.account.snapshot import difference, snapshot
from preflight.sandbox.agenda import agenda
from preflight.sandbox.server import Sandbox
from provision.blueprint import draw
from provision.executor import build
from provision.resources.kinds import KINDS
from provision.strays.kinds import STRAYS
from provision.sweeper import sweep
from provision.teardown import tear_down

# The lags are long beside the pause between two calls. Once the cluster is under way, what takes
# minutes is made to take less by moving the clock at each look at it.
SCALE, JUMP = 4.0, 100.0
SLOW = frozenset({"DescribeCluster", "DescribeNodegroup", "DescribeNatGateways"})
LAGS = {
    "iam_propagation": {"min": 15, "max": 25},
    "describe_lag": {"min": 2, "max": 5},
    "tag_index_lag": 60,
}
WANTED: dict[str, Any] = {
    "name": "dev",
    "instance_types": [{"type": "m5.large", "capacity": ["on-demand"]}],
    "network": {"zones": 2, "nat": "single", "endpoints": False},
    "addons": ["vpc-cni"],
    "buckets": [],
    "repositories": [],
    "encryption": False,
    "logging": False,
    "oidc": False,
    "interruption_queue": False,
    "notifications": False,
    "resolver_query_logging": False,
    "guardduty": False,
}


@contextmanager
def hurrying(sandbox: Sandbox) -> Iterator[None]:
    """Move the clock at each look at what is slow, once there is a cluster."""
    before = len(sandbox.world.calls)
    over = threading.Event()

    def hurry() -> None:
        seen = before
        while not over.wait(0.02):
            calls = list(sandbox.world.calls)
            begun = any(c["operation"] == "CreateCluster" and not c["error"] for c in calls)
            looks = sum(call["operation"] in SLOW for call in calls[seen:])
            seen = len(calls)
            sandbox.world.clock.advance(JUMP * looks if begun else 0)

    thread = threading.Thread(target=hurry)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_cluster_is_built_and_torn_down_although_nothing_is_known_at_once(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.reset({"rates": "off", "consistency": LAGS}, time_scale=SCALE)
    before = snapshot(sandbox.world)
    session = boto3.Session(
        sandbox.access_key_id, sandbox.secret_access_key, region_name=sandbox.region
    )
    aws = Aws(sandbox.region, session=session)
    asked = spec.from_mapping({**WANTED, "region": sandbox.region})
    plan = draw(asked, facts.look(aws, tuple(each.type for each in asked.instance_types)))
    with Journal(tmp_path / "dev.sqlite3") as journal:
        permit = Verdict(plan=plan.digest, findings=()).permit(plan)
        with hurrying(sandbox):
            built = build(permit, aws, journal, shortest_poll=0.02)
        assert built.complete, built.steps
        owner = Owner(cluster="dev", account=sandbox.account, region=sandbox.region)
        # What is made has settled, so that what is told of after its deletion shows.
        sandbox.world.clock.advance(LAGS["tag_index_lag"])
        end = len(sandbox.world.calls)
        with hurrying(sandbox):
            torn = tear_down(aws, owner, KINDS, journal, shortest_poll=0.02)
            left = sweep(aws, owner, (*KINDS, *STRAYS))
    assert torn.complete, torn.steps
    assert left.complete, left.coverage
    assert left.leftovers == ()
    # NAT gateways are shown for an hour more.
    sandbox.world.clock.advance(3600)
    agenda(sandbox.world).catch_up()
    assert difference(before, snapshot(sandbox.world)) == []
    ended = Counter(one["operation"] for one in [*sandbox.world.calls][end:] if not one["error"])
    assert (ended["DeleteVpc"], ended["DeleteCluster"], ended["DeleteNodegroup"]) == (1, 1, 1)
    refused = Counter(one["error"] for one in sandbox.world.calls if one["error"])
    # Else the test would show nothing: EC2 was asked too soon, and IAM's word was waited for.
    assert any(code.endswith(".NotFound") for code in refused), refused
    assert refused["InvalidParameterException"] + refused["MalformedPolicyDocumentException"] > 0
    made = Counter(one["operation"] for one in sandbox.world.calls if not one["error"])
    assert (made["CreateVpc"], made["CreateCluster"], made["CreateNodegroup"]) == (1, 1, 1)

"""How many decisions a second the policy evaluator makes: at least 20,000 are wanted.

The policies are what `preflight permissions` writes for one cluster, beside a boundary and two
levels of service control policies; the requests are all that its plan does. Seconds are those of
the processor: other work on the machine does not count.

    python benchmarks/policy.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from preflight import spec
from preflight.cli.asked import Asked
from preflight.cli.needs import drawn, least_of
from preflight.found import CLUSTER_TAG
from preflight.policy import Context, Decision, Policy, Principal, Request, evaluate

WANTED = 20_000
SECONDS = 2.0
BUILDER = Principal(arn="arn:aws:iam::111122223333:role/builder")
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ALLOW_ALL = {"Version": "2012-10-17", "Statement": [ALLOW]}
ANYBODY = {"Version": "2012-10-17", "Statement": [{**ALLOW, "Principal": {"AWS": "*"}}]}


def main() -> int:
    """Print the rates; 1 when any is too low."""
    plan = drawn(
        spec.from_mapping({"name": "dev", "region": "us-west-2", "account": "111122223333"}),
        Asked(),
    )
    least = least_of(plan)
    tags = {f"aws:RequestTag/{CLUSTER_TAG}": "dev", f"aws:ResourceTag/{CLUSTER_TAG}": "dev"}
    requests = [
        Request(
            action=action.name,
            principal=BUILDER,
            resource=arn,
            context=Context.of({"aws:RequestedRegion": "us-west-2", **tags, **action.context}),
        )
        for action in plan.actions
        for arn in action.on
    ]
    began = time.process_time()
    generated = [Policy.parse(document) for document in least.policies.values()]
    for request in requests:
        evaluate(request, identity=generated)
    cold = time.process_time() - began
    everything = Policy.parse(ALLOW_ALL)
    boundary = Policy.parse(least.boundary)
    governed: dict[str, Any] = {"boundary": boundary, "scps": [[everything]] * 2}
    resource = Policy.parse(ANYBODY)
    rates = {
        "one policy that allows everything": _rate(requests, identity=[everything]),
        "the generated policies": _rate(requests, identity=generated),
        "with their boundary and two levels of SCPs": _rate(
            requests, identity=generated, **governed
        ),
        "with a session policy and a resource policy, too": _rate(
            requests, identity=generated, session=[everything], resource=resource, **governed
        ),
    }
    count = sum(len(policy.statements) for policy in generated)
    print(f"{len(requests)} requests, {len(generated)} policies of {count} statements")
    print(f"read and asked for the first time: {cold * 1000:.0f} ms")
    for name, rate in rates.items():
        print(f"{rate:>10,.0f} decisions/s  {rate / WANTED:>4.1f} x what is wanted  {name}")
    return 0 if min(rates.values()) >= WANTED else 1


def _rate(requests: list[Request], **policies: Any) -> float:
    judge: Callable[..., Decision] = evaluate
    for request in requests:
        decision = judge(request, **policies)
        assert decision.allowed, decision.explanation
    made, began = 0, time.process_time()
    while time.process_time() - began < SECONDS:
        for request in requests:
            judge(request, **policies)
        made += len(requests)
    return made / (time.process_time() - began)


if __name__ == "__main__":
    sys.exit(main())

"""How many decisions a second the policy evaluator makes: at least 20,000 are wanted.

The policies are what `preflight permissions` writes for one cluster, beside a boundary and two
levels of service control policies; the requests are all that its plan does.

    python benchmarks/policy.py
"""

from __future__ import annotations

import sys
import time

from preflight import spec
from preflight.cli.asked import Asked
from preflight.cli.needs import drawn, least_of
from preflight.found import CLUSTER_TAG
from preflight.policy import Context, Policy, Principal, Request, evaluate

WANTED = 20_000
SECONDS = 3.0
ALLOW_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def main() -> int:
    """Print the rates; 1 when any is too low."""
    plan = drawn(
        spec.from_mapping({"name": "dev", "region": "us-west-2", "account": "111122223333"}),
        Asked(),
    )
    least = least_of(plan)
    builder = Principal(arn="arn:aws:iam::111122223333:role/builder")
    tags = {f"aws:RequestTag/{CLUSTER_TAG}": "dev", f"aws:ResourceTag/{CLUSTER_TAG}": "dev"}
    requests = [
        Request(
            action=action.name,
            principal=builder,
            resource=arn,
            context=Context.of({"aws:RequestedRegion": "us-west-2", **tags, **action.context}),
        )
        for action in plan.actions
        for arn in action.on
    ]
    generated = [Policy.parse(document) for document in least.policies.values()]
    everything = Policy.parse(ALLOW_ALL)
    boundary = Policy.parse(least.boundary)
    rates = {
        "one policy that allows everything": _rate(requests, [everything], None, levels=0),
        "the generated policies": _rate(requests, generated, None, levels=0),
        "with their boundary and two levels of SCPs": _rate(
            requests, generated, boundary, levels=2
        ),
    }
    count = sum(len(policy.statements) for policy in generated)
    print(f"{len(requests)} requests, {len(generated)} policies of {count} statements")
    for name, rate in rates.items():
        print(f"{rate:>10,.0f} decisions/s  {name}")
    return 0 if min(rates.values()) >= WANTED else 1


def _rate(
    requests: list[Request], identity: list[Policy], boundary: Policy | None, *, levels: int
) -> float:
    scps = [[Policy.parse(ALLOW_ALL)]] * levels
    made, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        for request in requests:
            decision = evaluate(request, identity=identity, boundary=boundary, scps=scps)
            assert decision.allowed, decision.explanation
        made += len(requests)
    return made / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())

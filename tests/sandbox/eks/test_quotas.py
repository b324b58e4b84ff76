"""The quotas of EKS, in its own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Account = Any
Refusal = Any


def test_the_quotas_of_eks_hold(
    new_account: Callable[[], Account], sandbox: Any, refusal: Refusal
) -> None:
    at = {"service": "eks", "region": "us-west-2"}
    quotas = [
        {**at, "code": "L-1194D53C", "applied": 1},
        {**at, "code": "L-6D54EA21", "applied": 1},
        {**at, "code": "L-BD136A63", "applied": 2},
    ]
    sandbox.reset({"rates": "off", "quotas": quotas})
    account = new_account()
    account.cluster()
    small = {"minSize": 0, "maxSize": 2, "desiredSize": 0}
    codes = [
        refusal(account.create, name="second")[0],
        refusal(account.create_nodes)[0],
        account.create_nodes(scalingConfig=small)["status"],
        refusal(account.create_nodes, name="second", scalingConfig=small)[0],
    ]
    exceeded = "ResourceLimitExceededException"
    assert codes == [exceeded, exceeded, "CREATING", exceeded]

"""Clusters in the state that the sandbox tells."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

Account = Any


def test_the_state_of_the_sandbox_tells_of_clusters(account: Account) -> None:
    account.cluster()
    with urllib.request.urlopen(f"{account.sandbox.endpoint}/_sandbox/state") as answer:  # noqa: S310
        text = answer.read().decode()
    assert json.loads(text)
    assert '"arn:aws:eks:us-west-2:111122223333:cluster/prod"' in text

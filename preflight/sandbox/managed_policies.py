"""AWS's own IAM policies: read once for a process, and copied into each account.

moto parses all 1,500 documents each time it makes an IAM backend, which takes longer than
everything else that a fresh account needs.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import Any


def read_once() -> None:
    """Let moto make IAM backends that copy the policies; call before it makes the first."""
    from moto.iam.models import iam_backends

    iam_backends.backend = _backend_class()


@cache
def _backend_class() -> type[Any]:
    from moto.iam.models import IAMBackend

    read: dict[tuple[str, str], list[Any]] = {}

    class CopyingIamBackend(IAMBackend):
        """moto's backend, quicker to begin with."""

        # By its name moto finds the URLs that belong to a backend.
        __module__ = IAMBackend.__module__

        def _init_aws_policies(self) -> list[Any]:
            key = (self.account_id, self.region_name)
            if key not in read:
                read[key] = super()._init_aws_policies()
            return [_fresh(policy) for policy in read[key]]

    return CopyingIamBackend


def _fresh(policy: Any) -> Any:
    """Copy all that a request could change in one account."""
    fresh = copy.copy(policy)
    fresh.tags = dict(policy.tags)
    fresh.versions = [copy.copy(version) for version in policy.versions]
    return fresh

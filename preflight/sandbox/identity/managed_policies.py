"""AWS's own IAM policies: read once for a process, and as good as new in each account.

moto parses all 1,500 documents each time it makes an IAM backend, which takes longer than
everything else that a fresh account needs.
"""

from __future__ import annotations

from functools import cache
from typing import Any


def read_once() -> None:
    """Let moto make IAM backends that read the policies once; call before it makes the first."""
    from moto.iam.models import iam_backends

    iam_backends.backend = _backend_class()


@cache
def _backend_class() -> type[Any]:
    from moto.iam.models import IAMBackend

    read: dict[tuple[str, str], list[_Policy]] = {}

    class ReadOnceIamBackend(IAMBackend):
        """moto's backend, quicker to begin with."""

        # By its name moto finds the URLs that belong to a backend.
        __module__ = IAMBackend.__module__

        def _init_aws_policies(self) -> list[Any]:
            """Take the policies of the account's last backend: moto keeps one at a time."""
            key = (self.account_id, self.region_name)
            if key not in read:
                read[key] = [_Policy(policy) for policy in super()._init_aws_policies()]
            return [policy.as_new() for policy in read[key]]

    return ReadOnceIamBackend


class _Policy:
    """A policy of moto's, and what it was before anybody used it."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy
        self._was = dict(vars(policy))
        self._versions = [(version, dict(vars(version))) for version in policy.versions]

    def as_new(self) -> Any:
        """Undo what requests have done to it."""
        vars(self._policy).update(self._was)
        self._policy.tags = {}
        self._policy.versions = [version for version, _ in self._versions]
        for version, was in self._versions:
            vars(version).update(was)
        return self._policy

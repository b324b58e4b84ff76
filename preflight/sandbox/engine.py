"""The one place that starts, resets and looks into moto.

moto keeps its state in module globals, one for the whole process. So one process holds one
sandbox at a time: starting a second one while the first runs is refused, and each start begins
with an empty moto.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

from preflight.sandbox import models

# Read by moto when a backend is made. Without the first no arn:aws:iam::aws:policy/* exists; with
# default images some 1,300 snapshots would belong to the account.
SWITCHES = {
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    "MOTO_DISABLE_GLOBAL_CORS": "true",
}
# Would send every request to this account, whoever signs it.
OVERRIDES = ("MOTO_ACCOUNT_ID",)

# Services of which moto keeps one backend for all Regions, under the name of the partition.
GLOBAL_SERVICES = frozenset(
    {"account", "budgets", "ce", "cloudfront", "iam", "organizations", "route53", "s3", "sts"}
)

_taken = threading.Lock()


def take() -> None:
    """Claim moto's state for one sandbox; raises RuntimeError when another one has it."""
    if not _taken.acquire(blocking=False):
        raise RuntimeError("another sandbox runs in this process: moto holds state for one only")
    os.environ.update(SWITCHES)
    for name in OVERRIDES:
        os.environ.pop(name, None)


def release() -> None:
    """Give moto's state back."""
    _taken.release()


def application() -> Any:
    """Make moto's WSGI application; call after `take`."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from preflight.sandbox.identity import managed_policies

    managed_policies.read_once()
    _track_nothing()
    return DomainDispatcherApplication(create_backend_app)


def _track_nothing() -> None:
    """Let moto forget what is deleted: for its dashboard it keeps every object it ever made.

    Its S3 closed the files of old versions by that list alone; now each closes its own as it goes.
    """
    from moto.core.common_models import BaseModel
    from moto.s3.models import FakeKey

    model: Any = BaseModel
    model.__new__ = staticmethod(lambda kind, *_, **__: object.__new__(kind))
    version: Any = FakeKey
    version.__del__ = version.dispose


def reset() -> None:
    """Forget everything in moto.

    Like moto's own reset, without first making every backend anew only to drop it: with AWS's
    managed policies that takes longer than most tests.
    """
    from moto.core.base_backend import BackendDict, BaseBackend
    from moto.core.model_instances import reset_model_data

    registry: Any = BackendDict
    for backends in registry._instances:  # noqa: SLF001 - moto offers no other list
        for of_account in list(backends.values()):
            for state in list(of_account.values()):
                if type(state).reset is not BaseBackend.reset:
                    state.reset()
        backends.clear()
    registry._instances.clear()  # noqa: SLF001
    reset_model_data()


def backend(service: str, account: str, region: str) -> Any:
    """Give moto's backend object of a service, made if it is not there yet."""
    return _backends(service)[account][region]


@cache
def _backends(service: str) -> Any:
    """Import moto's part for a service when it is first needed: all of them take many seconds."""
    from moto.backends import get_backend

    with models.reading(), models.sharing():
        if service == "ec2":
            from preflight.sandbox.ec2 import filters, instances

            filters.install()
            instances.install()
        return get_backend(service)  # type: ignore[call-overload]


def backends_in_use(account: str) -> Iterator[tuple[str, str, Any]]:
    """Yield service, Region and backend of all that was used in an account so far."""
    from moto.core.base_backend import BackendDict

    registry: Any = BackendDict
    instances: list[Any] = list(registry._instances)  # noqa: SLF001 - moto offers no other list
    for backends in instances:
        if account in list(backends.keys()):
            for region, state in list(backends[account].items()):
                yield backends.service_name, region, state

"""Check, build, tear down and sweep an EKS cluster in an AWS account that somebody pays for.

This is the only public name: a plugin imports from `preflight`, and from nowhere else.

    from preflight import Answer, Check, Context, Status, check
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from preflight.version import __version__

if TYPE_CHECKING:
    from preflight.actions import Action
    from preflight.aws import Aws
    from preflight.check import Answer, Check, Context, check
    from preflight.errors import AccessDenied, AwsError, PreflightError
    from preflight.finding import Coverage, Finding, LeftoverStatus, Severity, Status
    from preflight.found import Found, Owner
    from preflight.gate import Permit, Verdict
    from preflight.plan import Plan
    from preflight.quota import Demand, Quota
    from preflight.resource import Kind, Resource
    from preflight.spec import ClusterSpec

__all__ = [
    "AccessDenied",
    "Action",
    "Answer",
    "Aws",
    "AwsError",
    "Check",
    "ClusterSpec",
    "Context",
    "Coverage",
    "Demand",
    "Finding",
    "Found",
    "Kind",
    "LeftoverStatus",
    "Owner",
    "Permit",
    "Plan",
    "PreflightError",
    "Quota",
    "Resource",
    "Severity",
    "Status",
    "Verdict",
    "__version__",
    "check",
]

#: Where each public name lives; loaded when it is first used, so that `--help` stays fast.
_HOMES = {
    "actions": ("Action",),
    "aws": ("Aws",),
    "check": ("Answer", "Check", "Context", "check"),
    "errors": ("AccessDenied", "AwsError", "PreflightError"),
    "finding": ("Coverage", "Finding", "LeftoverStatus", "Severity", "Status"),
    "gate": ("Permit", "Verdict"),
    "plan": ("Plan",),
    "quota": ("Demand", "Quota"),
    "resource": ("Found", "Kind", "Owner", "Resource"),
    "spec": ("ClusterSpec",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"preflight.{module}"), name)
    raise AttributeError(f"module 'preflight' has no attribute {name!r}")


class _Package(ModuleType):
    """Keeps `preflight.check` the decorator: importing the module of that name would replace it."""

    @property
    def check(self) -> Any:
        """The decorator that makes a Check of a function."""
        return import_module("preflight.check").check

    @check.setter
    def check(self, module: ModuleType) -> None:
        """Let the import system name the submodule, to no effect."""


sys.modules[__name__].__class__ = _Package

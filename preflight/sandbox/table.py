"""Which module contributes what, in the order it applies: the sandbox's one table of contents.

To add a file: write one of the five constants in it (see preflight/sandbox/pipeline.py) and its
name into MODULES.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from preflight.sandbox.request import Request, Response

Key = tuple[str, str]
Authoriser = Callable[[Request], None]
Rule = Callable[[Request], None]
Operation = Callable[[Request], Mapping[str, Any] | Response]
View = Callable[[Request], AbstractContextManager[None]]
Effect = Callable[[Request, Response], Mapping[str, Any] | None]

MODULES: tuple[str, ...] = (
    "preflight.sandbox.account.regions",
    "preflight.sandbox.account.organization",
    "preflight.sandbox.identity.iam",
    "preflight.sandbox.identity.service_linked",
    "preflight.sandbox.identity.boundaries",
    "preflight.sandbox.identity.authorise",
    "preflight.sandbox.identity.denial",
    "preflight.sandbox.identity.simulate",
    "preflight.sandbox.identity.sts",
    "preflight.sandbox.quotas.operations",
    "preflight.sandbox.quotas.limits",
    "preflight.sandbox.quotas.ceilings",
    "preflight.sandbox.quotas.more_ceilings",
    "preflight.sandbox.quotas.network_ceilings",
    "preflight.sandbox.ec2.capacity",
    "preflight.sandbox.services.parameters",
    "preflight.sandbox.ec2.network",
    "preflight.sandbox.ec2.lists",
    "preflight.sandbox.ec2.images",
    "preflight.sandbox.services.buckets",
    "preflight.sandbox.identity.lists",
    "preflight.sandbox.ec2.instances",
    "preflight.sandbox.ec2.spot",
    "preflight.sandbox.ec2.reservations",
    "preflight.sandbox.ec2.lifecycle",
    "preflight.sandbox.ec2.endpoints",
    "preflight.sandbox.ec2.tokens",
    "preflight.sandbox.identity.permissions_lag",
    "preflight.sandbox.identity.propagation",
    "preflight.sandbox.identity.instance_profiles",
    "preflight.sandbox.identity.key_policies",
    "preflight.sandbox.ec2.describe_lag",
    "preflight.sandbox.ec2.lingering",
    "preflight.sandbox.ec2.reserved_tags",
    "preflight.sandbox.ec2.dependencies",
    "preflight.sandbox.ec2.in_use",
    "preflight.sandbox.ec2.group_associations",
    "preflight.sandbox.ec2.placement_groups",
    "preflight.sandbox.eks.operations",
    "preflight.sandbox.eks.quotas",
    "preflight.sandbox.services.events",
    "preflight.sandbox.services.tagging",
    "preflight.sandbox.services.aftermath",
    "preflight.sandbox.services.event_rules",
    "preflight.sandbox.services.guardduty",
    "preflight.sandbox.services.hosted_zones",
    "preflight.sandbox.services.iam_conflicts",
    "preflight.sandbox.services.kms_keys",
    "preflight.sandbox.services.linked_roles",
    "preflight.sandbox.services.load_balancers",
    "preflight.sandbox.services.scaling_groups",
    "preflight.sandbox.services.resolver",
    "preflight.sandbox.services.resolver_endpoints",
    "preflight.sandbox.account.remains",
)


class Table:
    """The contributions of all modules, looked up by (service, operation).

    `*` as operation, or as both, stands for all; the general ones come before the special ones,
    and within that the order of MODULES holds. Two modules owning one operation is an error.
    """

    def __init__(self, modules: Iterable[Any]) -> None:
        self.authorisers: list[Authoriser] = []
        self._operations: dict[Key, Operation] = {}
        self._rules: dict[Key, list[Rule]] = {}
        self._views: dict[Key, list[View]] = {}
        self._effects: dict[Key, list[Effect]] = {}
        for module in modules:
            self._add(module)

    def _add(self, module: Any) -> None:
        self.authorisers.extend(getattr(module, "AUTHORISERS", ()))
        for key, operation in getattr(module, "OPERATIONS", {}).items():
            if key in self._operations:
                raise ValueError(f"{module.__name__} adds {key[0]}:{key[1]} a second time")
            self._operations[key] = operation
        for key, rule in getattr(module, "RULES", {}).items():
            self._rules.setdefault(key, []).append(rule)
        for key, view in getattr(module, "VIEWS", {}).items():
            self._views.setdefault(key, []).append(view)
        for key, effect in getattr(module, "EFFECTS", {}).items():
            self._effects.setdefault(key, []).append(effect)

    def operation(self, service: str, operation: str) -> Operation | None:
        """Give the sandbox's own implementation, or None when moto answers."""
        return self._operations.get((service, operation))

    def rules(self, service: str, operation: str) -> list[Rule]:
        """Give what may refuse the request before it is carried out."""
        return _matching(self._rules, service, operation)

    def views(self, service: str, operation: str) -> list[View]:
        """Give what the request sees in place of the account as it is."""
        return _matching(self._views, service, operation)

    def effects(self, service: str, operation: str) -> list[Effect]:
        """Give what follows a successful request."""
        return _matching(self._effects, service, operation)


def _matching(entries: Mapping[Key, list[Any]], service: str, operation: str) -> list[Any]:
    keys = (("*", "*"), (service, "*"), (service, operation))
    return [entry for key in keys for entry in entries.get(key, ())]


def build() -> Table:
    """Import every module of MODULES and collect what they contribute."""
    return Table(importlib.import_module(name) for name in MODULES)

"""The plan: the ordered resources of one cluster, and all that follows from them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from preflight.actions import Action
from preflight.errors import PlanError
from preflight.found import Owner
from preflight.names import NameRule
from preflight.price import Charge, Total, add_up
from preflight.quota import Key, total
from preflight.resource import Resource


@dataclass(frozen=True, kw_only=True)
class Name:
    """A physical name that the plan will use."""

    address: str
    rule: NameRule
    value: str


@dataclass(frozen=True)
class Plan:
    """What one owner wants: `resources` in any order, `ordered` in the order of building.

    `also` are actions that no planned resource needs, such as the looks for what others leave
    behind: they have to be allowed before anything is made, too.
    """

    owner: Owner
    resources: tuple[Resource, ...]
    also: tuple[Action, ...] = ()

    @cached_property
    def ordered(self) -> tuple[Resource, ...]:
        """Every resource after all it needs, the same for the same resources in any order.

        Raises `PlanError` on a cycle, on two resources of one address, and on a dependency that is
        not part of the plan.
        """
        by_address = {resource.address: resource for resource in self.resources}
        if len(by_address) != len(self.resources):
            count = Counter(resource.address for resource in self.resources)
            twice = sorted(address for address, times in count.items() if times > 1)
            raise PlanError(f"planned twice: {', '.join(twice)}")
        graph = {
            address: sorted(needed.address for needed in by_address[address].needs)
            for address in sorted(by_address)
        }
        for address, needed in graph.items():
            if missing := set(needed) - set(graph):
                raise PlanError(
                    f"{address} needs {', '.join(sorted(missing))}, which is not planned"
                )
        try:
            return tuple(by_address[address] for address in TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise PlanError(f"a cycle: {' -> '.join(error.args[1])}") from error

    @cached_property
    def kinds(self) -> tuple[type[Resource], ...]:
        """The kinds in use, in the order of building."""
        return tuple(dict.fromkeys(type(resource) for resource in self.ordered))

    @cached_property
    def digest(self) -> str:
        """The same for the same plan: a Permit is for one digest only."""
        content = [
            [resource.address, [need.address for need in resource.needs], resource.parameters]
            for resource in self.ordered
        ]
        owner = [self.owner.account, self.owner.region, self.owner.cluster]
        text = json.dumps([owner, content], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """What the principal must be allowed to do, from the first call to the last look.

        Each action with the ARNs and the context of the real call, identical ones only once. The
        deletion of a kind that dies with another is not among them: it would be asked for only of
        what outlived its carrier, and AWS lets nothing outlive it (an add-on its cluster, a route
        its table).
        """
        found: dict[str, Action] = {}
        for resource in self.ordered:
            deletes = resource.deletes if resource.dies_with is None else ()
            for action in (*resource.creates, *resource.finds, *deletes):
                filled = action.of(resource, self.owner)
                found.setdefault(repr(filled), filled)
        for action in self.also:
            filled = action.of(None, self.owner)
            found.setdefault(repr(filled), filled)
        return tuple(found.values())

    @cached_property
    def demands(self) -> Mapping[Key, float | None]:
        """What the plan takes of each quota, added up within each zone, VPC or cluster."""
        return total(demand for resource in self.ordered for demand in resource.demands())

    @property
    def names(self) -> Iterator[Name]:
        """Every physical name the plan will use."""
        for resource in self.ordered:
            for rule, value in resource.names():
                yield Name(address=resource.address, rule=rule, value=value)

    @property
    def charges(self) -> Iterator[Charge]:
        """What the plan costs while it exists."""
        for resource in self.ordered:
            yield from resource.charges()

    @cached_property
    def price(self) -> Total:
        """The monthly list price of the plan, and what could not be priced."""
        return add_up(self.charges, self.owner.region)

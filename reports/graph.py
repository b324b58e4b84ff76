"""The plan as something to read: resources by service, and a tree of what needs what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reports.view import PlannedResource


@dataclass(kw_only=True)
class Branch:
    """One resource, what else it needs beside its parent, and what hangs on it."""

    resource: PlannedResource
    also: tuple[str, ...] = ()
    children: list[Branch] = field(default_factory=list)


def tree(resources: Sequence[PlannedResource]) -> list[Branch]:
    """Hang each resource below the dependency that is ready last.

    A graph is no tree: the other dependencies are named in `also`. Each resource appears once;
    one that needs what is not in the plan, or itself, becomes a root.
    """
    depths = _depths(resources)
    branches = {each.address: Branch(resource=each) for each in resources}
    roots: list[Branch] = []
    for each in resources:
        branch = branches[each.address]
        above = [need for need in each.depends_on if depths.get(need, 9**9) < depths[each.address]]
        if not above:
            roots.append(branch)
            branch.also = each.depends_on
            continue
        parent = max(above, key=lambda need: (depths[need], need))
        branch.also = tuple(need for need in each.depends_on if need != parent)
        branches[parent].children.append(branch)
    return roots


def _depths(resources: Sequence[PlannedResource]) -> dict[str, int]:
    """Return the length of the longest chain below each; cycles stop growing at the count."""
    needs = {each.address: [n for n in each.depends_on if n != each.address] for each in resources}
    depths = dict.fromkeys(needs, 0)
    for _ in needs:
        changed = False
        for address, below in needs.items():
            depth = max((depths[need] + 1 for need in below if need in depths), default=0)
            if depth != depths[address]:
                depths[address], changed = depth, True
        if not changed:
            break
    return depths


def by_service(
    resources: Iterable[PlannedResource],
) -> Mapping[str, Mapping[str, list[PlannedResource]]]:
    """Group the resources by AWS service and then by kind, both in the order of the plan."""
    services: dict[str, dict[str, list[PlannedResource]]] = {}
    for each in resources:
        service = each.kind.partition("/")[0]
        services.setdefault(service, {}).setdefault(each.kind, []).append(each)
    return services

"""ClusterSpec -> Plan, pure: what was asked and what the account told, drawn as resources."""

from __future__ import annotations

from preflight.actions import Action
from preflight.facts import Facts
from preflight.found import Owner
from preflight.plan import Plan
from preflight.resource import Resource
from preflight.spec import ClusterSpec
from provision.blueprint.account import draw_account
from provision.blueprint.control_plane import draw_control_plane
from provision.blueprint.identities import draw_node_role
from provision.blueprint.network import draw_network
from provision.blueprint.nodes import draw_nodes
from provision.strays.kinds import PUT_BY_AWS, STRAYS


def owner_of(spec: ClusterSpec, facts: Facts) -> Owner:
    """Say whose things the plan's are."""
    return Owner(
        cluster=spec.name,
        account=facts.account,
        region=facts.region,
        partition=facts.partition,
        extra_tags=spec.tags,
    )


def draw(spec: ClusterSpec, facts: Facts) -> Plan:
    """Draw the plan of one cluster; the same spec and facts give the same plan.

    The reference cluster of a BYOC vendor: a VPC over several zones, an EKS control plane behind
    private endpoints, a node group for each instance type and capacity, and the buckets, registries
    and queues around it. Each part can be switched off in the spec.
    """
    owner = owner_of(spec, facts)
    network = draw_network(spec, owner)
    node_role = draw_node_role(owner)
    plane = draw_control_plane(spec, facts, owner, network)
    nodes = draw_nodes(spec, facts, owner, network, plane, node_role)
    everything: tuple[Resource, ...] = (
        *network.resources,
        node_role,
        *plane.resources,
        *nodes,
        *draw_account(spec, owner, network.vpc),
    )
    return Plan(owner=owner, resources=everything, also=_looks())


def _looks() -> tuple[Action, ...]:
    """Give what a scan looks with for things that others leave behind, and what a tear-down
    needs for those that it takes along.
    """
    looks = [action for kind in STRAYS for action in kind.finds]
    return (*looks, *(action for kind in PUT_BY_AWS for action in kind.deletes))

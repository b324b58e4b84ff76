"""What controllers inside a cluster make and leave behind, as `POST /_sandbox/leave` asks for it.

`{"cluster": NAME, "region": R, "what": ["load-balancer", "volume", "log-group", "eni"]}`; `what`
defaults to these four, and may name any of LEAVERS. Asked again, a second Service leaves its things
beside those of the first. Things in a network go where the cluster is, or into the VPC named by
`vpc`, so that the cluster's own network can be deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from preflight.sandbox.account.left_balancers import leave_classic, leave_load_balancer
from preflight.sandbox.account.left_nodes import leave_interface, leave_karpenter
from preflight.sandbox.account.left_storage import leave_log_groups, leave_snapshot, leave_volume
from preflight.sandbox.account.place import Place
from preflight.sandbox.agenda import agenda
from preflight.sandbox.eks.state import Eks
from preflight.sandbox.world import World

LEAVERS: dict[str, Callable[[Place], None]] = {
    "load-balancer": leave_load_balancer,
    "volume": leave_volume,
    "log-group": leave_log_groups,
    "eni": leave_interface,
    "classic-load-balancer": leave_classic,
    "karpenter": leave_karpenter,
    "snapshot": leave_snapshot,
}
USUAL = ("load-balancer", "volume", "log-group", "eni")


def leave(world: World, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Make what is asked for and name it; raises ValueError or KeyError for what cannot be."""
    wanted = asked.get("what") or USUAL
    unknown = sorted(set(wanted) - set(LEAVERS))
    if unknown:
        raise ValueError(f"nothing leaves {unknown}; there are {list(LEAVERS)}")
    with world.lock:
        agenda(world).catch_up()
        region = asked.get("region") or world.region
        cluster = world.part(Eks).clusters.get((region, asked["cluster"]))
        default = world.backend("ec2", region).get_default_vpc()
        vpc_id = cluster.shape["resourcesVpcConfig"]["vpcId"] if cluster else None
        vpc_id = asked.get("vpc") or vpc_id or (default.id if default else "")
        place = Place(world, str(asked["cluster"]), region, str(vpc_id), cluster)
        for what in wanted:
            LEAVERS[what](place)
        return {"made": place.made}

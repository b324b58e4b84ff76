"""Where things are left behind, and what was left there so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from preflight.sandbox.eks.state import Cluster
from preflight.sandbox.world import World

NAMESPACE, SERVICE = "default", "web"


@dataclass
class Place:
    """Where things are left: the cluster's name, Region and network, and what was made so far."""

    world: World
    name: str
    region: str
    vpc_id: str
    cluster: Cluster | None
    made: list[dict[str, str]] = field(default_factory=list)
    kubernetes_service: str = SERVICE

    def backend(self, service: str) -> Any:
        """Give moto's state of a service in this Region."""
        return self.world.backend(service, self.region)

    def subnets(self) -> list[str]:
        """List the subnets things go to, one in a zone."""
        zones = {
            subnet.availability_zone: subnet.id
            for by_id in self.backend("ec2").subnets.values()
            for subnet in by_id.values()
            if subnet.vpc_id == self.vpc_id
        }
        if not zones:
            raise ValueError(f"no subnet in {self.vpc_id or 'the network'}: name a `vpc`")
        return [id for _, id in sorted(zones.items())]

    def note(self, kind: str, id: str) -> None:
        """Remember what was made."""
        self.made.append({"type": kind, "id": id})

    def owned(self) -> dict[str, str]:
        """Give the tag that says whose a thing is."""
        return {f"kubernetes.io/cluster/{self.name}": "owned"}


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Write tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]

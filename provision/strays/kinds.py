"""The ordered list of kinds that clusters leave behind; a new one is one file and one line here."""

from __future__ import annotations

from preflight.resource import Kind
from provision.strays.balancers import ClassicLoadBalancer, LoadBalancer, TargetGroup
from provision.strays.groups import ControllerGroup
from provision.strays.interfaces import NetworkInterface
from provision.strays.log_groups import ClusterLogs
from provision.strays.volumes import Volume

STRAYS: tuple[type[Kind], ...] = (
    LoadBalancer,
    ClassicLoadBalancer,
    TargetGroup,
    NetworkInterface,
    ControllerGroup,
    Volume,
    ClusterLogs,
)

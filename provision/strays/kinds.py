"""The ordered list of kinds that clusters leave behind; a new one is one file and one line here."""

from __future__ import annotations

from preflight.resource import Kind
from provision.strays.addresses import ControllerAddress
from provision.strays.balancers import ClassicLoadBalancer, LoadBalancer, TargetGroup
from provision.strays.groups import ControllerGroup
from provision.strays.instances import AutoScalingGroup, Instance
from provision.strays.interfaces import NetworkInterface
from provision.strays.launch_templates import NodeTemplate
from provision.strays.log_groups import ClusterLogs
from provision.strays.profiles import InstanceProfile
from provision.strays.runtime_monitoring import MonitoringEndpoint, MonitoringGroup
from provision.strays.snapshots import Snapshot
from provision.strays.volumes import Volume

#: What AWS puts by itself into a network of ours, and a tear-down has to take along.
PUT_BY_AWS: tuple[type[Kind], ...] = (MonitoringEndpoint, MonitoringGroup)

STRAYS: tuple[type[Kind], ...] = (
    AutoScalingGroup,
    Instance,
    LoadBalancer,
    ClassicLoadBalancer,
    TargetGroup,
    NetworkInterface,
    ControllerGroup,
    ControllerAddress,
    Volume,
    Snapshot,
    NodeTemplate,
    InstanceProfile,
    ClusterLogs,
    *PUT_BY_AWS,
)

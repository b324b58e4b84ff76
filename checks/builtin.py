"""The checks of Preflight itself, in the order in which they are reported."""

from __future__ import annotations

from checks.earlier_cluster import earlier_cluster
from checks.identity import identity
from checks.instance_types import instance_types
from checks.names import names
from checks.network_ranges import network_ranges
from checks.permissions import permissions
from checks.prerequisites import prerequisites
from checks.quotas import quota_plan, quota_vendor
from checks.region import region
from checks.service_linked_roles import service_linked_roles
from checks.sts import sts
from checks.subnet_sizes import subnet_sizes
from checks.taken_names import taken_names
from checks.zones import zones
from preflight.check import Check

#: A new check is one file and one line here.
CHECKS: tuple[Check, ...] = (
    identity,
    region,
    sts,
    names,
    permissions,
    service_linked_roles,
    taken_names,
    earlier_cluster,
    quota_plan,
    quota_vendor,
    network_ranges,
    subnet_sizes,
    zones,
    instance_types,
    prerequisites,
)

"""The checks of Preflight itself, in the order in which they are reported."""

from __future__ import annotations

from checks.identity import identity
from checks.instance_types import instance_types
from checks.names import names
from checks.permissions import permissions
from checks.prerequisites import prerequisites
from checks.quotas import quota_plan, quota_vendor
from checks.region import region
from checks.sts import sts
from checks.zones import zones
from preflight.check import Check

#: A new check is one file and one line here.
CHECKS: tuple[Check, ...] = (
    identity,
    region,
    sts,
    names,
    permissions,
    quota_plan,
    quota_vendor,
    zones,
    instance_types,
    prerequisites,
)

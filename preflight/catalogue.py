"""The quotas Preflight knows: one row each."""

from __future__ import annotations

from preflight.quota import Quota, Scope

VPCS = Quota(service="vpc", code="L-F678F1CE", name="VPCs per Region", default=5)
SUBNETS_PER_VPC = Quota(
    service="vpc", code="L-407747CB", name="Subnets per VPC", default=200, scope=Scope.VPC
)

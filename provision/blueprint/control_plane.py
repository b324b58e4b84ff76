"""The control plane: the EKS cluster with its key, its logs, who may enter, and its add-ons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from preflight.facts import Facts
from preflight.found import Owner
from preflight.resource import Resource
from preflight.spec import ClusterSpec
from provision.blueprint.identities import draw_autoscaler, draw_cluster_role, draw_csi_role
from provision.blueprint.network import Network
from provision.resources import kms, logs
from provision.resources.access import AccessEntry
from provision.resources.addons import Addon
from provision.resources.eks import Cluster, cluster_name
from provision.resources.kms import Alias, Key
from provision.resources.logs import LogGroup
from provision.resources.oidc import OidcProvider
from provision.resources.roles import Role

ADMIN_POLICY = "AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The drawn control plane."""

    cluster: Cluster
    resources: tuple[Resource, ...]


def draw_control_plane(
    spec: ClusterSpec, facts: Facts, owner: Owner, network: Network
) -> ControlPlane:
    """Draw the control plane of a spec. It needs no NAT and no routes: it is not made to wait."""
    role = draw_cluster_role(owner)
    key = Key(name="secrets") if spec.encryption else None
    log_group = None
    if spec.logging.types:
        log_group = LogGroup(
            name="cluster",
            log_group_name=logs.log_group_name(owner, "cluster"),
            retention_days=spec.logging.retention_days,
        )
    cluster = Cluster(
        name="main",
        cluster_name=cluster_name(owner),
        role=role,
        subnets=network.private,
        security_groups=(network.cluster_group,),
        key=key,
        log_group=log_group,
        version=spec.version,
        endpoint_private=spec.api.private,
        public_access_cidrs=spec.api.public_cidrs if spec.api.public else (),
        logging=spec.logging.types,
        service_cidr=spec.network.service_cidr,
    )
    drawn: list[Resource] = [role, cluster]
    if key is not None:
        drawn += [key, Alias(name="secrets", alias_name=kms.alias_name(owner, "secrets"), key=key)]
    if log_group is not None:
        drawn.append(log_group)
    drawn += _entries(spec, facts, cluster)
    drawn += _inside(spec, owner, cluster)
    return ControlPlane(cluster=cluster, resources=tuple(drawn))


def _entries(spec: ClusterSpec, facts: Facts, cluster: Cluster) -> Iterator[Resource]:
    """Let in whoever builds, or nobody could; and whoever the spec names."""
    named = {access.principal for access in spec.access}
    if facts.principal and facts.principal not in named:
        yield AccessEntry(
            name="builder", cluster=cluster, principal=facts.principal, policy=ADMIN_POLICY
        )
    for number, access in enumerate(spec.access, start=1):
        yield AccessEntry(
            name=f"access-{number}",
            cluster=cluster,
            principal=access.principal,
            policy=access.policy,
        )


def _inside(spec: ClusterSpec, owner: Owner, cluster: Cluster) -> Iterator[Resource]:
    csi: Role | None = None
    if spec.oidc:
        source = OidcProvider(name="main", cluster=cluster)
        yield source
        yield from draw_autoscaler(owner, source)
        if "aws-ebs-csi-driver" in spec.addons:
            csi = draw_csi_role(owner, source)
            yield csi
    # Add-ons are DEGRADED until there is a node, which is only waited for where one is coming.
    nodes_coming = any(pool.desired > 0 for pool in spec.pools)
    for name in spec.addons:
        yield Addon(
            name=name,
            cluster=cluster,
            role=csi if name == "aws-ebs-csi-driver" else None,
            nodes_coming=nodes_coming,
        )

"""The nodes: a launch template for each instance type, a node group for each way of buying it."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.facts import Facts, InstanceType
from preflight.found import Owner
from preflight.names import LAUNCH_TEMPLATE, derive
from preflight.resource import Resource
from preflight.spec import ClusterSpec
from preflight.spec_values import Capacity, NodePool
from provision.blueprint.control_plane import ControlPlane
from provision.blueprint.network import Network
from provision.resources.eks import Cluster
from provision.resources.launch import LaunchTemplate
from provision.resources.nodes import Nodegroup
from provision.resources.roles import Role

CAPACITY = {Capacity.ON_DEMAND: "ON_DEMAND", Capacity.SPOT: "SPOT"}
#: Instance families with AWS's own accelerators have an image of their own.
NEURON = ("inf", "trn")
GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}


def draw_nodes(
    spec: ClusterSpec,
    facts: Facts,
    owner: Owner,
    network: Network,
    plane: ControlPlane,
    role: Role,
) -> Iterator[Resource]:
    """Draw the node groups of a spec; they start when the cluster is active and the way is open."""
    cluster: Cluster = plane.cluster
    templates: dict[str, LaunchTemplate] = {}
    for pool in spec.pools:
        plain = pool.instance_type.replace(".", "-")
        if pool.instance_type not in templates:
            templates[pool.instance_type] = LaunchTemplate(
                name=plain,
                template_name=derive(LAUNCH_TEMPLATE, owner.cluster, plain),
                security_groups=(network.node_group,),
            )
            yield templates[pool.instance_type]
        known = facts.instance_types.get(pool.instance_type)
        has_gpu = known is not None and known.gpus > 0
        yield Nodegroup(
            name=pool.name,
            after=network.open,
            cluster=cluster,
            role=role,
            subnets=network.private,
            instance_types=(pool.instance_type,),
            vcpus={known.name: known.vcpus} if known is not None else {},
            capacity=CAPACITY[pool.capacity],
            ami_type=ami_type(pool.instance_type, known),
            minimum=pool.min,
            desired=pool.desired,
            maximum=pool.max,
            launch_template=templates[pool.instance_type],
            labels=_labels(pool),
            taints=(GPU_TAINT,) if has_gpu else (),
        )


def ami_type(name: str, known: InstanceType | None) -> str:
    """Choose the image: by architecture, and with drivers where there are accelerators.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html
    """
    arm = known is not None and "x86_64" not in known.architectures and known.architectures != ()
    if known is not None and known.gpus > 0:
        return "AL2023_ARM_64_NVIDIA" if arm else "AL2023_x86_64_NVIDIA"
    if name.startswith(NEURON):
        return "AL2023_x86_64_NEURON"
    return "AL2023_ARM_64_STANDARD" if arm else "AL2023_x86_64_STANDARD"


def _labels(pool: NodePool) -> dict[str, str]:
    return {"preflight/pool": pool.name, "preflight/capacity": str(pool.capacity)}

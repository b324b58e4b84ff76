"""What a cluster is to be, as values. `preflight.spec` reads them from a file and checks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from preflight.ranges import SubnetRange, carve

NO_TAGS: Mapping[str, str] = MappingProxyType({})


class Capacity(StrEnum):
    """How instances are bought."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"


class Nat(StrEnum):
    """How private subnets reach the internet."""

    PER_ZONE = "per-zone"
    SINGLE = "single"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """One node group to be: one instance type, bought one way. `name` is legal in EKS."""

    instance_type: str
    capacity: Capacity
    min: int
    desired: int
    max: int

    @property
    def name(self) -> str:
        """Name the pool within its cluster, as `m5-large-spot`."""
        return f"{self.instance_type.replace('.', '-')}-{self.capacity}"


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """An EC2 instance type the cluster runs on; the sizes hold for each of its node groups."""

    type: str
    min: int = 0
    desired: int = 1
    max: int = 10
    capacity: tuple[Capacity, ...] = (Capacity.ON_DEMAND, Capacity.SPOT)

    @property
    def pools(self) -> tuple[NodePool, ...]:
        """Give one node pool for each capacity."""
        return tuple(
            NodePool(
                instance_type=self.type,
                capacity=capacity,
                min=self.min,
                desired=self.desired,
                max=self.max,
            )
            for capacity in self.capacity
        )


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Private ways to AWS services, by the last part of the service name: `s3`, `ecr.api`."""

    gateway: tuple[str, ...] = ("s3",)
    interface: tuple[str, ...] = ("ec2", "ecr.api", "ecr.dkr", "sts", "logs")


@dataclass(frozen=True, kw_only=True)
class Network:
    """The VPC: its range, the letters of its zones, its ways out."""

    cidr: str = "10.0.0.0/16"
    service_cidr: str | None = None
    zones: tuple[str, ...] = ("a", "b", "c")
    nat: Nat = Nat.PER_ZONE
    endpoints: Endpoints = Endpoints()

    @property
    def subnets(self) -> tuple[SubnetRange, ...]:
        """Give a private and a public subnet for each zone, private ones first."""
        return carve(self.cidr, self.zones)

    @property
    def nat_zones(self) -> tuple[str, ...]:
        """Give the zones that get a NAT gateway."""
        match self.nat:
            case Nat.PER_ZONE:
                return self.zones
            case Nat.SINGLE:
                return self.zones[:1]
            case Nat.NONE:
                return ()


@dataclass(frozen=True, kw_only=True)
class Api:
    """Who reaches the Kubernetes API server."""

    private: bool = True
    public: bool = False
    public_cidrs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Logging:
    """Which control plane logs are written, and for how many days they are kept."""

    types: tuple[str, ...] = ("api", "audit", "authenticator")
    retention_days: int = 90


@dataclass(frozen=True, kw_only=True)
class Access:
    """An IAM principal that may use the Kubernetes API; no namespaces is the whole cluster."""

    principal: str
    policy: str = "AmazonEKSClusterAdminPolicy"
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A check whose findings must not close the gate, and why."""

    check: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ClusterSpec:
    """What was asked for. `external_id` is a secret: it is in no `repr` and no `to_mapping`."""

    name: str
    account: str | None = None
    region: str = "us-east-1"
    vendor: str = "grid"
    role_arn: str | None = None
    external_id: str | None = field(default=None, repr=False)
    version: str | None = None
    instance_types: tuple[InstanceType, ...] = (InstanceType(type="m5.large"),)
    network: Network = Network()
    api: Api = Api()
    encryption: bool = True
    logging: Logging = Logging()
    oidc: bool = True
    access: tuple[Access, ...] = ()
    addons: tuple[str, ...] = (
        "vpc-cni",
        "kube-proxy",
        "coredns",
        "aws-ebs-csi-driver",
        "eks-pod-identity-agent",
        "metrics-server",
    )
    buckets: tuple[str, ...] = ("artifacts", "logs")
    repositories: tuple[str, ...] = ("workloads",)
    interruption_queue: bool = True
    notifications: bool = True
    resolver_query_logging: bool = True
    guardduty: bool = True
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS, hash=False)
    plugins: bool | tuple[str, ...] = True
    waive: tuple[Waiver, ...] = ()

    @property
    def pools(self) -> tuple[NodePool, ...]:
        """Give the node pools: one for each instance type and capacity, in the order asked."""
        return tuple(pool for wanted in self.instance_types for pool in wanted.pools)

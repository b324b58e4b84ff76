"""Managed node groups: the machines of a cluster."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from preflight.actions import Action
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import (
    INCARNATION_TAG,
    RESOURCE_TAG,
    Evidence,
    Found,
    Owner,
    State,
    tag_map,
    tagged,
)
from preflight.names import NODE_GROUP, NameRule, derive
from preflight.price import Charge
from preflight.quota import Demand, Quota
from preflight.quotas.catalogue import (
    AUTO_SCALING_GROUPS,
    NODEGROUPS_PER_CLUSTER,
    NODES_PER_NODEGROUP,
    vcpu_quota,
)
from preflight.resource import READY, WAIT, Failed, Ids, Readiness, Resource
from provision.resources import ec2
from provision.resources.eks import (
    PARENT_ARN,
    Cluster,
    each_listed,
    failure,
    issues,
    pass_role,
    service_linked_role,
)
from provision.resources.launch import LaunchTemplate
from provision.resources.roles import Role
from provision.resources.vpc import Subnet

_ARN = (
    "arn:{owner.partition}:eks:{owner.region}:{owner.account}"
    ":nodegroup/{self.cluster.cluster_name}/{self.nodegroup_name}/*"
)
_ROLE_ARN = "arn:{owner.partition}:iam::{owner.account}:role{self.role.path}{self.role.role_name}"

#: Issues that go away when the group is made once more.
#: https://docs.aws.amazon.com/eks/latest/APIReference/API_Issue.html
AGAIN = frozenset({"IamThrottling", "InternalFailure", "Unknown"})
HINTS: Mapping[str, str] = {
    "InsufficientFreeAddresses": "give the nodes larger subnets: too few addresses are free",
    "InstanceLimitExceeded": "raise the vCPU quota of this instance family: `preflight quotas`",
    "AsgInstanceLaunchFailures": (
        "the zone has no such instances now, or a quota is used up: try another type or zone"
    ),
    "NodeCreationFailure": (
        "the nodes start but do not join: check their route to the cluster (NAT or endpoints), "
        "their security group and their role"
    ),
    "PodEvictionFailure": "a PodDisruptionBudget keeps a pod: raise or delete it",
    "Ec2SecurityGroupDeletionFailure": "something else still uses the group's security group",
}


def nodegroup_name(name: str) -> str:
    """Name the node group that the plan calls `name`; such names are unique in a cluster."""
    return derive(NODE_GROUP, name)


def judge(described: Mapping[str, Any]) -> Readiness:
    """Say what EKS's description of a node group means for whoever waits for it."""
    status = described["status"]
    if status == "ACTIVE":
        return READY
    if status not in {"CREATE_FAILED", "DEGRADED", "DELETING", "DELETE_FAILED"}:
        return WAIT
    codes = [code for code, _ in issues(described)]
    return Failed(
        reason=failure(described),
        hint=next((HINTS[code] for code in codes if code in HINTS), None),
        again=bool(codes) and AGAIN.issuperset(codes),
    )


class Nodegroup(Resource):
    """Machines of one shape that join a cluster, kept in number by an Auto Scaling group of EKS.

    `capacity` is ON_DEMAND or SPOT, `ami_type` one of EKS's names (`AL2023_x86_64_STANDARD`).
    The instance types stand here and not in the launch template, of which one version is pinned.
    `vcpus` says how many each type has; a type that is not in it makes the demand unknown. `taints`
    are in AWS's words: `{"key": ..., "value": ..., "effect": "NO_SCHEDULE"}`. The id is the name.
    https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
    """

    kind = "eks/nodegroup"
    creates = (
        Action(name="eks:CreateNodegroup", on=(PARENT_ARN,), tagged=True),
        Action(name="eks:TagResource", on=(_ARN,), tagged=True, by_hand=True),
        pass_role("role"),
        Action(name="iam:GetRole", on=(_ROLE_ARN,), by_hand=True),
        Action(name="iam:ListAttachedRolePolicies", on=(_ROLE_ARN,), by_hand=True),
        *service_linked_role("eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup"),
        Action(name="ec2:DescribeSubnets", by_hand=True),
    )
    finds = (
        Action(name="eks:DescribeCluster", on=(PARENT_ARN,)),
        Action(name="eks:ListNodegroups", on=(PARENT_ARN,)),
        Action(name="eks:DescribeNodegroup", on=(_ARN,)),
    )
    deletes = (Action(name="eks:DeleteNodegroup", on=(_ARN,)),)
    takes = (200.0, 380.0)

    cluster: Cluster
    role: Role
    subnets: tuple[Subnet, ...]
    instance_types: tuple[str, ...]
    vcpus: Mapping[str, int] = field(default_factory=dict)
    capacity: str = "ON_DEMAND"
    ami_type: str = "AL2023_x86_64_STANDARD"
    minimum: int = 0
    desired: int = 1
    maximum: int = 1
    launch_template: LaunchTemplate | None = None
    launch_template_version: str = "1"
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()
    max_unavailable_percentage: int = 33

    def __post_init__(self) -> None:
        """Declare what EKS does in the caller's name with a launch template or for spot."""
        more: list[Action] = []
        if self.launch_template is not None:
            more.extend(_with_launch_template())
        if self.capacity == "SPOT":
            more.extend(service_linked_role("spot.amazonaws.com", "AWSServiceRoleForEC2Spot"))
        object.__setattr__(self, "creates", (*type(self).creates, *more))

    @property
    def nodegroup_name(self) -> str:
        """The name EKS knows it by."""
        return nodegroup_name(self.name)

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The node group's name."""
        yield NODE_GROUP, self.nodegroup_name

    @property
    def surge(self) -> int:
        """How many nodes a rolling update adds for a while.

        The larger of twice the number of zones and the nodes replaced at once:
        https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html
        """
        zones = len({subnet.zone for subnet in self.subnets})
        at_once = math.ceil(self.maximum * self.max_unavailable_percentage / 100)
        return max(2 * zones, at_once) if self.maximum else 0

    def demands(self) -> Iterator[Demand]:
        """Places for the group and its nodes, and vCPUs for all of them at their most."""
        yield Demand(quota=NODEGROUPS_PER_CLUSTER, within=self.cluster.address)
        yield Demand(quota=NODES_PER_NODEGROUP, amount=self.maximum, within=self.address)
        yield Demand(quota=AUTO_SCALING_GROUPS)
        for quota, vcpus in self._vcpus().items():
            amount = None if vcpus is None else vcpus * (self.maximum + self.surge)
            yield Demand(quota=quota, amount=amount)

    def _vcpus(self) -> dict[Quota, int | None]:
        """Give the vCPUs of the largest type under each quota: EC2 may choose that one."""
        largest: dict[Quota, int | None] = {}
        for instance_type in self.instance_types:
            quota = vcpu_quota(instance_type, "spot" if self.capacity == "SPOT" else "on-demand")
            if quota is None:
                continue
            vcpus = self.vcpus.get(instance_type)
            before = largest.get(quota, 0)
            unknown = vcpus is None or before is None
            largest[quota] = None if unknown else max(vcpus or 0, before or 0)
        return largest

    def charges(self) -> Iterator[Charge]:
        """The nodes that are wanted now, as the first type of the list; spot has no list price."""
        yield from _charges(self.capacity, self.instance_types, self.desired)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the node group. Raises `Propagating` while EKS does not know the role yet."""
        answer = aws.call(
            "eks",
            "CreateNodegroup",
            clusterName=ids[self.cluster],
            nodegroupName=self.nodegroup_name,
            nodeRole=ids[self.role],
            subnets=[ids[subnet] for subnet in self.subnets],
            instanceTypes=list(self.instance_types),
            capacityType=self.capacity,
            amiType=self.ami_type,
            scalingConfig={
                "minSize": self.minimum,
                "maxSize": self.maximum,
                "desiredSize": self.desired,
            },
            updateConfig={"maxUnavailablePercentage": self.max_unavailable_percentage},
            labels=dict(self.labels),
            clientRequestToken=token,
            tags=ids.owner.tags(self.address),
            **self._optional(ids),
        )
        return str(answer["nodegroup"]["nodegroupName"])

    def _optional(self, ids: Ids) -> dict[str, Any]:
        request: dict[str, Any] = {}
        if self.taints:
            request["taints"] = [dict(taint) for taint in self.taints]
        if self.launch_template is not None:
            request["launchTemplate"] = {
                "id": ids[self.launch_template],
                "version": self.launch_template_version,
            }
        return request

    def ready(self, aws: Aws, ids: Ids, id: str) -> Readiness:
        """Say whether its nodes have joined; EKS gives up after a quarter of an hour or so."""
        described = aws.call(
            "eks", "DescribeNodegroup", clusterName=ids[self.cluster], nodegroupName=id
        )["nodegroup"]
        return judge(described)

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find all in the owner's cluster: it cannot go while any is left, whoever made it."""
        for name, cluster, evidence in each_listed(aws, owner, "ListNodegroups", "nodegroups"):
            try:
                described = aws.call(
                    "eks", "DescribeNodegroup", clusterName=cluster["name"], nodegroupName=name
                )["nodegroup"]
            except NotFound:
                continue
            yield _found(cls.kind, described, owner, evidence)

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion: EKS drains the nodes first."""
        aws.call(
            "eks", "DeleteNodegroup", clusterName=found.detail["cluster"], nodegroupName=found.id
        )


def _charges(capacity: str, instance_types: tuple[str, ...], nodes: int) -> Iterator[Charge]:
    if not instance_types or not nodes:
        return
    market = "spot" if capacity == "SPOT" else "instance"
    yield Charge(sku=f"ec2/{market}/{instance_types[0]}", quantity=nodes)


def _with_launch_template() -> tuple[Action, ...]:
    """Declare what EKS tries as the caller when a node group has a launch template.

    https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
    """
    things = ("instance", "launch-template", "volume", "network-interface", "subnet")
    return (
        *(
            Action(name="ec2:RunInstances", on=(ec2.arn(thing),), by_hand=True)
            for thing in (*things, "security-group")
        ),
        # Images belong to AWS or to another account: their ARN holds no account of ours.
        Action(
            name="ec2:RunInstances",
            on=("arn:{owner.partition}:ec2:{owner.region}::image/*",),
            by_hand=True,
        ),
        Action(
            name="ec2:CreateTags",
            on=(ec2.arn("instance"),),
            context={"ec2:CreateAction": "RunInstances"},
            by_hand=True,
        ),
        Action(name="ec2:DescribeLaunchTemplateVersions", by_hand=True),
    )


def _found(kind: str, described: dict[str, Any], owner: Owner, cluster: Evidence) -> Found:
    tags = tag_map(described.get("tags"))
    types = tuple(described.get("instanceTypes") or ())
    desired = int(described.get("scalingConfig", {}).get("desiredSize", 0))
    return Found(
        kind=kind,
        id=described["nodegroupName"],
        region=owner.region,
        arn=described["nodegroupArn"],
        name=described["nodegroupName"],
        address=tags.get(RESOURCE_TAG, ""),
        cluster=owner.cluster,
        incarnation=tags.get(INCARNATION_TAG, ""),
        state=State.GOING if described["status"] == "DELETING" else State.PRESENT,
        note=failure(described) if issues(described) else "",
        evidence=(tagged(tags, owner) or cluster,),
        created=described.get("createdAt"),
        charges=tuple(_charges(described.get("capacityType", ""), types, desired)),
        detail={"cluster": described["clusterName"]},
    )

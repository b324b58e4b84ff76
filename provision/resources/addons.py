"""EKS add-ons: what AWS runs inside a cluster for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from preflight.actions import Action
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import INCARNATION_TAG, Found, Owner, State, tag_map
from preflight.resource import LACKING, READY, WAIT, Failed, Ids, Readiness, Resource
from provision.resources.eks import PARENT_ARN, Cluster, each_listed, failure, issues, pass_role
from provision.resources.roles import Role

_EKS = "arn:{owner.partition}:eks:{owner.region}:{owner.account}:"
_ADDON_ARN = _EKS + "addon/{self.cluster.cluster_name}/{self.name}/*"


class Addon(Resource):
    """An EKS add-on. Its name in the plan is AWS's own: `vpc-cni`, `coredns`.

    `version` None takes AWS's default; `configuration` is the add-on's own JSON as a mapping;
    `role` is the one its service account acts as.
    https://docs.aws.amazon.com/eks/latest/userguide/eks-add-ons.html
    """

    kind = "eks/addon"
    creates = (
        Action(name="eks:CreateAddon", on=(PARENT_ARN,), tagged=True),
        Action(name="eks:TagResource", on=(_ADDON_ARN,), tagged=True, by_hand=True),
    )
    finds = (
        Action(name="eks:DescribeCluster", on=(PARENT_ARN,)),
        Action(name="eks:ListAddons", on=(PARENT_ARN,)),
        Action(name="eks:DescribeAddon", on=(_ADDON_ARN,)),
    )
    deletes = (Action(name="eks:DeleteAddon", on=(_ADDON_ARN,)),)
    dies_with = "eks/cluster"
    takes = (30.0, 30.0)
    ready_with = ("eks/nodegroup",)

    cluster: Cluster
    version: str | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    role: Role | None = None
    #: Without nodes to run on, DEGRADED is all an add-on can become.
    nodes_coming: bool = True

    def __post_init__(self) -> None:
        """Declare that the role is handed on, where there is one."""
        if self.role is not None:
            object.__setattr__(self, "creates", (*type(self).creates, pass_role("role")))

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the add-on; it is usable once there is a node for its pods."""
        request: dict[str, Any] = {}
        if self.version is not None:
            request["addonVersion"] = self.version
        if self.configuration:
            request["configurationValues"] = json.dumps(self.configuration, sort_keys=True)
        if self.role is not None:
            request["serviceAccountRoleArn"] = ids[self.role]
        aws.call(
            "eks",
            "CreateAddon",
            clusterName=ids[self.cluster],
            addonName=self.name,
            resolveConflicts="OVERWRITE",
            clientRequestToken=token,
            tags=ids.owner.tags(self.address),
            **request,
        )
        return self.name

    def ready(self, aws: Aws, ids: Ids, id: str) -> Readiness:
        """Say whether it is ACTIVE; DEGRADED only means that it has no nodes to run on yet."""
        described = aws.call("eks", "DescribeAddon", clusterName=ids[self.cluster], addonName=id)[
            "addon"
        ]
        usable = {"ACTIVE"} if self.nodes_coming else {"ACTIVE", "DEGRADED"}
        if described["status"] in usable:
            return READY
        if described["status"] == "CREATE_FAILED":
            return Failed(reason=failure(described), again=True)
        return LACKING if described["status"] == "DEGRADED" else WAIT

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find all in the owner's cluster, whoever added them: they die with it."""
        for name, cluster, evidence in each_listed(aws, owner, "ListAddons", "addons"):
            try:
                described = aws.call(
                    "eks", "DescribeAddon", clusterName=cluster["name"], addonName=name
                )["addon"]
            except NotFound:
                continue
            yield Found(
                kind=cls.kind,
                id=name,
                region=owner.region,
                arn=described["addonArn"],
                name=name,
                address=f"{cls.kind}/{name}",
                cluster=owner.cluster,
                incarnation=tag_map(described.get("tags")).get(INCARNATION_TAG, ""),
                state=State.GOING if described["status"] == "DELETING" else State.PRESENT,
                note=failure(described) if issues(described) else "",
                evidence=(evidence,),
                created=described.get("createdAt"),
                detail={"cluster": cluster["name"]},
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion, its pods included."""
        aws.call("eks", "DeleteAddon", clusterName=found.detail["cluster"], addonName=found.id)

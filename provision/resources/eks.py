"""The control plane of a cluster, its add-ons, and who may use it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from preflight.actions import Action
from preflight.aws import Aws
from preflight.catalogue import CLUSTERS
from preflight.errors import NotFound
from preflight.names import EKS_CLUSTER, NameRule
from preflight.price import Charge
from preflight.quota import Demand
from preflight.resource import (
    INCARNATION_TAG,
    READY,
    RESOURCE_TAG,
    WAIT,
    Evidence,
    Failed,
    Found,
    Ids,
    Owner,
    Readiness,
    Resource,
    State,
    tag_map,
    tagged,
)
from provision.resources.iam import Role
from provision.resources.kms import Key
from provision.resources.logs import LogGroup
from provision.resources.security import SecurityGroup
from provision.resources.vpc import Subnet

_EKS = "arn:{owner.partition}:eks:{owner.region}:{owner.account}:"
_IAM = "arn:{owner.partition}:iam::{owner.account}:"
_CLUSTER_ARN = _EKS + "cluster/{self.cluster_name}"
#: For the kinds that live in a cluster.
PARENT_ARN = _EKS + "cluster/{self.cluster.cluster_name}"
_ADDON_ARN = _EKS + "addon/{self.cluster.cluster_name}/{self.name}/*"
_ENTRY_ARN = _EKS + "access-entry/{self.cluster.cluster_name}/*"
_KEYS = "arn:{owner.partition}:kms:{owner.region}:{owner.account}:key/*"


def cluster_name(owner: Owner) -> str:
    """Give the name EKS knows the owner's cluster by."""
    return owner.eks_name


def pass_role(role: str) -> Action:
    """Declare that a role is handed to EKS; `role` is the field that holds it."""
    return Action(
        name="iam:PassRole",
        on=(f"{_IAM}role{{self.{role}.path}}{{self.{role}.role_name}}",),
        context={"iam:PassedToService": "eks.amazonaws.com"},
        by_hand=True,
    )


def service_linked_role(service: str, role: str) -> tuple[Action, ...]:
    """Declare what EKS does in the caller's name when it uses a service-linked role.

    It looks for the role, and makes it in an account that never had one.
    https://docs.aws.amazon.com/eks/latest/userguide/using-service-linked-roles.html
    """
    arn = f"{_IAM}role/aws-service-role/{service}/{role}"
    return (
        Action(name="iam:GetRole", on=(arn,), by_hand=True),
        Action(
            name="iam:CreateServiceLinkedRole",
            on=(arn,),
            context={"iam:AWSServiceName": service},
            by_hand=True,
        ),
    )


def issues(described: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Read the health issues of anything EKS describes: code and message."""
    found = described.get("health", {}).get("issues", ())
    return tuple((issue.get("code", ""), issue.get("message", "")) for issue in found)


def failure(described: Mapping[str, Any]) -> str:
    """Put a status and its health issues into one line."""
    told = "; ".join(f"{code}: {message}" for code, message in issues(described))
    return f"{described['status']}: {told}" if told else str(described["status"])


def judge(described: Mapping[str, Any]) -> Readiness:
    """Say what EKS's description of a cluster means for whoever waits for it."""
    if described["status"] == "ACTIVE":
        return READY
    if described["status"] in {"FAILED", "DELETING"}:
        return Failed(reason=failure(described))
    return WAIT


def own_cluster(aws: Aws, owner: Owner) -> tuple[dict[str, Any], Evidence] | None:
    """Describe the owner's cluster; None when there is none, or it is somebody else's."""
    try:
        described = aws.call("eks", "DescribeCluster", name=cluster_name(owner))["cluster"]
    except NotFound:
        return None
    evidence = tagged(tag_map(described.get("tags")), owner)
    return None if evidence is None else (described, evidence)


def each_listed(
    aws: Aws, owner: Owner, operation: str, path: str
) -> Iterator[tuple[str, dict[str, Any], Evidence]]:
    """List the names of what lives in the owner's cluster, each with the cluster's description."""
    if (own := own_cluster(aws, owner)) is None:
        return
    cluster, evidence = own
    try:
        for name in aws.each("eks", operation, path, clusterName=cluster["name"]):
            yield name, cluster, evidence
    except NotFound:
        return  # the cluster went between the two calls, and took them with it


class Cluster(Resource):
    """An EKS control plane that only EKS access entries open, with its secrets encrypted.

    `cluster_name` comes from `eks.cluster_name(owner)` and is the id. `version` None takes AWS's
    default. The endpoint is public only for `public_access_cidrs`. Everything is said in the
    creating call: each later change would block the cluster for minutes.
    https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
    """

    kind = "eks/cluster"
    creates = (
        # No resource type is defined for CreateCluster: policies name it on `*`.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html
        Action(name="eks:CreateCluster", tagged=True),
        Action(name="eks:TagResource", on=(_CLUSTER_ARN,), tagged=True, by_hand=True),
        pass_role("role"),
        Action(
            name="iam:GetRole",
            on=(_IAM + "role{self.role.path}{self.role.role_name}",),
            by_hand=True,
        ),
        *service_linked_role("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"),
        Action(name="ec2:DescribeSubnets", by_hand=True),
        Action(name="ec2:DescribeVpcs", by_hand=True),
        Action(name="ec2:DescribeSecurityGroups", by_hand=True),
    )
    finds = (Action(name="eks:DescribeCluster", on=(_CLUSTER_ARN,)),)
    deletes = (Action(name="eks:DeleteCluster", on=(_CLUSTER_ARN,)),)
    dies_after = ("eks/nodegroup",)
    takes = (590.0, 150.0)

    cluster_name: str
    role: Role
    subnets: tuple[Subnet, ...]
    security_groups: tuple[SecurityGroup, ...] = ()
    key: Key | None = None
    #: Must be there first, or EKS makes it without retention; and die later, or EKS revives it.
    log_group: LogGroup | None = None
    version: str | None = None
    endpoint_private: bool = True
    public_access_cidrs: tuple[str, ...] = ()
    logging: tuple[str, ...] = ("api", "audit", "authenticator")
    authentication_mode: str = "API"
    service_cidr: str | None = None

    def __post_init__(self) -> None:
        """Declare the use of the key, where there is one."""
        if self.key is not None:
            names = ("kms:DescribeKey", "kms:CreateGrant")
            uses = tuple(Action(name=name, on=(_KEYS,), by_hand=True) for name in names)
            object.__setattr__(self, "creates", (*type(self).creates, *uses))

    def demands(self) -> Iterator[Demand]:
        """One of the clusters of the Region."""
        yield Demand(quota=CLUSTERS)

    def charges(self) -> Iterator[Charge]:
        """A control plane costs by the hour."""
        yield Charge(sku="eks/cluster")

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The cluster's name."""
        yield EKS_CLUSTER, self.cluster_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the cluster. Raises `Propagating` while EKS does not know the role yet."""
        answer = aws.call(
            "eks",
            "CreateCluster",
            name=self.cluster_name,
            roleArn=ids[self.role],
            resourcesVpcConfig={
                "subnetIds": [ids[subnet] for subnet in self.subnets],
                "securityGroupIds": [ids[group] for group in self.security_groups],
                **self._endpoint(),
            },
            accessConfig={
                "bootstrapClusterCreatorAdminPermissions": False,
                "authenticationMode": self.authentication_mode,
            },
            bootstrapSelfManagedAddons=False,
            clientRequestToken=token,
            tags=ids.owner.tags(self.address),
            **self._optional(ids),
        )
        return str(answer["cluster"]["name"])

    def _endpoint(self) -> dict[str, Any]:
        public = list(self.public_access_cidrs)
        return {
            "endpointPrivateAccess": self.endpoint_private,
            "endpointPublicAccess": bool(public),
            **({"publicAccessCidrs": public} if public else {}),
        }

    def _optional(self, ids: Ids) -> dict[str, Any]:
        request: dict[str, Any] = {}
        if self.version is not None:
            request["version"] = self.version
        if self.logging:
            enabled = {"types": list(self.logging), "enabled": True}
            request["logging"] = {"clusterLogging": [enabled]}
        if self.key is not None:
            request["encryptionConfig"] = [
                {"resources": ["secrets"], "provider": {"keyArn": ids[self.key]}}
            ]
        if self.service_cidr is not None:
            request["kubernetesNetworkConfig"] = {"serviceIpv4Cidr": self.service_cidr}
        return request

    def ready(self, aws: Aws, ids: Ids, id: str) -> Readiness:
        """Say whether it is ACTIVE; a FAILED one never will be."""
        del ids
        return judge(aws.call("eks", "DescribeCluster", name=id)["cluster"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by the exact name, then by tag: one call."""
        if (own := own_cluster(aws, owner)) is None:
            return
        described, evidence = own
        tags = tag_map(described.get("tags"))
        yield Found(
            kind=cls.kind,
            id=described["name"],
            region=owner.region,
            arn=described["arn"],
            name=described["name"],
            address=tags.get(RESOURCE_TAG, ""),
            cluster=owner.cluster,
            incarnation=tags.get(INCARNATION_TAG, ""),
            state=State.GOING if described["status"] == "DELETING" else State.PRESENT,
            note=failure(described) if issues(described) else "",
            evidence=(evidence,),
            created=described.get("createdAt"),
            charges=(Charge(sku="eks/cluster"),),
        )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; refused while it has node groups."""
        aws.call("eks", "DeleteCluster", name=found.id)


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
        return WAIT

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


class AccessEntry(Resource):
    """Lets an IAM principal into a cluster: a `role` of the plan, or any ARN as `principal`.

    `policy` is an EKS access policy by name (`AmazonEKSClusterAdminPolicy`), `groups` are
    Kubernetes groups. The id is the principal's ARN.
    https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
    """

    kind = "eks/access-entry"
    creates = (
        Action(
            name="eks:CreateAccessEntry",
            on=(PARENT_ARN,),
            context={"eks:accessEntryType": "STANDARD"},
            tagged=True,
        ),
        Action(name="eks:TagResource", on=(_ENTRY_ARN,), tagged=True, by_hand=True),
        Action(
            name="eks:AssociateAccessPolicy",
            on=(_ENTRY_ARN,),
            context={
                "eks:policyArn": "arn:{owner.partition}:eks::aws:cluster-access-policy"
                "/{self.policy}",
                "eks:accessScope": "cluster",
            },
        ),
    )
    finds = (
        Action(name="eks:DescribeCluster", on=(PARENT_ARN,)),
        Action(name="eks:ListAccessEntries", on=(PARENT_ARN,)),
        Action(name="eks:DescribeAccessEntry", on=(_ENTRY_ARN,)),
    )
    deletes = (Action(name="eks:DeleteAccessEntry", on=(_ENTRY_ARN,)),)
    dies_with = "eks/cluster"

    cluster: Cluster
    principal: str = ""
    role: Role | None = None
    policy: str = ""
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Leave out the access policy where there is none."""
        if not self.policy:
            name = "eks:AssociateAccessPolicy"
            fewer = tuple(action for action in type(self).creates if action.name != name)
            object.__setattr__(self, "creates", fewer)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the entry. Raises `Propagating` while EKS does not know the principal yet."""
        principal = ids[self.role] if self.role is not None else self.principal
        groups: dict[str, Any] = {"kubernetesGroups": list(self.groups)} if self.groups else {}
        answer = aws.call(
            "eks",
            "CreateAccessEntry",
            clusterName=ids[self.cluster],
            principalArn=principal,
            type="STANDARD",
            clientRequestToken=token,
            tags=ids.owner.tags(self.address),
            **groups,
        )
        return str(answer["accessEntry"]["principalArn"])

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Say what the principal may do in the whole cluster."""
        if self.policy:
            partition = ids.owner.partition
            aws.call(
                "eks",
                "AssociateAccessPolicy",
                clusterName=ids[self.cluster],
                principalArn=id,
                policyArn=f"arn:{partition}:eks::aws:cluster-access-policy/{self.policy}",
                accessScope={"type": "cluster"},
            )

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag in the owner's cluster: EKS makes entries of its own for node groups."""
        for arn, cluster, _ in each_listed(aws, owner, "ListAccessEntries", "accessEntries"):
            try:
                entry = aws.call(
                    "eks", "DescribeAccessEntry", clusterName=cluster["name"], principalArn=arn
                )["accessEntry"]
            except NotFound:
                continue
            tags = tag_map(entry.get("tags"))
            if (evidence := tagged(tags, owner)) is None:
                continue
            yield Found(
                kind=cls.kind,
                id=arn,
                region=owner.region,
                arn=entry.get("accessEntryArn", ""),
                name=arn,
                address=tags.get(RESOURCE_TAG, ""),
                cluster=owner.cluster,
                incarnation=tags.get(INCARNATION_TAG, ""),
                evidence=(evidence,),
                detail={"cluster": cluster["name"]},
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion: the principal is locked out at once."""
        aws.call(
            "eks", "DeleteAccessEntry", clusterName=found.detail["cluster"], principalArn=found.id
        )

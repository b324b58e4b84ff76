"""The control plane of a cluster, its add-ons, and who may use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from preflight.names import EKS_CLUSTER, NameRule
from preflight.price import Charge
from preflight.quota import Demand
from preflight.quotas.catalogue import CLUSTERS
from preflight.resource import READY, WAIT, Failed, Ids, Readiness, Resource
from provision.resources.kms import Key
from provision.resources.logs import LogGroup
from provision.resources.roles import Role
from provision.resources.security import SecurityGroup
from provision.resources.vpc import Subnet

_EKS = "arn:{owner.partition}:eks:{owner.region}:{owner.account}:"
_IAM = "arn:{owner.partition}:iam::{owner.account}:"
_CLUSTER_ARN = _EKS + "cluster/{self.cluster_name}"
#: For the kinds that live in a cluster.
PARENT_ARN = _EKS + "cluster/{self.cluster.cluster_name}"
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

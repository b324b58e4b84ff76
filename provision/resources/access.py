"""EKS access entries: which IAM principals a cluster lets in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from preflight.actions import Action
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import Found, Owner, tag_map
from preflight.resource import Ids, Resource
from provision.resources.eks import PARENT_ARN, Cluster, each_listed
from provision.resources.roles import Role

_EKS = "arn:{owner.partition}:eks:{owner.region}:{owner.account}:"
_ENTRY_ARN = _EKS + "access-entry/{self.cluster.cluster_name}/*"


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
            here = Found(
                kind=cls.kind,
                id=arn,
                region=owner.region,
                arn=entry.get("accessEntryArn", ""),
                name=arn,
                detail={"cluster": cluster["name"]},
            )
            if (ours := here.owned(tags, owner)) is not None:
                yield ours

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion: the principal is locked out at once."""
        aws.call(
            "eks", "DeleteAccessEntry", clusterName=found.detail["cluster"], principalArn=found.id
        )

"""Instance profiles that Karpenter made for its nodes; each holds on to the role of the nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import Evidence, Found, Owner, Strength
from preflight.resource import Kind

_ARN = "arn:{owner.partition}:iam::{owner.account}:instance-profile/karpenter/{owner.region}/*"


class InstanceProfile(Kind):
    """An instance profile under the path that names Region and cluster.

    https://github.com/aws/karpenter-provider-aws/blob/main/pkg/providers/instanceprofile/instanceprofile.go
    """

    kind = "iam/instance-profile"
    finds = actions("iam:ListInstanceProfiles")
    deletes = (
        Action(name="iam:RemoveRoleFromInstanceProfile", on=(_ARN,)),
        Action(name="iam:DeleteInstanceProfile", on=(_ARN,)),
    )
    dies_after = ("ec2/instance",)

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by path, which ends in a slash: `prod` is not `prod-2`, nor another Region's."""
        own = f"/karpenter/{owner.region}/{owner.eks_name}/"
        for listed in aws.each("iam", "ListInstanceProfiles", "InstanceProfiles", PathPrefix=own):
            if not listed["Path"].startswith(own):
                continue
            roles = listed.get("Roles", ())
            yield Found(
                kind=cls.kind,
                id=listed["InstanceProfileName"],
                region=owner.region,
                arn=listed["Arn"],
                name=listed["InstanceProfileName"],
                cluster=owner.cluster,
                evidence=(Evidence(strength=Strength.A, text=f"path {own}"),),
                created=listed.get("CreateDate"),
                blocks=tuple(role["Arn"] for role in roles),
                detail={"role": roles[0]["RoleName"]} if roles else {},
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Take its role out, then delete it: IAM refuses a profile that has one."""
        if role := found.detail.get("role"):
            with suppress(NotFound):
                aws.call(
                    "iam",
                    "RemoveRoleFromInstanceProfile",
                    InstanceProfileName=found.id,
                    RoleName=role,
                )
        aws.call("iam", "DeleteInstanceProfile", InstanceProfileName=found.id)

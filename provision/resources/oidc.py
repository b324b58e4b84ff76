"""A cluster as an identity source: pods of it can act as IAM roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Found, Owner, tag_map
from preflight.quota import Demand
from preflight.quotas.catalogue import OIDC_PROVIDERS
from preflight.resource import Ids, Resource
from provision.resources.iam import tag_list

if TYPE_CHECKING:
    from provision.resources.eks import Cluster

_OIDC_ARN = "arn:{owner.partition}:iam::{owner.account}:oidc-provider/oidc.eks.{owner.region}.*"


class OidcProvider(Resource):
    """Lets the account trust the tokens of a cluster's pods (IAM roles for service accounts).

    AWS checks EKS issuers against its own list of authorities, so no thumbprint is given.
    https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html
    """

    kind = "iam/oidc-provider"
    creates = (
        Action(
            name="eks:DescribeCluster",
            on=(
                "arn:{owner.partition}:eks:{owner.region}:{owner.account}"
                ":cluster/{self.cluster.cluster_name}",
            ),
        ),
        Action(name="iam:CreateOpenIDConnectProvider", on=(_OIDC_ARN,), tagged=True),
        Action(name="iam:TagOpenIDConnectProvider", on=(_OIDC_ARN,), tagged=True, by_hand=True),
    )
    finds = (
        *actions("iam:ListOpenIDConnectProviders"),
        Action(name="iam:ListOpenIDConnectProviderTags", on=(_OIDC_ARN,)),
    )
    deletes = (Action(name="iam:DeleteOpenIDConnectProvider", on=(_OIDC_ARN,)),)

    cluster: Cluster

    def demands(self) -> Iterator[Demand]:
        """One of the account's OpenID Connect providers."""
        yield Demand(quota=OIDC_PROVIDERS)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Read the cluster's issuer and register it; its URL is unique in the account."""
        del token
        described = aws.call("eks", "DescribeCluster", name=ids[self.cluster])["cluster"]
        answer = aws.call(
            "iam",
            "CreateOpenIDConnectProvider",
            Url=described["identity"]["oidc"]["issuer"],
            ClientIDList=["sts.amazonaws.com"],
            Tags=tag_list(ids, self),
        )
        return str(answer["OpenIDConnectProviderArn"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag among the issuers that EKS has in this Region."""
        path = "OpenIDConnectProviderList[].Arn"
        for arn in aws.each("iam", "ListOpenIDConnectProviders", path):
            if f":oidc-provider/oidc.eks.{owner.region}." not in arn:
                continue
            listed = aws.each(
                "iam", "ListOpenIDConnectProviderTags", "Tags", OpenIDConnectProviderArn=arn
            )
            tags = tag_map(list(listed))
            here = Found(
                kind=cls.kind,
                id=arn,
                region=owner.region,
                arn=arn,
                name=arn.split(":oidc-provider/", 1)[1],
            )
            if (ours := here.owned(tags, owner)) is not None:
                yield ours

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Forget the issuer; asking twice is no error."""
        aws.call("iam", "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=found.id)

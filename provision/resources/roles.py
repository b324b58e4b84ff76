"""Roles: what AWS services, pods and vendors act as."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Found, Owner
from preflight.names import ROLE, NameRule
from preflight.quota import Demand
from preflight.quotas.catalogue import MANAGED_POLICIES_PER_ROLE, ROLES
from preflight.resource import Ids, Resource
from provision.resources.iam import path, tag_list, under_path
from provision.resources.policies import Policy, arn_template

if TYPE_CHECKING:
    from provision.resources.oidc import OidcProvider

_ROLE_ARN = "arn:{owner.partition}:iam::{owner.account}:role{self.path}{self.role_name}"
_PROFILE_ARN = "arn:{owner.partition}:iam::{owner.account}:instance-profile/*"


class Role(Resource):
    """An identity that AWS services or pods act as.

    Who may assume it: `services` (`eks.amazonaws.com`), a `trust` document of one's own, or a
    Kubernetes service account (`namespace:name`) by way of the cluster's `identity_source`.
    `path_prefix` comes from `iam.path(owner)` and `role_name` from `iam.role_name(owner, name)`.
    `inline` maps names to policy documents, `max_session` is in seconds, and `boundary` is the
    ARN of a permissions boundary. The id is the ARN.
    """

    kind = "iam/role"
    creates = (
        Action(name="iam:CreateRole", on=(_ROLE_ARN,), tagged=True),
        Action(name="iam:TagRole", on=(_ROLE_ARN,), tagged=True, by_hand=True),
        Action(name="iam:UpdateAssumeRolePolicy", on=(_ROLE_ARN,)),
        Action(name="iam:AttachRolePolicy", on=(_ROLE_ARN,)),
        Action(name="iam:PutRolePolicy", on=(_ROLE_ARN,)),
    )
    finds = actions("iam:ListRoles")
    deletes = (
        Action(name="iam:ListAttachedRolePolicies", on=(_ROLE_ARN,)),
        Action(name="iam:DetachRolePolicy", on=(_ROLE_ARN,)),
        Action(name="iam:ListRolePolicies", on=(_ROLE_ARN,)),
        Action(name="iam:DeleteRolePolicy", on=(_ROLE_ARN,)),
        Action(name="iam:ListInstanceProfilesForRole", on=(_ROLE_ARN,)),
        Action(name="iam:RemoveRoleFromInstanceProfile", on=(_PROFILE_ARN,)),
        Action(name="iam:DeleteRole", on=(_ROLE_ARN,)),
    )
    #: Nodes that lose their role keep their network interfaces and instances behind.
    dies_after = ("eks/nodegroup", "eks/cluster")
    #: Pods' roles name it, it names the cluster, and that needs a role: this breaks the ring.
    outlives = ("iam/oidc-provider",)

    path_prefix: str
    role_name: str
    services: tuple[str, ...] = ()
    trust: Mapping[str, Any] = field(default_factory=dict)
    identity_source: OidcProvider | None = None
    service_account: str = ""
    managed: tuple[str, ...] = ()
    policies: tuple[Policy, ...] = ()
    inline: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    max_session: int = 3600
    boundary: str = ""

    def __post_init__(self) -> None:
        """Declare what this very role needs: an account may allow some policies and not others."""
        own = {"iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"}
        always = (action for action in type(self).creates if action.name not in own)
        object.__setattr__(self, "creates", (*self._own(), *always))

    def _own(self) -> Iterator[Action]:
        bounded = {"iam:PermissionsBoundary": self.boundary} if self.boundary else {}
        yield Action(name="iam:CreateRole", on=(_ROLE_ARN,), context=bounded, tagged=True)
        own = tuple(arn_template(policy) for policy in self.policies)
        for arn in (*self.managed, *own):
            yield Action(
                name="iam:AttachRolePolicy", on=(_ROLE_ARN,), context={"iam:PolicyARN": arn}
            )
        if self.inline:
            yield Action(name="iam:PutRolePolicy", on=(_ROLE_ARN,))

    @property
    def path(self) -> str:
        """Its own path, whose last part is its name in the plan."""
        return f"{self.path_prefix}{self.name}/"

    def demands(self) -> Iterator[Demand]:
        """One of the account's roles, and its share of policies within itself."""
        yield Demand(quota=ROLES)
        attached = len(self.managed) + len(self.policies)
        if attached:
            yield Demand(quota=MANAGED_POLICIES_PER_ROLE, amount=attached, within=self.address)

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The role's name."""
        yield ROLE, self.role_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the role and give its ARN. IAM has no client token: the name is unique."""
        del token
        request: dict[str, Any] = {"PermissionsBoundary": self.boundary} if self.boundary else {}
        answer = aws.call(
            "iam",
            "CreateRole",
            RoleName=self.role_name,
            Path=self.path,
            AssumeRolePolicyDocument=self._trust(ids),
            MaxSessionDuration=self.max_session,
            Tags=tag_list(ids, self),
            **request,
        )
        return str(answer["Role"]["Arn"])

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Set the trust again, for a role that was there before, and put the policies."""
        del id
        name = self.role_name
        aws.call("iam", "UpdateAssumeRolePolicy", RoleName=name, PolicyDocument=self._trust(ids))
        for arn in (*self.managed, *(ids[policy] for policy in self.policies)):
            aws.call("iam", "AttachRolePolicy", RoleName=name, PolicyArn=arn)
        for title, document in sorted(self.inline.items()):
            text = json.dumps(document, sort_keys=True)
            aws.call("iam", "PutRolePolicy", RoleName=name, PolicyName=title, PolicyDocument=text)

    def _trust(self, ids: Ids) -> str:
        statements: list[Any] = list(self.trust.get("Statement", ()))
        if self.services:
            statements.append(
                {
                    "Effect": "Allow",
                    "Principal": {"Service": sorted(self.services)},
                    "Action": "sts:AssumeRole",
                }
            )
        if self.identity_source is not None:
            statements.append(_of_service_account(ids[self.identity_source], self.service_account))
        return json.dumps({"Version": "2012-10-17", "Statement": statements}, sort_keys=True)

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by path: one listing, whatever else the account holds."""
        own = path(owner)
        for listed in aws.each("iam", "ListRoles", "Roles", PathPrefix=own):
            if listed["Path"].startswith(own):
                yield under_path(cls, owner, listed, listed["RoleName"])

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Take everything off the role, then delete it: IAM refuses a role that has anything."""
        name = found.id.rsplit("/", 1)[-1]
        for policy in aws.each(
            "iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName=name
        ):
            aws.call("iam", "DetachRolePolicy", RoleName=name, PolicyArn=policy["PolicyArn"])
        for title in aws.each("iam", "ListRolePolicies", "PolicyNames", RoleName=name):
            aws.call("iam", "DeleteRolePolicy", RoleName=name, PolicyName=title)
        for profile in aws.each(
            "iam", "ListInstanceProfilesForRole", "InstanceProfiles", RoleName=name
        ):
            aws.call(
                "iam",
                "RemoveRoleFromInstanceProfile",
                RoleName=name,
                InstanceProfileName=profile["InstanceProfileName"],
            )
        aws.call("iam", "DeleteRole", RoleName=name)


def _of_service_account(source_arn: str, service_account: str) -> dict[str, Any]:
    """Trust one Kubernetes service account of one cluster.

    https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
    """
    issuer = source_arn.split(":oidc-provider/", 1)[1]
    return {
        "Effect": "Allow",
        "Principal": {"Federated": source_arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                f"{issuer}:aud": "sts.amazonaws.com",
                f"{issuer}:sub": f"system:serviceaccount:{service_account}",
            }
        },
    }

"""Identities: the roles of a cluster, their policies, and the cluster as an identity source.

IAM is global and lists no tags, so an owner's things live under a path of their own that holds the
cluster, the Region and the name within the plan: one listing by path finds exactly them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.catalogue import MANAGED_POLICIES_PER_ROLE, POLICIES, ROLES
from preflight.found import Evidence, Found, Owner, Strength
from preflight.names import POLICY, ROLE, NameRule, derive
from preflight.quota import Demand
from preflight.resource import Ids, Resource

if TYPE_CHECKING:
    from provision.resources.oidc import OidcProvider

_ROLE_ARN = "arn:{owner.partition}:iam::{owner.account}:role{self.path}{self.role_name}"
_POLICY_ARN = "arn:{owner.partition}:iam::{owner.account}:policy{self.path}{self.policy_name}"
_PROFILE_ARN = "arn:{owner.partition}:iam::{owner.account}:instance-profile/*"


def path(owner: Owner) -> str:
    """Give the path all of an owner's roles and policies are under: `/preflight/dev--us-west-2/`.

    The Region is part of it because a cluster of another Region may have the same name.
    """
    return f"/preflight/{derive(ROLE, owner.cluster, owner.region)}/"


def role_name(owner: Owner, name: str) -> str:
    """Name the role that the plan calls `name`; role names are unique in an account."""
    return derive(ROLE, owner.cluster, f"{owner.region}-{name}")


def policy_name(owner: Owner, name: str) -> str:
    """Name the policy that the plan calls `name`; policy names are unique in an account."""
    return derive(POLICY, owner.cluster, f"{owner.region}-{name}")


def _policy_arn(policy: Policy) -> str:
    return _POLICY_ARN.replace("{self.path}", policy.path).replace(
        "{self.policy_name}", policy.policy_name
    )


def tag_list(ids: Ids, resource: Resource) -> list[dict[str, str]]:
    """Write an owner's tags as IAM takes them."""
    tags = ids.owner.tags(resource.address)
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _under_path(cls: type[Resource], owner: Owner, listed: Mapping[str, Any], name: str) -> Found:
    own = path(owner)
    return Found(
        kind=cls.kind,
        id=str(listed["Arn"]),
        region=owner.region,
        arn=str(listed["Arn"]),
        name=name,
        address=f"{cls.kind}/{str(listed['Path']).removeprefix(own).rstrip('/')}",
        cluster=owner.cluster,
        evidence=(Evidence(strength=Strength.A, text=f"path {own}"),),
        created=listed.get("CreateDate"),
    )


class Policy(Resource):
    """A customer managed policy, for documents too long or too shared to be inline.

    `document` is the policy in IAM's JSON as a mapping; `path` comes from `iam.path(owner)` and
    `policy_name` from `iam.policy_name(owner, name)`.
    """

    kind = "iam/policy"
    creates = (
        Action(name="iam:CreatePolicy", on=(_POLICY_ARN,), tagged=True),
        Action(name="iam:TagPolicy", on=(_POLICY_ARN,), tagged=True, by_hand=True),
    )
    finds = actions("iam:ListPolicies")
    deletes = (
        Action(name="iam:ListPolicyVersions", on=(_POLICY_ARN,)),
        Action(name="iam:DeletePolicyVersion", on=(_POLICY_ARN,)),
        Action(name="iam:DeletePolicy", on=(_POLICY_ARN,)),
    )
    #: Deletion is refused while it is attached to a role.
    dies_after = ("iam/role",)

    path_prefix: str
    policy_name: str
    document: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Its own path, whose last part is its name in the plan."""
        return f"{self.path_prefix}{self.name}/"

    def demands(self) -> Iterator[Demand]:
        """One of the customer managed policies of the account."""
        yield Demand(quota=POLICIES)

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The policy's name."""
        yield POLICY, self.policy_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the policy and give its ARN. IAM has no client token: the name is unique."""
        del token
        answer = aws.call(
            "iam",
            "CreatePolicy",
            PolicyName=self.policy_name,
            Path=self.path,
            PolicyDocument=json.dumps(self.document, sort_keys=True),
            Tags=tag_list(ids, self),
        )
        return str(answer["Policy"]["Arn"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by path; policies of AWS itself are left out by the call."""
        own = path(owner)
        for listed in aws.each("iam", "ListPolicies", "Policies", Scope="Local", PathPrefix=own):
            if listed["Path"].startswith(own):
                yield _under_path(cls, owner, listed, listed["PolicyName"])

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Delete its older versions, then the policy; refused while it is attached.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
        """
        for version in aws.each("iam", "ListPolicyVersions", "Versions", PolicyArn=found.id):
            if not version["IsDefaultVersion"]:
                aws.call(
                    "iam",
                    "DeletePolicyVersion",
                    PolicyArn=found.id,
                    VersionId=version["VersionId"],
                )
        aws.call("iam", "DeletePolicy", PolicyArn=found.id)


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
        own = tuple(_policy_arn(policy) for policy in self.policies)
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
                yield _under_path(cls, owner, listed, listed["RoleName"])

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

"""Customer managed policies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Found, Owner
from preflight.names import POLICY, NameRule
from preflight.quota import Demand
from preflight.quotas.catalogue import POLICIES
from preflight.resource import Ids, Resource
from provision.resources.iam import path, tag_list, under_path

_POLICY_ARN = "arn:{owner.partition}:iam::{owner.account}:policy{self.path}{self.policy_name}"


def arn_template(policy: Policy) -> str:
    """Give the ARN a policy will have, with the owner still to be filled in."""
    return _POLICY_ARN.replace("{self.path}", policy.path).replace(
        "{self.policy_name}", policy.policy_name
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
                yield under_path(cls, owner, listed, listed["PolicyName"])

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

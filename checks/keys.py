"""Which condition keys the calls of a plan carry, which they surely do not, and which they may.

Everything else is for a real request to tell.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from checks.batches import Keys, Question
from preflight.found import CLUSTER_TAG, Owner

#: Keys that only some actions carry: to any other they are absent, not missing.
#: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
#: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
#: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html
OF_SOME_ACTIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "ec2:createaction": frozenset({"ec2:CreateTags"}),
        "ec2:vpceservicename": frozenset({"ec2:CreateVpcEndpoint", "ec2:DeleteVpcEndpoints"}),
        "ec2:vpceserviceowner": frozenset({"ec2:CreateVpcEndpoint"}),
        "eks:accessentrytype": frozenset({"eks:CreateAccessEntry"}),
        "eks:accessscope": frozenset({"eks:AssociateAccessPolicy"}),
        "eks:policyarn": frozenset({"eks:AssociateAccessPolicy"}),
        "events:targetarn": frozenset({"events:PutTargets"}),
        "iam:associatedresourcearn": frozenset({"iam:PassRole"}),
        "iam:awsservicename": frozenset({"iam:CreateServiceLinkedRole"}),
        "iam:passedtoservice": frozenset({"iam:PassRole"}),
        "iam:policyarn": frozenset({"iam:AttachRolePolicy", "iam:DetachRolePolicy"}),
    }
)
#: Whatever a request does not carry of these is known to be absent: the tags are Preflight's own.
KNOWN = ("aws:requesttag/", "aws:tagkeys", "aws:requestedregion")
#: Keys of calls that an AWS service makes with the rights of the caller: Preflight's own calls have
#: none, and these are the actions that services do take in its name.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
FORWARDED = "aws:calledvia"
VIA_SERVICE = "aws:ViaAWSService"
IN_OUR_NAME = frozenset(
    """
    ec2:CreateTags ec2:DescribeLaunchTemplateVersions ec2:DescribeSecurityGroups
    ec2:DescribeSubnets ec2:DescribeVpcs ec2:RunInstances iam:CreateServiceLinkedRole iam:GetRole
    iam:ListAttachedRolePolicies iam:PassRole kms:CreateGrant kms:DescribeKey
    logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups
    logs:DescribeResourcePolicies logs:PutResourcePolicy route53:AssociateVPCWithHostedZone
    """.split()
)
_RESOURCE_TAG = "aws:resourcetag/"


def of_principal(arn: str) -> Keys:
    """Give what every request of a user, or of a session of a role, carries about who makes it."""
    account, kind = arn.split(":")[4], arn.split(":", 5)[5].partition("/")[0]
    keys = {
        "aws:PrincipalAccount": account,
        "aws:PrincipalArn": arn,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "User" if kind == "user" else "AssumedRole",
        "aws:SecureTransport": "true",
    }
    if kind == "user":
        keys["aws:username"] = arn.rpartition("/")[2]
    return tuple(keys.items())


def of_resource(arn: str, account: str) -> dict[str, str]:
    """Give the owner of a resource where it is the account's own: AWS's images are not.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount
    """
    parts = arn.split(":")
    own = len(parts) > 4 and (parts[4] == account or parts[2] == "s3")
    return {"aws:ResourceAccount": account} if own else {}


def surely(question: Question) -> dict[str, str]:
    """Give what the call carries beyond what each question is first asked with."""
    return {} if question.action in IN_OUR_NAME else {VIA_SERVICE: "false"}


def perhaps(question: Question, owner: Owner) -> dict[str, str]:
    """Give the tag that a thing of the cluster has, where it is open whether the call tells it.

    AWS tells tags of a resource to some actions and not to others, and at once or later.
    """
    key = f"aws:ResourceTag/{CLUSTER_TAG}"
    return {} if is_absent(key.lower(), question) else {key: owner.cluster}


def is_absent(key: str, question: Question) -> bool:
    """Say whether a key (lower case) that a question was not given is surely not in the request."""
    if key.startswith(FORWARDED):
        return question.action not in IN_OUR_NAME
    if key.startswith(_RESOURCE_TAG):
        # What is being made has no tags yet, and nothing has none.
        return question.resource == "*" or any(name == "aws:TagKeys" for name, _ in question.common)
    if key.startswith(KNOWN):
        return True
    return question.action not in OF_SOME_ACTIONS.get(key, {question.action})


def relevant(missing: Iterable[str], question: Question) -> tuple[str, ...]:
    """Pick the missing keys that could turn an answer.

    The simulator lists those of all policies; a key of another AWS product than the action's is
    never in its requests.
    """
    products = {"aws", question.action.partition(":")[0]}
    return tuple(
        key
        for key in missing
        if not is_absent(key.lower(), question) and key.lower().partition(":")[0] in products
    )

"""IAM actions: what a call must be allowed to do, with the ARNs and context it really carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

#: The IAM prefix of a client's actions where it is not the client's own name.
#: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "elb": "elasticloadbalancing",
        "elbv2": "elasticloadbalancing",
        "service-quotas": "servicequotas",
        "resourcegroupstaggingapi": "tag",
    }
)

#: Operations whose IAM action has another name. S3's are the notorious ones:
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "s3:ListBuckets": "s3:ListAllMyBuckets",
        "s3:HeadBucket": "s3:ListBucket",
        "s3:ListObjectsV2": "s3:ListBucket",
        "s3:ListObjectVersions": "s3:ListBucketVersions",
        "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
        "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
        "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
        "s3:DeleteObjects": "s3:DeleteObject",
    }
)

Conditions = Mapping[str, str | tuple[str, ...]]


def action_of(service: str, operation: str) -> str:
    """Name the IAM action of an operation: `action_of("elbv2", "DescribeTags")`."""
    action = f"{PREFIXES.get(service, service)}:{operation}"
    return RENAMED.get(action, action)


@dataclass(frozen=True, kw_only=True)
class Action:
    """An IAM action with what it acts on.

    `name` is `ec2:CreateSubnet`. `on` are ARNs, and `context` the condition keys of the call; both
    may hold `{owner.account}`, `{owner.region}`, `{owner.partition}`, `{owner.cluster}` and
    `{self.FIELD}`, filled in by `of`. `tagged` says that the call carries Preflight's tags, which
    policies may ask for. `by_hand` marks an action that has no call of its own to be recorded
    (iam:PassRole, tag-on-create, service-linked roles).
    """

    name: str
    on: tuple[str, ...] = ("*",)
    context: Conditions = field(default_factory=dict)
    tagged: bool = False
    by_hand: bool = False

    def of(self, resource: object, owner: object) -> Action:
        """Fill in the templates for one resource of one owner."""

        def fill(text: str) -> str:
            return text.format(self=resource, owner=owner)

        context: dict[str, str | tuple[str, ...]] = {}
        for key, value in self.context.items():
            context[key] = fill(value) if isinstance(value, str) else tuple(map(fill, value))
        return Action(
            name=self.name,
            on=tuple(fill(arn) for arn in self.on),
            context=MappingProxyType(context),
            tagged=self.tagged,
            by_hand=self.by_hand,
        )


def actions(*names: str) -> tuple[Action, ...]:
    """Actions that AWS does not scope to a resource, such as most Describe and List calls."""
    return tuple(Action(name=name) for name in names)

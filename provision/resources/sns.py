"""Topics: where people are told about a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import Found, Owner, tag_map
from preflight.names import TOPIC, NameRule, derive
from preflight.quota import Demand
from preflight.quotas.catalogue import TOPICS
from preflight.resource import Ids, Resource

_ARN = "arn:{owner.partition}:sns:{owner.region}:{owner.account}:{self.topic_name}"
_HEAD = replace(TOPIC, maximum=128)


def prefix(owner: Owner) -> str:
    """Give what the names of an owner's topics begin with: `dev--`."""
    return f"{derive(_HEAD, owner.cluster)}--"


def topic_name(owner: Owner, name: str) -> str:
    """Name the topic that the plan calls `name`: `dev--alarms`."""
    return prefix(owner) + name


class Topic(Resource):
    """A topic encrypted with the key that AWS keeps for SNS.

    `topic_name` comes from `sns.topic_name(owner, name)`; the id is the topic's ARN.
    """

    kind = "sns/topic"
    creates = (
        Action(name="sns:CreateTopic", on=(_ARN,), tagged=True),
        Action(name="sns:TagResource", on=(_ARN,), tagged=True, by_hand=True),
    )
    finds = (
        *actions("sns:ListTopics"),
        Action(name="sns:ListTagsForResource", on=(_ARN,)),
    )
    deletes = (Action(name="sns:DeleteTopic", on=(_ARN,)),)

    topic_name: str

    def demands(self) -> Iterator[Demand]:
        """One of the topics of the account in this Region."""
        yield Demand(quota=TOPICS)

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The topic's name."""
        yield TOPIC, self.topic_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the topic and give its ARN; asking again gives the same one."""
        del token
        tags = sorted(ids.owner.tags(self.address).items())
        answer = aws.call(
            "sns",
            "CreateTopic",
            Name=self.topic_name,
            Attributes={"KmsMasterKeyId": "alias/aws/sns"},
            Tags=[{"Key": key, "Value": value} for key, value in tags],
        )
        return str(answer["TopicArn"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by name, then by tag."""
        own = prefix(owner)
        for arn in aws.each("sns", "ListTopics", "Topics[].TopicArn"):
            name = arn.rsplit(":", 1)[-1]
            if not name.startswith(own):
                continue
            try:
                tags = tag_map(aws.call("sns", "ListTagsForResource", ResourceArn=arn)["Tags"])
            except NotFound:
                continue  # gone since it was listed
            here = Found(
                kind=cls.kind,
                id=arn,
                region=owner.region,
                arn=arn,
                name=name,
            )
            if (ours := here.owned(tags, owner)) is not None:
                yield ours

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Delete it with its subscriptions."""
        aws.call("sns", "DeleteTopic", TopicArn=found.id)

"""Queues: where a cluster hears that nodes are about to go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import Found, Owner, tag_map
from preflight.names import QUEUE, NameRule, derive
from preflight.resource import Ids, Resource

_ARN = "arn:{owner.partition}:sqs:{owner.region}:{owner.account}:{self.queue_name}"
_HEAD = replace(QUEUE, maximum=48)


def prefix(owner: Owner) -> str:
    """Give what the names of an owner's queues begin with: `dev--`."""
    return f"{derive(_HEAD, owner.cluster)}--"


def queue_name(owner: Owner, name: str) -> str:
    """Name the queue that the plan calls `name`: `dev--interruptions`."""
    return prefix(owner) + name


def _arn(owner: Owner, name: str) -> str:
    return f"arn:{owner.partition}:sqs:{owner.region}:{owner.account}:{name}"


class Queue(Resource):
    """An encrypted queue that EventBridge may send to, over TLS only.

    `queue_name` comes from `sqs.queue_name(owner, name)`; the id is the queue's URL. Messages are
    kept for `retention_seconds`. A name is unusable for a minute after its queue was deleted, which
    AWS says with QueueDeletedRecently: `Busy`.
    """

    kind = "sqs/queue"
    creates = (
        Action(name="sqs:CreateQueue", on=(_ARN,), tagged=True),
        Action(name="sqs:TagQueue", on=(_ARN,), tagged=True, by_hand=True),
    )
    finds = (
        *actions("sqs:ListQueues"),
        Action(name="sqs:ListQueueTags", on=(_ARN,)),
    )
    deletes = (Action(name="sqs:DeleteQueue", on=(_ARN,)),)
    takes = (1.0, 60.0)

    queue_name: str
    retention_seconds: int = 300

    def arn(self, owner: Owner) -> str:
        """Give its ARN, which SQS itself does not tell on creation."""
        return _arn(owner, self.queue_name)

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The queue's name."""
        yield QUEUE, self.queue_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the queue and give its URL; asking again with the same settings is no error."""
        del token
        answer = aws.call(
            "sqs",
            "CreateQueue",
            QueueName=self.queue_name,
            Attributes={
                "MessageRetentionPeriod": str(self.retention_seconds),
                "SqsManagedSseEnabled": "true",
                "Policy": json.dumps(_policy(self.arn(ids.owner)), sort_keys=True),
            },
            tags=ids.owner.tags(self.address),
        )
        return str(answer["QueueUrl"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by name, then by tag."""
        own = prefix(owner)
        for url in aws.each("sqs", "ListQueues", "QueueUrls", QueueNamePrefix=own):
            name = url.rsplit("/", 1)[-1]
            if not name.startswith(own):
                continue
            try:
                tags = tag_map(aws.call("sqs", "ListQueueTags", QueueUrl=url).get("Tags"))
            except NotFound:
                continue  # deleted queues are listed for up to a minute
            here = Found(
                kind=cls.kind,
                id=url,
                region=owner.region,
                arn=_arn(owner, name),
                name=name,
            )
            if (ours := here.owned(tags, owner)) is not None:
                yield ours

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion, which takes up to a minute."""
        aws.call("sqs", "DeleteQueue", QueueUrl=found.id)


def _policy(arn: str) -> dict[str, Any]:
    """Let EventBridge send, and nobody without TLS.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "EventsMaySend",
                "Effect": "Allow",
                "Principal": {"Service": ["events.amazonaws.com", "sqs.amazonaws.com"]},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            },
            {
                "Sid": "OnlyOverTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }

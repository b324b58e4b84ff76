"""Event rules: what AWS tells a cluster about its nodes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import AwsError, NotFound
from preflight.found import Found, Owner, tag_map
from preflight.names import EVENT_RULE, NameRule, derive
from preflight.quota import Demand
from preflight.quotas.catalogue import EVENT_RULES
from preflight.resource import Ids, Resource
from provision.resources.sqs import Queue

_ARN = "arn:{owner.partition}:events:{owner.region}:{owner.account}:rule/{self.rule_name}"
_HEAD = replace(EVENT_RULE, maximum=32)
#: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemoveTargets.html
TARGETS_PER_CALL = 10


def prefix(owner: Owner) -> str:
    """Give what the names of an owner's rules begin with: `dev--`."""
    return f"{derive(_HEAD, owner.cluster)}--"


def rule_name(owner: Owner, name: str) -> str:
    """Name the rule that the plan calls `name`: `dev--spot-interruption`."""
    return prefix(owner) + name


class Rule(Resource):
    """Sends the events that fit `pattern` to a queue.

    `pattern` is EventBridge's JSON as a mapping; `rule_name` comes from
    `events.rule_name(owner, name)` and is the id.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
    """

    kind = "events/rule"
    creates = (
        Action(name="events:PutRule", on=(_ARN,), tagged=True),
        Action(name="events:TagResource", on=(_ARN,), tagged=True, by_hand=True),
        Action(
            name="events:PutTargets",
            on=(_ARN,),
            context={
                "events:TargetArn": "arn:{owner.partition}:sqs:{owner.region}:{owner.account}"
                ":{self.queue.queue_name}"
            },
        ),
    )
    finds = (
        *actions("events:ListRules"),
        Action(name="events:ListTagsForResource", on=(_ARN,)),
    )
    deletes = (
        Action(name="events:ListTargetsByRule", on=(_ARN,)),
        Action(name="events:RemoveTargets", on=(_ARN,)),
        Action(name="events:DeleteRule", on=(_ARN,)),
    )

    rule_name: str
    pattern: Mapping[str, Any]
    queue: Queue

    def demands(self) -> Iterator[Demand]:
        """One of the rules of the default event bus."""
        yield Demand(quota=EVENT_RULES, within="default")

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The rule's name."""
        yield EVENT_RULE, self.rule_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Put the rule: asking again changes nothing."""
        del token
        tags = sorted(ids.owner.tags(self.address).items())
        aws.call(
            "events",
            "PutRule",
            Name=self.rule_name,
            EventPattern=json.dumps(self.pattern, sort_keys=True),
            State="ENABLED",
            Tags=[{"Key": key, "Value": value} for key, value in tags],
        )
        return self.rule_name

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Send what fits to the queue."""
        target = {"Id": "queue", "Arn": self.queue.arn(ids.owner)}
        _all_done("PutTargets", aws.call("events", "PutTargets", Rule=id, Targets=[target]))

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by name, then by tag."""
        own = prefix(owner)
        for rule in aws.each("events", "ListRules", "Rules", NamePrefix=own):
            if not rule["Name"].startswith(own):
                continue
            try:
                answer = aws.call("events", "ListTagsForResource", ResourceARN=rule["Arn"])
            except NotFound:
                continue  # gone since it was listed
            tags = tag_map(answer["Tags"])
            here = Found(
                kind=cls.kind,
                id=rule["Name"],
                region=owner.region,
                arn=rule["Arn"],
                name=rule["Name"],
            )
            if (ours := here.owned(tags, owner)) is not None:
                yield ours

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Take its targets away, then delete it: a rule with targets is refused."""
        listed = aws.each("events", "ListTargetsByRule", "Targets", Rule=found.id)
        targets = [target["Id"] for target in listed]
        for start in range(0, len(targets), TARGETS_PER_CALL):
            some = targets[start : start + TARGETS_PER_CALL]
            _all_done("RemoveTargets", aws.call("events", "RemoveTargets", Rule=found.id, Ids=some))
        aws.call("events", "DeleteRule", Name=found.id)


def _all_done(operation: str, answer: Mapping[str, Any]) -> None:
    """Raise `AwsError` when AWS says 200 and yet failed for a target."""
    if not answer.get("FailedEntryCount"):
        return
    failed = (answer.get("FailedEntries") or [{}])[0]
    raise AwsError(
        f"target {failed.get('TargetId', '?')}: {failed.get('ErrorMessage', 'no message')}",
        service="events",
        operation=operation,
        code=str(failed.get("ErrorCode", "")),
    )

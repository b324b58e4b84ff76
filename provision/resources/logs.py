"""Log groups: where the control plane writes, made before it so that they are kept for a while."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import INCARNATION_TAG, RESOURCE_TAG, Evidence, Found, Owner, Strength, tagged
from preflight.names import LOG_GROUP, NameRule
from preflight.quota import Demand
from preflight.quotas.catalogue import LOG_GROUPS
from preflight.resource import Ids, Resource

_ARN = "arn:{owner.partition}:logs:{owner.region}:{owner.account}:log-group:"
_OWN = _ARN + "{self.log_group_name}"
#: Most log actions are evaluated on the streams of a group, those about tags on the group:
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
_STREAMS = _OWN + ":*"


def prefix(owner: Owner) -> str:
    """Give what the names of an owner's log groups begin with: `/aws/eks/dev/`."""
    return f"/aws/eks/{owner.eks_name}/"


def log_group_name(owner: Owner, name: str) -> str:
    """Name the log group that the plan calls `name`; EKS itself writes to `.../cluster`."""
    return prefix(owner) + name


class LogGroup(Resource):
    """A log group with a retention in days (one of the values CloudWatch Logs accepts).

    `log_group_name` comes from `logs.log_group_name(owner, name)`. It dies after the cluster: EKS
    makes the group again, without retention or tags, when it delivers late.
    https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
    """

    kind = "logs/log-group"
    creates = (
        Action(name="logs:CreateLogGroup", on=(_STREAMS,), tagged=True),
        Action(name="logs:TagResource", on=(_OWN,), tagged=True, by_hand=True),
        Action(name="logs:PutRetentionPolicy", on=(_STREAMS,)),
    )
    finds = (
        *actions("logs:DescribeLogGroups"),
        Action(name="logs:ListTagsForResource", on=(_OWN,)),
    )
    deletes = (Action(name="logs:DeleteLogGroup", on=(_STREAMS,)),)
    dies_after = ("eks/cluster", "route53resolver/query-log-config")

    log_group_name: str
    retention_days: int = 90

    def demands(self) -> Iterator[Demand]:
        """One of the log groups of the Region."""
        yield Demand(quota=LOG_GROUPS)

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The log group's name."""
        yield LOG_GROUP, self.log_group_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the log group; its id is its name."""
        del token
        aws.call(
            "logs",
            "CreateLogGroup",
            logGroupName=self.log_group_name,
            tags=ids.owner.tags(self.address),
        )
        return self.log_group_name

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Let entries expire: without this they are kept, and paid for, for ever."""
        del ids
        aws.call("logs", "PutRetentionPolicy", logGroupName=id, retentionInDays=self.retention_days)

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by name, then by tag; the control plane's own group also when it has no tags."""
        own = prefix(owner)
        for group in aws.each("logs", "DescribeLogGroups", "logGroups", logGroupNamePrefix=own):
            if not group["logGroupName"].startswith(own):
                continue
            arn = group["arn"].removesuffix(":*")
            try:
                tags = aws.call("logs", "ListTagsForResource", resourceArn=arn).get("tags", {})
            except NotFound:
                continue  # gone since it was listed
            if (evidence := _evidence(group["logGroupName"], tags, owner)) is None:
                continue
            yield Found(
                kind=cls.kind,
                id=group["logGroupName"],
                region=owner.region,
                arn=arn,
                name=group["logGroupName"],
                address=f"{cls.kind}/{group['logGroupName'].removeprefix(own)}",
                cluster=owner.cluster,
                incarnation=tags.get(INCARNATION_TAG, ""),
                evidence=(evidence,),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion, with all it holds."""
        aws.call("logs", "DeleteLogGroup", logGroupName=found.id)


def _evidence(name: str, tags: dict[str, str], owner: Owner) -> Evidence | None:
    if RESOURCE_TAG not in tags and name == log_group_name(owner, "cluster"):
        return Evidence(strength=Strength.A, text=f"name {name}")
    return tagged(tags, owner)

"""What stands around the cluster: buckets, registries, queues, topics, and the account's guards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from preflight.found import Owner
from preflight.resource import Resource
from preflight.spec import ClusterSpec
from provision.resources import ecr, events, logs, resolver, s3, sns, sqs
from provision.resources.ecr import Repository
from provision.resources.events import Rule
from provision.resources.guardduty import Detector
from provision.resources.logs import LogGroup
from provision.resources.resolver import QueryLogAssociation, QueryLogConfig
from provision.resources.s3 import Bucket
from provision.resources.sns import Topic
from provision.resources.sqs import Queue
from provision.resources.vpc import Vpc

#: What nodes must hear of before they are taken away.
#: https://karpenter.sh/docs/concepts/disruption/#interruption
INTERRUPTIONS: Mapping[str, Mapping[str, Any]] = {
    "health": {"source": ["aws.health"], "detail-type": ["AWS Health Event"]},
    "spot": {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]},
    "rebalance": {
        "source": ["aws.ec2"],
        "detail-type": ["EC2 Instance Rebalance Recommendation"],
    },
    "state": {"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]},
    "reservation": {
        "source": ["aws.ec2"],
        "detail-type": ["EC2 Capacity Reservation Instance Interruption Warning"],
    },
}


def draw_account(spec: ClusterSpec, owner: Owner, vpc: Vpc) -> Iterator[Resource]:
    """Draw whatever of it the spec asks for."""
    for name in spec.buckets:
        yield Bucket(name=name, bucket_name=s3.bucket_name(owner, name))
    for name in spec.repositories:
        yield Repository(name=name, repository_name=ecr.repository_name(owner, name))
    if spec.interruption_queue:
        yield from _interruptions(owner)
    if spec.notifications:
        yield Topic(name="notifications", topic_name=sns.topic_name(owner, "notifications"))
    if spec.resolver_query_logging:
        yield from _query_logging(spec, owner, vpc)
    if spec.guardduty:
        yield Detector(name="main")


def _interruptions(owner: Owner) -> Iterator[Resource]:
    queue = Queue(name="interruptions", queue_name=sqs.queue_name(owner, "interruptions"))
    yield queue
    for name, pattern in INTERRUPTIONS.items():
        yield Rule(name=name, rule_name=events.rule_name(owner, name), pattern=pattern, queue=queue)


def _query_logging(spec: ClusterSpec, owner: Owner, vpc: Vpc) -> Iterator[Resource]:
    log_group = LogGroup(
        name="dns",
        log_group_name=logs.log_group_name(owner, "dns"),
        retention_days=spec.logging.retention_days,
    )
    config = QueryLogConfig(
        name="main", config_name=resolver.config_name(owner, "main"), log_group=log_group
    )
    yield from (log_group, config, QueryLogAssociation(name="main", config=config, vpc=vpc))

"""What outlives its deletion: logs that come late, queue names that rest.

Log delivery is EKS's, see preflight/sandbox/eks/network.py; queues are documented:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
"""

from __future__ import annotations

from functools import partial

from preflight.sandbox.agenda import agenda
from preflight.sandbox.eks.network import deliver_logs, log_group_name
from preflight.sandbox.eks.state import Eks
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World

LOG_DELIVERY_SECONDS = 60.0
QUEUE_REST_SECONDS = 60.0


class DeletedQueues:
    """When a queue of a name was deleted, in virtual seconds, by Region and name."""

    def __init__(self, _: World) -> None:
        self.deleted: dict[tuple[str, str], float] = {}


def log_group_deleted(request: Request, _: Response) -> None:
    """A living control plane goes on writing, and so makes its log group again."""
    name = request.parameters.get("logGroupName")
    for cluster in request.world.part(Eks).in_region(request.region):
        if name == log_group_name(cluster.name) and cluster.logs and cluster.status != "CREATING":
            revive = partial(_revive, request.world, request.region, cluster.name)
            agenda(request.world).after(LOG_DELIVERY_SECONDS, revive)


def _revive(world: World, region: str, cluster: str) -> None:
    if (region, cluster) in world.part(Eks).clusters:
        deliver_logs(world, region, cluster)


def queue_deleted(request: Request, _: Response) -> None:
    """Remember when a name was set free."""
    name = str(request.parameters["QueueUrl"]).rpartition("/")[2]
    deleted = request.world.part(DeletedQueues).deleted
    deleted[request.region, name] = agenda(request.world).seconds()


def queue_name_rests(request: Request) -> None:
    """Refuse a queue name for a minute after its queue was deleted."""
    key = (request.region, request.parameters.get("QueueName", ""))
    since = request.world.part(DeletedQueues).deleted.get(key)
    if since is not None and agenda(request.world).seconds() - since < QUEUE_REST_SECONDS:
        raise AwsFault(
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with"
            " the same name.",
        )


RULES = {("sqs", "CreateQueue"): queue_name_rests}
EFFECTS = {
    ("logs", "DeleteLogGroup"): log_group_deleted,
    ("sqs", "DeleteQueue"): queue_deleted,
}

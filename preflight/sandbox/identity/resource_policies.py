"""The policies on things themselves: trust policies, key policies, and those that add to IAM's.

A role's trust policy and a key's policy must allow, whoever asks; identity policies count for a key
only where its policy lets the account decide. The policies of buckets, queues, topics and
repositories may allow by themselves within the account, and deny whatever else allows.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-req-context.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from preflight.policy import Policy
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity import iam
from preflight.sandbox.request import Request
from preflight.sandbox.services import buckets
from preflight.sandbox.world import World

#: What a caller does to become a role, and to tag the session that he gets.
ASSUMING = frozenset({"sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:TagSession"})


@dataclass(frozen=True, kw_only=True)
class ResourcePolicy:
    """The policy of the thing a request acts on, None where it has none or is not there.

    `must_allow` says that without it nothing is allowed; `account` is whose the thing is.
    """

    policy: Policy | None = None
    must_allow: bool = False
    account: str | None = None


NOTHING = ResourcePolicy()


def policy_on(request: Request, action: str, arn: str | None) -> ResourcePolicy:
    """Find the policy that judges an action on a resource, beside the caller's own policies."""
    if not arn or arn.count(":") < 5:
        return NOTHING
    if action in ASSUMING:
        return trust_policy(request.world, arn)
    read = _READERS.get(action.partition(":")[0])
    if read is None:
        return NOTHING
    with request.world.lock:
        return read(request, arn)


def trust_policy(world: World, arn: str) -> ResourcePolicy:
    """Give the trust policy of a role; nobody can become a role that is not there."""
    with world.lock:
        try:
            _, role = iam.entity(world, arn)
        except AwsFault:
            return ResourcePolicy(must_allow=True, account=arn.split(":")[4])
        document = role.assume_role_policy_document
    policy = iam.read_policy(document, "trust policy")
    return ResourcePolicy(policy=policy, must_allow=True, account=arn.split(":")[4])


def _of(document: Any, name: str) -> ResourcePolicy:
    text = document.decode() if isinstance(document, bytes) else document
    return ResourcePolicy(policy=iam.read_policy(text, name) if text else None)


def _key(request: Request, arn: str) -> ResourcePolicy:
    keys, id = request.world.backend("kms", request.region).keys, arn.rpartition("key/")[2]
    if ":key/" not in arn or id not in keys:
        return NOTHING
    policy = iam.read_policy(keys[id].policy, f"policy of key {id}")
    return ResourcePolicy(policy=policy, must_allow=True)


def _bucket(request: Request, arn: str) -> ResourcePolicy:
    name = arn.partition(":s3:::")[2].partition("/")[0]
    return _of(buckets.policy(request.world, name), f"policy of bucket {name}")


def _queue(request: Request, arn: str) -> ResourcePolicy:
    name = arn.rpartition(":")[2]
    queue = request.world.backend("sqs", request.region).queues.get(name)
    return _of(queue and queue.policy, f"policy of queue {name}")


def _topic(request: Request, arn: str) -> ResourcePolicy:
    topic = request.world.backend("sns", request.region).topics.get(arn)
    return _of(topic and topic.policy, f"policy of topic {arn.rpartition(':')[2]}")


def _repository(request: Request, arn: str) -> ResourcePolicy:
    name = arn.partition(":repository/")[2]
    repository = request.world.backend("ecr", request.region).repositories.get(name)
    return _of(repository and repository.policy, f"policy of repository {name}")


_READERS: dict[str, Callable[[Request, str], ResourcePolicy]] = {
    "ecr": _repository,
    "kms": _key,
    "s3": _bucket,
    "sns": _topic,
    "sqs": _queue,
}

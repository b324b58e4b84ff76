"""S3 buckets: policies that judge requests, and tags given on creation.

moto knows neither conditions nor principals of bucket policies. Requests count as sent over TLS:
the sandbox speaks HTTP, but stands for AWS.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
"""

from __future__ import annotations

from typing import Any

from preflight.policy import Policy
from preflight.sandbox.identity import iam
from preflight.sandbox.identity.requirement import Requirement
from preflight.sandbox.request import Request, Response


def policy(request: Request, requirement: Requirement) -> Policy | None:
    """Give the policy of the bucket that a requirement is about, when it has one."""
    arn = requirement.resource or ""
    if not requirement.action.startswith("s3:") or ":s3:::" not in arn:
        return None
    name = arn.partition(":s3:::")[2].partition("/")[0]
    with request.world.lock:
        bucket = request.world.backend("s3", "aws").buckets.get(name)
        document = bucket.policy if bucket is not None else None
    return iam.read_policy(document.decode(), f"policy of bucket {name}") if document else None


def bucket_created(request: Request, _: Response) -> None:
    """Tag a new bucket as asked, and leave the judging of its policy to `authorise`."""
    bucket = request.world.backend("s3", "aws").buckets[request.parameters["Bucket"]]
    bucket.get_permission = _no_opinion
    asked = request.parameters.get("CreateBucketConfiguration") or {}
    tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags") or ()}
    if tags:
        request.world.backend("s3", "aws").put_bucket_tagging(bucket.name, tags)


def _no_opinion(action: str, resource: str) -> Any:
    from moto.iam.access_control import PermissionResult

    del action, resource
    return PermissionResult.NEUTRAL


EFFECTS = {("s3", "CreateBucket"): bucket_created}

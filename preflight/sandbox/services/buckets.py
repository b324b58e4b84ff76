"""S3 buckets: policies that judge requests, tags given on creation, and other accounts' buckets.

moto knows neither conditions nor principals of bucket policies. Requests count as sent over TLS:
the sandbox speaks HTTP, but stands for AWS.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
"""

from __future__ import annotations

from typing import Any

from preflight.namerule import problems
from preflight.names import BUCKET
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response
from preflight.sandbox.world import World


def policy(world: World, name: str) -> bytes | None:
    """Give the policy document of a bucket, when there is one."""
    bucket = world.backend("s3", "aws").buckets.get(name)
    return bucket.policy if bucket is not None else None


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


def somebody_elses(request: Request) -> None:
    """Refuse what is asked of a bucket that the scenario gives to another account.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    """
    others = request.world.scenario.get("elsewhere", {}).get("buckets", ())
    if request.parameters.get("Bucket") not in others:
        return
    if request.operation == "CreateBucket":
        message = "The requested bucket name is not available."
        raise AwsFault("BucketAlreadyExists", message, 409)
    raise AwsFault("AccessDenied", "Access Denied", 403)


def refuse_name(request: Request) -> None:
    """A bucket has a name that S3 allows; boto3 lets more through.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    The words: https://github.com/apex/up/issues/498
    """
    if problems(BUCKET, request.parameters["Bucket"]):
        raise AwsFault("InvalidBucketName", "The specified bucket is not valid.")


def refuse_versions(request: Request) -> None:
    """A bucket that keeps versions stays until all of them are deleted, and the delete markers.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html
    The words: https://github.com/rebuy-de/aws-nuke/issues/62
    """
    bucket = request.world.backend("s3", "aws").buckets.get(request.parameters["Bucket"])
    if bucket is not None and bucket.versioning_status and bucket.keys:
        message = (
            "The bucket you tried to delete is not empty. You must delete all versions in the"
            " bucket."
        )
        raise AwsFault("BucketNotEmpty", message, 409)


RULES = {
    ("s3", "*"): somebody_elses,
    ("s3", "CreateBucket"): refuse_name,
    ("s3", "DeleteBucket"): refuse_versions,
}
EFFECTS = {("s3", "CreateBucket"): bucket_created}

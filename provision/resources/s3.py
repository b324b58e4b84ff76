"""Buckets: private, encrypted, versioned, and named so that they can be found again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import AwsError, NotFound
from preflight.found import (
    INCARNATION_TAG,
    RESOURCE_TAG,
    Evidence,
    Found,
    Owner,
    Strength,
    tag_map,
    tagged,
)
from preflight.names import BUCKET, NameRule, derive
from preflight.quota import Demand
from preflight.quotas.catalogue import BUCKETS
from preflight.resource import Ids, Resource

_ARN = "arn:{owner.partition}:s3:::{self.bucket_name}"
_OBJECTS = _ARN + "/*"
#: us-east-1 is the Region S3 means when none is named, and must not be named.
#: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
UNNAMED_REGION = "us-east-1"
#: Leaves room for the name in the plan (15 characters) and the digest behind the cluster.
_HEAD = replace(BUCKET, maximum=35)
_DIGEST_LENGTH = 10


def _digest(owner: Owner) -> str:
    whose = "/".join((owner.account, owner.region, owner.cluster))
    return hashlib.sha256(whose.encode()).hexdigest()[:_DIGEST_LENGTH]


def bucket_name(owner: Owner, name: str) -> str:
    """Name the bucket that the plan calls `name`: `dev--artifacts-0123456789`.

    Names are shared by all accounts of a partition, hence the digest of account, Region, cluster.
    """
    return f"{derive(_HEAD, owner.cluster)}--{name}-{_digest(owner)}"


class Bucket(Resource):
    """A bucket for a cluster's own files; kept at tear-down unless asked for.

    `bucket_name` comes from `s3.bucket_name(owner, name)` and is the id. Versions that were
    replaced expire after `expire_days`.
    """

    kind = "s3/bucket"
    creates = (
        Action(name="s3:CreateBucket", on=(_ARN,)),
        Action(name="s3:PutBucketTagging", on=(_ARN,)),
        Action(name="s3:PutBucketPublicAccessBlock", on=(_ARN,)),
        Action(name="s3:PutBucketOwnershipControls", on=(_ARN,)),
        Action(name="s3:PutEncryptionConfiguration", on=(_ARN,)),
        Action(name="s3:PutBucketVersioning", on=(_ARN,)),
        Action(name="s3:PutLifecycleConfiguration", on=(_ARN,)),
        Action(name="s3:PutBucketPolicy", on=(_ARN,)),
    )
    finds = (
        *actions("s3:ListAllMyBuckets"),
        Action(name="s3:GetBucketTagging", on=(_ARN,)),
    )
    deletes = (
        Action(name="s3:ListBucketVersions", on=(_ARN,)),
        Action(name="s3:DeleteObject", on=(_OBJECTS,)),
        Action(name="s3:DeleteObjectVersion", on=(_OBJECTS,), by_hand=True),
        Action(name="s3:ListBucketMultipartUploads", on=(_ARN,)),
        Action(name="s3:AbortMultipartUpload", on=(_OBJECTS,)),
        Action(name="s3:DeleteBucket", on=(_ARN,)),
    )
    #: Load balancers and flow logs write to it until the cluster is gone.
    dies_after = ("eks/cluster",)
    takes = (1.0, 5.0)
    holds_data = True

    bucket_name: str
    expire_days: int = 30

    def demands(self) -> Iterator[Demand]:
        """One of the buckets of the account."""
        yield Demand(quota=BUCKETS)

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The bucket's name."""
        yield BUCKET, self.bucket_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the bucket. S3 has no client token: the name is the account's alone."""
        del token
        request: dict[str, Any] = {}
        if ids.owner.region != UNNAMED_REGION:
            request["CreateBucketConfiguration"] = {"LocationConstraint": ids.owner.region}
        aws.call("s3", "CreateBucket", Bucket=self.bucket_name, **request)
        return self.bucket_name

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Close it, encrypt it, and let old versions expire."""
        tags = sorted(ids.owner.tags(self.address).items())
        for operation, settings in (
            (
                "PutBucketTagging",
                {"Tagging": {"TagSet": [{"Key": key, "Value": value} for key, value in tags]}},
            ),
            ("PutPublicAccessBlock", {"PublicAccessBlockConfiguration": _CLOSED}),
            (
                "PutBucketOwnershipControls",
                {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
            ),
            ("PutBucketEncryption", {"ServerSideEncryptionConfiguration": _ENCRYPTED}),
            ("PutBucketVersioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
            (
                "PutBucketLifecycleConfiguration",
                {"LifecycleConfiguration": {"Rules": [self._lifecycle()]}},
            ),
            ("PutBucketPolicy", {"Policy": json.dumps(_only_tls(ids.owner.partition, id))}),
        ):
            aws.call("s3", operation, Bucket=id, **settings)

    def _lifecycle(self) -> dict[str, Any]:
        return {
            "ID": "expire-what-nobody-sees",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": self.expire_days},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by the exact name, which holds account, Region and cluster; then read the tags."""
        head = f"{derive(_HEAD, owner.cluster)}--"
        pattern = re.compile(rf"{re.escape(head)}(.+)-{_digest(owner)}")
        for bucket in aws.each("s3", "ListBuckets", "Buckets", Prefix=head):
            name = bucket["Name"]
            if (match := pattern.fullmatch(name)) is None:
                continue
            if (tags := _tags(aws, name)) is None:
                continue
            named = Evidence(strength=Strength.A, text=f"name {name}")
            if (evidence := tagged(tags, owner) if tags else named) is None:
                continue
            yield Found(
                kind=cls.kind,
                id=name,
                region=owner.region,
                arn=f"arn:{owner.partition}:s3:::{name}",
                name=name,
                address=tags.get(RESOURCE_TAG, f"{cls.kind}/{match.group(1)}"),
                cluster=owner.cluster,
                incarnation=tags.get(INCARNATION_TAG, ""),
                evidence=(evidence,),
                created=bucket.get("CreationDate"),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Empty it, unfinished uploads and versions included, then delete it."""
        for page in aws.pages("s3", "ListObjectVersions", Bucket=found.id):
            listed = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            if listed:
                _delete_versions(aws, found.id, listed)
        for upload in aws.each("s3", "ListMultipartUploads", "Uploads", Bucket=found.id):
            aws.call(
                "s3",
                "AbortMultipartUpload",
                Bucket=found.id,
                Key=upload["Key"],
                UploadId=upload["UploadId"],
            )
        aws.call("s3", "DeleteBucket", Bucket=found.id)


_CLOSED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_ENCRYPTED = {
    "Rules": [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": True,
        }
    ]
}


def _only_tls(partition: str, bucket: str) -> dict[str, Any]:
    """Refuse every request that does not come over TLS.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    arn = f"arn:{partition}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyOverTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


def _tags(aws: Aws, bucket: str) -> dict[str, str] | None:
    """Read the tags; {} when there are none yet, None when the bucket itself is gone."""
    try:
        return tag_map(aws.call("s3", "GetBucketTagging", Bucket=bucket)["TagSet"])
    except NotFound as error:
        return {} if error.code == "NoSuchTagSet" else None


def _delete_versions(aws: Aws, bucket: str, listed: tuple[dict[str, Any], ...]) -> None:
    """Delete one page of versions; raises `AwsError` with the first that S3 kept."""
    for start in range(0, len(listed), 1000):  # as many as one call takes
        keys = [
            {"Key": each["Key"], "VersionId": each["VersionId"]}
            for each in listed[start : start + 1000]
        ]
        answer = aws.call(
            "s3", "DeleteObjects", Bucket=bucket, Delete={"Objects": keys, "Quiet": True}
        )
        for kept in answer.get("Errors", ()):
            raise AwsError(
                f"{bucket}/{kept.get('Key')} was not deleted: {kept.get('Message')}",
                service="s3",
                operation="DeleteObjects",
                code=str(kept.get("Code", "")),
                hint="a lock or a policy keeps it: see the bucket's Object Lock and policy",
            )

"""S3 buckets: tags from creation on, and policies that judge."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from preflight.sandbox.server import Sandbox

BUCKET = "dev-bucket-of-tests"
PLACE = {"LocationConstraint": "us-west-2"}
OBJECTS = f"arn:aws:s3:::{BUCKET}/*"
KEY = ("AKIABOB0000000000000", "secret-of-bob")
BOB = {"AWS": "arn:aws:iam::111122223333:user/bob"}


def statement(effect: str, action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": [OBJECTS[:-2], OBJECTS], **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.fixture
def s3(sandbox: Sandbox, client: Any) -> Any:
    """A bucket, as the admin sees it, in an account where Bob may do some things."""
    allowed = ["s3:PutObject", "s3:CreateBucket"]
    policy = document({"Effect": "Allow", "Action": allowed, "Resource": "*"})
    bob = {"user": "bob", "access_key": list(KEY), "policies": [policy]}
    sandbox.reset({"rates": "off", "principals": [bob]})
    admin = client("s3")
    tags = [{"Key": "owner", "Value": "dev"}]
    admin.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={**PLACE, "Tags": tags})
    return admin


@pytest.fixture
def bob(s3: Any, client: Any) -> Any:
    return client("s3", key=KEY)


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_bucket_has_the_tags_it_was_made_with(s3: Any) -> None:
    assert s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"] == [{"Key": "owner", "Value": "dev"}]


def test_to_make_a_bucket_with_tags_one_must_be_allowed_to_tag(bob: Any) -> None:
    bob.create_bucket(Bucket="plain-bucket-of-bob", CreateBucketConfiguration=PLACE)
    tags = [{"Key": "a", "Value": "b"}]
    with pytest.raises(ClientError, match="s3:TagResource") as error:
        bob.create_bucket(
            Bucket="tagged-bucket-of-bob", CreateBucketConfiguration={**PLACE, "Tags": tags}
        )
    assert code(error) == "AccessDenied"


def test_requests_count_as_sent_over_tls(s3: Any, bob: Any) -> None:
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    only_tls = document(statement("Deny", "s3:*", Principal="*", Condition=plain))
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(only_tls))
    for each in (s3, bob):
        each.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    s3.delete_object(Bucket=BUCKET, Key="k")
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_a_bucket_policy_denies_with_its_conditions(s3: Any, bob: Any) -> None:
    tls = {"Bool": {"aws:SecureTransport": "true"}}
    no_tls = document(statement("Deny", "s3:PutObject", Principal="*", Condition=tls))
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(no_tls))
    with pytest.raises(ClientError) as error:
        bob.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    assert code(error) == "AccessDenied"


def test_a_bucket_policy_allows_whom_it_names(s3: Any, bob: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    with pytest.raises(ClientError):
        bob.get_object(Bucket=BUCKET, Key="k")
    readable = document(statement("Allow", "s3:GetObject", Principal=BOB))
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(readable))
    assert bob.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"1"


def test_a_bucket_of_another_account_is_closed_and_its_name_is_taken(sandbox: Sandbox) -> None:
    sandbox.reset({"elsewhere": {"buckets": ["somebody-elses"]}})
    s3 = boto3.client("s3", region_name="us-west-2")

    def code(call: Any, **more: Any) -> str:
        with pytest.raises(ClientError) as raised:
            call(Bucket="somebody-elses", **more)
        return str(raised.value.response["Error"]["Code"])

    place = {"LocationConstraint": "us-west-2"}
    assert code(s3.head_bucket) == "403"
    assert code(s3.list_objects_v2) == "AccessDenied"
    assert code(s3.create_bucket, CreateBucketConfiguration=place) == "BucketAlreadyExists"


def test_a_bucket_that_nobody_has_is_not_there(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError, match="404"):
        boto3.client("s3", region_name="us-west-2").head_bucket(Bucket="nobody-has-it")


def test_a_bucket_stays_while_it_has_objects(client: Any, refusal: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html"""
    s3 = client("s3", region="us-east-1")
    s3.create_bucket(Bucket="full")
    s3.put_object(Bucket="full", Key="k", Body=b"1")
    assert refusal(s3.delete_bucket, Bucket="full") == (
        "BucketNotEmpty",
        409,
        "The bucket you tried to delete is not empty",
    )
    s3.delete_object(Bucket="full", Key="k")
    s3.delete_bucket(Bucket="full")
    assert refusal(s3.delete_bucket, Bucket="full")[:2] == ("NoSuchBucket", 404)


def test_a_bucket_stays_while_it_has_versions_or_delete_markers(client: Any, refusal: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html"""
    s3 = client("s3", region="us-east-1")
    s3.create_bucket(Bucket="old")
    s3.put_bucket_versioning(Bucket="old", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="old", Key="k", Body=b"1")["VersionId"]
    marker = s3.delete_object(Bucket="old", Key="k")["VersionId"]
    assert s3.list_objects_v2(Bucket="old")["KeyCount"] == 0
    words = (
        "BucketNotEmpty",
        409,
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
    )
    assert refusal(s3.delete_bucket, Bucket="old") == words
    s3.delete_object(Bucket="old", Key="k", VersionId=version)
    assert refusal(s3.delete_bucket, Bucket="old") == words
    s3.delete_object(Bucket="old", Key="k", VersionId=marker)
    s3.delete_bucket(Bucket="old")


@pytest.mark.parametrize("name", ["Upper-case", "under_score", "two..dots", "-dash", "10.0.0.1"])
def test_a_bucket_has_a_name_that_s3_allows(client: Any, refusal: Any, name: str) -> None:
    place = {"LocationConstraint": "us-west-2"}
    asked = {"Bucket": name, "CreateBucketConfiguration": place}
    code, status, _ = refusal(client("s3").create_bucket, **asked)
    assert (code, status) == ("InvalidBucketName", 400)

"""Buckets with their objects, and image repositories.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
"""

from __future__ import annotations

from preflight.sandbox.identity.resources.arn import ANY, Arns, arn, partition
from preflight.sandbox.request import Request


def s3(request: Request) -> Arns:
    """Name the bucket, or the object where there is a key; each object that is to be deleted."""
    bucket, key = request.parameters.get("Bucket"), request.parameters.get("Key")
    if not bucket:
        return [ANY]
    base = f"arn:{partition(request.region)}:s3:::{bucket}"
    if request.operation == "DeleteObjects":
        objects = (request.parameters.get("Delete") or {}).get("Objects") or ()
        return [f"{base}/{one.get('Key')}" for one in objects] or [f"{base}/*"]
    return [f"{base}/{key}" if key else base]


def ecr(request: Request) -> Arns:
    """Name a repository; DescribeRepositories without names is judged on all of them."""
    given = request.parameters
    if given.get("resourceArn"):
        return [str(given["resourceArn"])]
    names = given.get("repositoryNames") or [given.get("repositoryName")]
    if names[0]:
        return [arn(request, "ecr", f"repository/{name}") for name in names]
    if request.operation == "DescribeRepositories":
        return [arn(request, "ecr", "repository/*")]
    return [ANY if request.operation == "GetAuthorizationToken" else None]

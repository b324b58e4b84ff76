"""Is a name of the plan in use already, in this account or in somebody else's?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping

from checks.account_lists import BUCKETS, CLUSTERS, ROLES, rows
from preflight.check import Answer, Context, check
from preflight.errors import AccessDenied, AwsError, NotFound
from preflight.finding import Status
from preflight.found import CLUSTER_TAG
from preflight.names import BUCKET, EKS_CLUSTER, ROLE, NameRule

BUCKET_NAMES = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
ROLE_NAMES = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"
CLUSTER_NAMES = "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html"


@check(
    "taken-names",
    "No name of the plan is taken by anything else",
    why=(
        "A name that is taken is refused when its thing is made, late in a build; a bucket's name"
        " may be taken by an account that nobody here knows."
    ),
    fix="Give the cluster another name, or delete what has it once you know that nobody needs it.",
    url=BUCKET_NAMES,
    actions=(
        "eks:ListClusters",
        "eks:DescribeCluster",
        "iam:ListRoles",
        "s3:ListAllMyBuckets",
        "s3:ListBucket",
    ),
)
def taken_names(context: Context) -> Iterator[Answer]:
    """Look for cluster, roles and buckets of the plan; what was made for this cluster may stay."""
    yield from _as_far_as_allowed("clusters", context, _clusters)
    yield from _as_far_as_allowed("roles", context, _roles)
    yield from _as_far_as_allowed("buckets", context, _buckets)


def _as_far_as_allowed(
    subject: str, context: Context, look: Callable[[Context], Iterator[Answer]]
) -> Iterator[Answer]:
    """Look, and let a look that fails take nothing from the others."""
    try:
        yield from look(context)
    except AwsError as error:
        missing = error.action if isinstance(error, AccessDenied) else None
        yield Answer(
            status=Status.UNKNOWN,
            subject=subject,
            message=f"not known whether names of {subject} are taken: {error}",
            hint=error.hint,
            data={"missing_action": missing} if missing else {},
        )


def _planned(context: Context, rule: NameRule) -> list[str]:
    return sorted({name.value for name in context.plan.names if name.rule == rule})


def _clusters(context: Context) -> Iterator[Answer]:
    there = {row["name"] for row in rows(context, CLUSTERS)}
    for name in _planned(context, EKS_CLUSTER):
        subject, facts = f"cluster {name}", {"name": name, "rule": EKS_CLUSTER.kind}
        if name not in there:
            yield _free(subject, f"no cluster is called {name}", facts, CLUSTER_NAMES)
            continue
        described = context.aws.call("eks", "DescribeCluster", name=name)["cluster"]
        if described.get("tags", {}).get(CLUSTER_TAG) == context.plan.owner.cluster:
            message = f"the cluster {name} stands already, and is the one that is asked for"
            yield _free(subject, message, facts, CLUSTER_NAMES)
        else:
            yield Answer(
                status=Status.FAIL,
                subject=subject,
                message=f"a cluster called {name} is there already, and Preflight did not make it",
                hint="choose another `name:`",
                url=CLUSTER_NAMES,
                data={**facts, "taken_by": described["arn"]},
            )


def _roles(context: Context) -> Iterator[Answer]:
    """Compare names as IAM does, without case; a role of this cluster has the planned ARN."""
    own = {arn for one in context.plan.actions if one.name == "iam:CreateRole" for arn in one.on}
    planned = {name.lower(): name for name in _planned(context, ROLE)}
    taken = [
        (planned[row["RoleName"].lower()], row["Arn"])
        for row in rows(context, ROLES)
        if row["RoleName"].lower() in planned and row["Arn"] not in own
    ]
    for name, arn in taken:
        yield Answer(
            status=Status.FAIL,
            subject=f"role {name}",
            message=f"the name of the role {name} is taken by {arn}, which is not this cluster's",
            hint=f"choose another `name:`, or `aws iam delete-role --role-name {name}`",
            url=ROLE_NAMES,
            data={"name": name, "rule": ROLE.kind, "taken_by": arn},
        )
    if planned and not taken:
        message = f"{len(planned)} names of roles are free, or taken by this cluster's own"
        facts = {"names": sorted(planned.values()), "rule": ROLE.kind}
        yield _free("roles", message, facts, ROLE_NAMES)


def _buckets(context: Context) -> Iterator[Answer]:
    own = {row["Name"] for row in rows(context, BUCKETS)}
    for name in _planned(context, BUCKET):
        subject, facts = f"bucket {name}", {"name": name, "rule": BUCKET.kind}
        if name in own:
            message = f"the bucket {name} is this account's already, and will be used again"
            yield _free(subject, message, facts, BUCKET_NAMES)
        elif _is_free(context, name):
            yield _free(subject, f"no account has a bucket {name}", facts, BUCKET_NAMES)
        else:
            yield Answer(
                status=Status.FAIL,
                subject=subject,
                message=f"the bucket {name} belongs to another account",
                hint="choose another `name:`, or take the bucket out of `buckets:`",
                url=BUCKET_NAMES,
                data={**facts, "taken_by": "another account"},
            )


def _is_free(context: Context, name: str) -> bool:
    """Say whether nobody has a bucket of this name. Raises `AccessDenied` when that is not known.

    S3 gives no reason for a refusal: a 403 is said of a bucket of somebody else, and to whoever may
    not ask at all. So a name that nobody has is asked about too: who may ask is told 404 of it.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    try:
        return not _is_there(context, name)
    except AccessDenied:
        nobodys = f"{name[:40].rstrip('-.')}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        _is_there(context, nobodys)
        return False


def _is_there(context: Context, name: str) -> bool:
    """Ask for a bucket; botocore follows S3's 301 to the Region that the bucket is in."""
    try:
        context.aws.call("s3", "HeadBucket", Bucket=name)
    except NotFound:
        return False
    return True


def _free(subject: str, message: str, facts: Mapping[str, object], url: str) -> Answer:
    return Answer(status=Status.PASS, subject=subject, message=message, url=url, data=facts)

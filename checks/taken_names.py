"""Is a name of the plan in use already, in this account or in somebody else's?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

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
    planned = _planned(context, BUCKET)
    there = _there(context, [name for name in planned if name not in own])
    for name in planned:
        subject, facts = f"bucket {name}", {"name": name, "rule": BUCKET.kind}
        if name in own:
            message = f"the bucket {name} is this account's already, and will be used again"
            yield _free(subject, message, facts, BUCKET_NAMES)
        elif not there[name]:
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


def _there(context: Context, names: Sequence[str]) -> dict[str, bool]:
    """Say of each name whether anybody has such a bucket.

    S3 gives no reason for a refusal: a 403 is said of a bucket of somebody else, and to whoever may
    not ask at all. Who is told 404 of another name may ask; where no planned name tells, one that
    nobody has is asked about. Raises `AccessDenied` when it is not known.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    found: dict[str, bool] = {}
    for name in names:
        try:
            found[name] = _is_there(context, name)
        except AccessDenied:
            continue
    refused = [name for name in names if name not in found]
    if refused and not found:
        nobodys = hashlib.sha256(refused[0].encode()).hexdigest()[:16]
        _is_there(context, f"{refused[0][:40].rstrip('-.')}-{nobodys}")
    return found | dict.fromkeys(refused, True)


def _is_there(context: Context, name: str) -> bool:
    """Ask for a bucket; botocore follows S3's 301 to the Region that the bucket is in."""
    try:
        context.aws.call("s3", "HeadBucket", Bucket=name)
    except NotFound:
        return False
    return True


def _free(subject: str, message: str, facts: Mapping[str, object], url: str) -> Answer:
    return Answer(status=Status.PASS, subject=subject, message=message, url=url, data=facts)

"""Did an earlier cluster of the same name leave things behind that carry its tags?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from checks.account_lists import CLUSTERS, rows
from preflight.check import Answer, Context, check
from preflight.finding import Status
from preflight.quotas.usage import Look


@check(
    "earlier-cluster",
    "Nothing is left of an earlier cluster of the same name",
    why=(
        "Controllers find load balancers, volumes and subnets by the cluster's name alone: a new"
        " cluster takes what an old one left for its own, and deletes it one day."
    ),
    fix="Look at what is left with `preflight scan NAME`, and delete it with `--delete`.",
    url="https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html",
    actions=("eks:ListClusters", "tag:GetResources"),
)
def earlier_cluster(context: Context) -> Iterator[Answer]:
    """Ask for everything with the cluster's tag, where no cluster stands to own it.

    The tagging API knows no roles and no Auto Scaling groups, and tells for a while of things that
    are gone: a scan looks at each of them, this is the sign that one is needed.
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html
    """
    owner = context.plan.owner
    name, subject = owner.eks_name, f"cluster {owner.cluster}"
    if name in {row["name"] for row in rows(context, CLUSTERS)}:
        message = f"the cluster {name} stands: what carries its tags is its own"
        yield Answer(status=Status.SKIP, subject=subject, message=message)
        return
    key = f"kubernetes.io/cluster/{name}"
    tagged = Look(
        "resourcegroupstaggingapi",
        "GetResources",
        "ResourceTagMappingList[].{arn: ResourceARN}",
        {"TagFilters": [{"Key": key, "Values": ["owned"]}], "ResourcesPerPage": 100},
    )
    # A vendor's role seldom may read tags; whoever called often may.
    found = [str(row["arn"]) for row in rows(context, tagged)]
    if not found:
        message = f"nothing carries the tag {key}"
        yield Answer(status=Status.PASS, subject=subject, message=message, data={"tag": key})
        return
    yield Answer(
        status=Status.WARN,
        subject=subject,
        message=f"{len(found)} things carry the tag {key}, and no such cluster stands:"
        f" {_counted(found)}",
        hint=f"`preflight scan {owner.cluster} --region {owner.region}` says what they are; a build"
        " that was broken off goes on with its own",
        data={"tag": key, "arns": found},
    )


def _counted(arns: Sequence[str]) -> str:
    """Count things by service and kind: `2 ec2 volume, 1 s3`."""
    kinds: Counter[str] = Counter()
    for arn in arns:
        service, rest = arn.split(":", 5)[2], arn.split(":", 5)[-1]
        kind = rest.replace(":", "/").partition("/")[0] if "/" in rest or ":" in rest else ""
        kinds[f"{service} {kind}".strip()] += 1
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))

"""Can the account work in the Region, and does EKS run there?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from checks.eks_versions import versions
from preflight.check import Answer, Context, check
from preflight.errors import CredentialsError, Unreachable
from preflight.finding import Status

#: The Region of each partition in which every account may work.
HOMES: Mapping[str, str] = MappingProxyType(
    {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
)
NEEDS_NO_OPT_IN = "opt-in-not-required"
NOT_OPTED_IN = "not-opted-in"


def opt_in(context: Context) -> dict[str, str]:
    """Give every Region of the partition with its opt-in status, looked up once a run.

    The Region itself is asked first: organizations often allow no other. Where it knows neither
    the credentials nor itself, the home Region of the partition is asked.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
    """
    home = HOMES.get(context.facts.partition, context.aws.region)

    def look() -> dict[str, str]:
        try:
            return _described(context, context.aws.region)
        except (CredentialsError, Unreachable):
            if home == context.aws.region:
                raise
            return _described(context, home)

    return context.once.get("regions", look)


def _described(context: Context, region: str) -> dict[str, str]:
    described = context.aws.call("ec2", "DescribeRegions", region=region, AllRegions=True)
    return {
        each["RegionName"]: each.get("OptInStatus", NEEDS_NO_OPT_IN)
        for each in described["Regions"]
    }


@check(
    "region",
    "The Region is open to the account, and EKS runs there",
    why="In a Region that is not opted in AWS does not know the account, and says so in riddles.",
    fix="Enable the Region in the account settings, or choose another one.",
    url="https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html",
    actions=("ec2:DescribeRegions", "eks:DescribeClusterVersions"),
)
def region(context: Context) -> Iterator[Answer]:
    """Tell whether the Region exists, is opted in, and has EKS in the version asked for."""
    name = context.plan.owner.region
    statuses = opt_in(context)
    status = statuses.get(name)
    facts = {"region": name, "opt_in_status": status}
    if status is None:
        near = get_close_matches(name, statuses, n=3)
        yield Answer(
            status=Status.FAIL,
            subject=name,
            message=f"there is no Region {name} in this partition",
            hint=f"one of: {', '.join(near or sorted(statuses))}",
            data=facts,
        )
        return
    if status == NOT_OPTED_IN:
        yield Answer(
            status=Status.FAIL,
            subject=name,
            message=f"{name} is an opt-in Region, and this account has not enabled it",
            hint=f"aws account enable-region --region-name {name}",
            data=facts,
        )
        return
    how = "open to every account" if status == NEEDS_NO_OPT_IN else "enabled for this account"
    yield Answer(status=Status.PASS, subject=name, message=f"{name} is {how}", data=facts)
    yield from versions(context, name)

"""Regions and partitions, as far as the installed botocore knows them: no call is made."""

from __future__ import annotations

import re

import botocore.loaders


def partition_of(region: str) -> str:
    """Name the partition of a Region: `aws`, `aws-cn`, `aws-us-gov`, ..."""
    partitions = botocore.loaders.create_loader().load_data("partitions")["partitions"]
    for partition in partitions:
        if region in partition["regions"] or re.fullmatch(partition["regionRegex"], region):
            return str(partition["id"])
    return "aws"


def home_region(region: str) -> str:
    """Name the Region of the same partition that is always enabled."""
    for beginning, home in (("cn-", "cn-north-1"), ("us-gov-", "us-gov-west-1")):
        if region.startswith(beginning):
            return home
    return "us-east-1"


def known_regions() -> tuple[str, ...]:
    """Name the Regions of every partition, as far as the installed botocore knows them."""
    partitions = botocore.loaders.create_loader().load_data("partitions")["partitions"]
    named = (region for partition in partitions for region in partition["regions"])
    return tuple(sorted(region for region in named if not region.endswith("-global")))

"""One look at all tags of EC2 first, so that only rules with something to see ask for themselves.

A dozen kinds of EC2 are found by tag, each with a Describe of its own, and of most a dead cluster
has nothing left. One paged DescribeTags covers them all; what it names is then looked at by the
kind itself, because tags are also told of things that are gone.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Any

from preflight.aws import Aws
from preflight.errors import AwsError
from preflight.found import CLUSTER_TAG, Owner
from provision.strays import evidence

#: What the ids begin with that an operation describes. Only types whose tags DescribeTags is
#: documented to tell; security group rules are not among them.
PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "DescribeAddresses": "eipalloc",
        "DescribeInstances": "i",
        "DescribeInternetGateways": "igw",
        "DescribeLaunchTemplates": "lt",
        "DescribeNatGateways": "nat",
        "DescribeRouteTables": "rtb",
        "DescribeSecurityGroups": "sg",
        "DescribeSnapshots": "snap",
        "DescribeSubnets": "subnet",
        "DescribeVolumes": "vol",
        "DescribeVpcEndpoints": "vpce",
        "DescribeVpcs": "vpc",
    }
)
#: Values of the keys that do not hold a name.
CLAIMS = (*evidence.CLAIMS, "true")


class Indexed(Aws):
    """A view that answers "nothing" without asking where the tags have said so already."""

    def __init__(self, aws: Aws, owner: Owner, seen: Set[tuple[str, str]]) -> None:
        self.__dict__.update(vars(aws))
        self._owner = owner
        self._seen = seen

    def _send(
        self, service: str, operation: str, region: str | None, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        if service == "ec2" and region is None and self._is_empty(operation, parameters):
            return {}
        return super()._send(service, operation, region, parameters)

    def _is_empty(self, operation: str, parameters: Mapping[str, Any]) -> bool:
        filters = parameters.get("Filters") or parameters.get("Filter") or []
        if operation not in PREFIXES or len(filters) != 1:
            return False
        name, values = filters[0]["Name"], filters[0]["Values"]
        if name == "tag-key":
            asked = set(values)
        elif name == f"tag:{CLUSTER_TAG}" and values == [self._owner.cluster]:
            asked = {CLUSTER_TAG}
        else:
            return False
        known = set(evidence.keys(self._owner))
        return asked <= known and not any((PREFIXES[operation], key) in self._seen for key in asked)


def indexed(aws: Aws, owner: Owner) -> Aws:
    """Read the tags and give a view that knows them; the same view when nobody may read them."""
    filters = [
        {"Name": "key", "Values": evidence.keys(owner)},
        {"Name": "value", "Values": sorted({owner.cluster, owner.eks_name, *CLAIMS})},
    ]
    try:
        # Pages of a thousand, and of each tag only what kind of thing has which key.
        seen = {
            (tag["ResourceId"].partition("-")[0], tag["Key"])
            for tag in aws.each("ec2", "DescribeTags", "Tags", Filters=filters, MaxResults=1000)
        }
    except AwsError:
        return aws
    return Indexed(aws, owner, seen)

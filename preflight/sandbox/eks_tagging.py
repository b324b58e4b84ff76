"""EKS in the Resource Groups Tagging API, which moto knows nothing of.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from preflight.sandbox.eks_state import eks
from preflight.sandbox.request import Request, Response


def _matches(arn: str, tags: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    kind = "eks:" + arn.split(":", 5)[5].partition("/")[0]
    kinds, arns = wanted.get("ResourceTypeFilters"), wanted.get("ResourceARNList")
    return (
        (not kinds or bool({"eks", kind} & set(kinds)))
        and (not arns or arn in arns)
        and all(
            one["Key"] in tags and (not one.get("Values") or tags[one["Key"]] in one["Values"])
            for one in wanted.get("TagFilters") or []
        )
    )


def _found(request: Request) -> Iterator[dict[str, Any]]:
    for cluster in eks(request).in_region(request.region):
        for arn, shape in cluster.tagged():
            tags = shape.get("tags") or {}
            if tags and _matches(arn, tags, request.parameters):
                listed = [{"Key": key, "Value": value} for key, value in tags.items()]
                yield {"ResourceARN": arn, "Tags": listed}


def add_eks(request: Request, response: Response) -> dict[str, Any] | None:
    """Put what EKS has on the last page; only what has tags is known to this API."""
    result, found = response.result, list(_found(request))
    if result.get("PaginationToken") or not found:
        return None
    result.setdefault("ResourceTagMappingList", []).extend(found)
    return result


EFFECTS = {("resourcegroupstaggingapi", "GetResources"): add_eks}

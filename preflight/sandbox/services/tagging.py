"""Resource Groups Tagging API: GetResources over all it covers, as old as the scenario says.

It lists what has tags or had some before. With `consistency.tag_index_lag` it tells what was so
many virtual seconds ago: it lists what is deleted, and misses what is new.
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.faults.consistency import lag, longest
from preflight.sandbox.request import Request, Response
from preflight.sandbox.services.tagged import OnceTagged, Tagged, tagged
from preflight.sandbox.world import World

LARGEST_PAGE = 100
# Whatever takes tags away, in all services.
UNTAGS = ("DeleteBucketTagging", "DeleteTags", "PutBucketTagging", "RemoveTags", "Untag")
READS = ("Describe", "Get", "Head", "List")


class TagIndex:
    """What was tagged in each Region at which virtual second, for as long as the lag reaches."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._views: dict[str, deque[tuple[float, Sequence[Tagged]]]] = {}

    def begin(self, region: str) -> None:
        """Look at a Region for the first time: what is there by then is old."""
        if region not in self._views:
            self._views[region] = deque([(float("-inf"), tagged(self._world, region))])

    def look(self, region: str) -> None:
        """Look at a Region again, and forget what is older than anybody will be told."""
        self.begin(region)
        views, now = self._views[region], agenda(self._world).seconds()
        seen = tagged(self._world, region)
        if seen != views[-1][1]:
            views.append((now, seen))
        while len(views) > 1 and views[1][0] <= now - longest(self._world, "tag_index_lag"):
            views.popleft()

    def look_everywhere(self) -> None:
        """Look at all Regions anybody used."""
        for region in list(self._views):
            self.look(region)

    def told(self, region: str) -> Sequence[Tagged]:
        """Give what the API tells now."""
        self.look(region)
        told_of = agenda(self._world).seconds() - lag(self._world, "tag_index_lag")
        return [seen for at, seen in self._views[region] if at <= told_of][-1]


def _lags(request: Request) -> bool:
    return not request.is_privileged and longest(request.world, "tag_index_lag") > 0


def begin(request: Request) -> None:
    """Before the first change in a Region, look at it."""
    if _lags(request):
        request.world.part(TagIndex).begin(request.region)


def note_tags(request: Request) -> None:
    """Before tags are taken away, note what has some."""
    if request.operation.startswith(UNTAGS):
        rows = tagged(request.world, request.region)
        request.world.part(OnceTagged).arns.update(row.arn for row in rows)


def note_change(request: Request, _: Response) -> None:
    """After a change, look again."""
    if _lags(request) and not request.operation.startswith(READS):
        request.world.part(TagIndex).look_everywhere()


def _matches(row: Tagged, wanted: Mapping[str, Any]) -> bool:
    kinds, arns = wanted.get("ResourceTypeFilters"), wanted.get("ResourceARNList")
    return (
        (not kinds or bool({row.type, row.type.partition(":")[0]} & set(kinds)))
        and (not arns or row.arn in arns)
        and all(
            one["Key"] in row.tags
            and (not one.get("Values") or row.tags[one["Key"]] in one["Values"])
            for one in wanted.get("TagFilters") or []
        )
    )


def get_resources(request: Request) -> dict[str, Any]:
    """GetResources: pages in the order of the ARNs; the token is the last one told."""
    given = request.parameters
    size = int(given.get("ResourcesPerPage") or given.get("TagsPerPage") or 50)
    if not 1 <= size <= max(LARGEST_PAGE, int(given.get("TagsPerPage") or 0)):
        raise AwsFault("InvalidParameterException", "ResourcesPerPage must be between 1 and 100")
    index = request.world.part(TagIndex)
    rows: Sequence[Tagged] = (
        index.told(request.region) if _lags(request) else tagged(request.world, request.region)
    )
    after = _last_told(given.get("PaginationToken"))
    found = [row for row in rows if row.arn > after and _matches(row, given)]
    page = found[:size]
    token = base64.b64encode(page[-1].arn.encode()).decode() if len(found) > size else ""
    return {
        "PaginationToken": token,
        "ResourceTagMappingList": [
            {
                "ResourceARN": row.arn,
                "Tags": [{"Key": key, "Value": value} for key, value in row.tags.items()],
            }
            for row in page
        ],
    }


def _last_told(token: str | None) -> str:
    try:
        return base64.b64decode(token or "", validate=True).decode()
    except ValueError as error:
        message = "The PaginationToken is invalid or has expired."
        raise AwsFault("PaginationTokenExpiredException", message) from error


OPERATIONS = {("resourcegroupstaggingapi", "GetResources"): get_resources}


def before(request: Request) -> None:
    """Look at what a request may change."""
    begin(request)
    note_tags(request)


RULES = {("*", "*"): before}
EFFECTS = {("*", "*"): note_change}

"""Hosted zones of Route 53: kept while they have records, and made once for a caller reference.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHostedZone.html
https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html
"""

from __future__ import annotations

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request

OF_THE_ZONE = frozenset({"NS", "SOA"})


def refuse_full(request: Request) -> None:
    """A zone stays while it has records beside those it began with."""
    zones = request.world.backend("route53", "aws").zones
    zone = zones.get(request.parameters["Id"].rpartition("/")[2])
    if zone is not None and any(one.type not in OF_THE_ZONE for one in zone.rrsets):
        message = (
            "The specified hosted zone contains non-required resource record sets and so cannot be"
            " deleted."
        )
        raise AwsFault("HostedZoneNotEmpty", message)


def refuse_again(request: Request) -> None:
    """A caller reference makes one zone."""
    reference = request.parameters["CallerReference"]
    zones = request.world.backend("route53", "aws").zones.values()
    if any(zone.caller_reference == reference for zone in zones):
        message = "A hosted zone has already been created with the specified caller reference."
        raise AwsFault("HostedZoneAlreadyExists", message, 409)


RULES = {
    ("route53", "CreateHostedZone"): refuse_again,
    ("route53", "DeleteHostedZone"): refuse_full,
}

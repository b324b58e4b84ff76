"""Which Kubernetes versions EKS offers, and until when it supports them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from preflight.sandbox.eks.state import Shape, now, page, refuse
from preflight.sandbox.request import Request

# Version, release, end of standard support, end of extended support, platform version.
# https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html (read 2026-04)
CALENDAR = (
    ("1.35", "2026-01-28", "2027-03-27", "2028-03-27", "eks.3"),
    ("1.34", "2025-10-02", "2026-12-02", "2027-12-02", "eks.13"),
    ("1.33", "2025-05-29", "2026-07-29", "2027-07-29", "eks.27"),
    ("1.32", "2025-01-23", "2026-03-23", "2027-03-23", "eks.34"),
    ("1.31", "2024-09-26", "2025-11-26", "2026-11-26", "eks.50"),
    ("1.30", "2024-05-23", "2025-07-23", "2026-07-23", "eks.58"),
    ("1.29", "2024-01-23", "2025-03-23", "2026-03-23", "eks.61"),
    ("1.28", "2023-09-26", "2024-11-26", "2025-11-26", "eks.67"),
)


def _date(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def today(request: Request) -> datetime:
    """Tell the virtual date, as far as the calendar goes: later it stands still."""
    return min(now(request), _date(CALENDAR[0][2]) - timedelta(days=1))


def versions(request: Request) -> list[Shape]:
    """Describe all versions released so far, the newest first; it is the default."""
    date = today(request)
    shapes: list[Shape] = []
    for version, release, standard, extended, platform in CALENDAR:
        if date < _date(release):
            continue
        supported = "EXTENDED_SUPPORT" if date < _date(extended) else "UNSUPPORTED"
        status = "STANDARD_SUPPORT" if date < _date(standard) else supported
        shapes.append(
            {
                "clusterVersion": version,
                "clusterType": "eks",
                "defaultPlatformVersion": platform,
                "defaultVersion": not shapes,
                "releaseDate": _date(release),
                "endOfStandardSupportDate": _date(standard),
                "endOfExtendedSupportDate": _date(extended),
                "status": status.lower().replace("_", "-"),
                "versionStatus": status,
            }
        )
    return shapes


def supported(request: Request) -> list[Shape]:
    """Describe the versions that a cluster can have today."""
    return [one for one in versions(request) if one["versionStatus"] != "UNSUPPORTED"]


def choose(request: Request, version: str | None) -> Shape:
    """Give the wanted version, or the default; raises EKS's fault for one it does not offer."""
    offered = supported(request)
    if not version:
        return offered[0]
    for one in offered:
        if one["clusterVersion"] == version:
            return one
    raise refuse("InvalidParameterException", f"unsupported Kubernetes version {version}")


def describe_cluster_versions(request: Request) -> Shape:
    """DescribeClusterVersions."""
    parameters = request.parameters
    found = versions(request) if parameters.get("includeAll") else supported(request)
    wanted = parameters.get("clusterVersions")
    if wanted:
        found = [one for one in versions(request) if one["clusterVersion"] in wanted]
    filters: dict[str, Any] = {
        "status": parameters.get("status"),
        "versionStatus": parameters.get("versionStatus"),
        "clusterType": parameters.get("clusterType"),
        "defaultVersion": parameters.get("defaultOnly") or None,
    }
    if filters["status"] or filters["versionStatus"]:
        found = [one for one in versions(request) if one in found or not wanted]
    for key, value in filters.items():
        if value is not None:
            found = [one for one in found if one[key] == value]
    return page(request, "clusterVersions", found)


OPERATIONS = {("eks", "DescribeClusterVersions"): describe_cluster_versions}

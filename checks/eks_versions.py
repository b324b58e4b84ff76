"""Which versions of Kubernetes does EKS offer in the Region?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from preflight.check import Answer, Context
from preflight.errors import AccessDenied, Unreachable
from preflight.finding import Status

EXTENDED = "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html"


def versions(context: Context, name: str) -> Iterator[Answer]:
    """Hold the version asked for to those that EKS offers in a Region."""
    subject = f"EKS in {name}"
    try:
        offered = {
            str(each["clusterVersion"]): _Offer.of(each)
            for each in context.aws.each("eks", "DescribeClusterVersions", "clusterVersions")
        }
    except AccessDenied as error:
        yield Answer(
            status=Status.UNKNOWN,
            subject=subject,
            message=f"not known which versions EKS offers in {name}: {error}",
            hint=f"allow {error.action}",
            data={"region": name, "missing_action": error.action},
        )
        return
    except Unreachable as error:
        yield Answer(
            status=Status.UNKNOWN,
            subject=subject,
            message=f"the endpoint of EKS in {name} cannot be reached: {error}",
            hint=f"see whether EKS is offered in {name}, and check the network",
            data={"region": name},
        )
        return
    yield _version(context.spec.version, subject, offered)


@dataclass(frozen=True, kw_only=True)
class _Offer:
    """A version of Kubernetes as EKS offers it: its status, and until when it is supported."""

    status: str
    is_default: bool
    standard_until: str | None
    extended_until: str | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> _Offer:
        return cls(
            status=str(told.get("versionStatus") or told.get("status", "")).upper(),
            is_default=bool(told.get("defaultVersion")),
            standard_until=_day(told.get("endOfStandardSupportDate")),
            extended_until=_day(told.get("endOfExtendedSupportDate")),
        )

    @property
    def window(self) -> str:
        """Say until when it is supported, as far as EKS tells."""
        parts = [("standard", self.standard_until), ("extended", self.extended_until)]
        told = [f"{kind} support until {day}" for kind, day in parts if day]
        return f": {', '.join(told)}" if told else ""


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment is not None else None


def _version(wanted: str | None, subject: str, offers: Mapping[str, _Offer]) -> Answer:
    offered = ", ".join(sorted(offers, key=_order))
    facts = {
        "versions": {version: offer.status for version, offer in offers.items()},
        "wanted": wanted,
    }
    if not offers:
        message = "EKS offers no version of Kubernetes here"
        return Answer(status=Status.FAIL, subject=subject, message=message, data=facts)
    if wanted is not None and (wanted not in offers or offers[wanted].status == "UNSUPPORTED"):
        return Answer(
            status=Status.FAIL,
            subject=subject,
            message=f"EKS does not offer Kubernetes {wanted} here; it offers {offered}",
            hint="choose one of them, or leave `version:` out to get AWS's default",
            url=EXTENDED,
            data=facts,
        )
    default = next((version for version, offer in offers.items() if offer.is_default), None)
    chosen = wanted or default
    if chosen is None:
        message = f"EKS offers Kubernetes {offered}, and does not tell which one it takes itself"
        return Answer(status=Status.PASS, subject=subject, message=message, data=facts)
    offer = offers[chosen]
    facts |= {"standard_until": offer.standard_until, "extended_until": offer.extended_until}
    if offer.status.startswith("EXTENDED"):
        newest = max((v for v, o in offers.items() if o.status.startswith("STANDARD")), key=_order)
        return Answer(
            status=Status.WARN,
            subject=subject,
            message=f"Kubernetes {chosen} is in extended support, which costs six times as much"
            f"{offer.window}",
            hint=f'choose a version in standard support: `version: "{newest}"`',
            url=EXTENDED,
            data=facts,
        )
    how = "EKS offers" if wanted else "EKS will take its default,"
    message = f"{how} Kubernetes {chosen}{offer.window}"
    return Answer(status=Status.PASS, subject=subject, message=message, url=EXTENDED, data=facts)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))

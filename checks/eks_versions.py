"""Which versions of Kubernetes does EKS offer in the Region?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from preflight.check import Answer, Context
from preflight.errors import AccessDenied, Unreachable
from preflight.finding import Status

EXTENDED = "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html"


def versions(context: Context, name: str) -> Iterator[Answer]:
    """Hold the version asked for to those that EKS offers in a Region."""
    subject = f"EKS in {name}"
    try:
        offered = {
            str(each["clusterVersion"]): str(each.get("versionStatus", each.get("status", "")))
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


def _version(wanted: str | None, subject: str, versions: Mapping[str, str]) -> Answer:
    offered = ", ".join(sorted(versions, key=_order))
    facts = {"versions": dict(versions), "wanted": wanted}
    if not versions:
        message = "EKS offers no version of Kubernetes here"
        return Answer(status=Status.FAIL, subject=subject, message=message, data=facts)
    if wanted is not None and versions.get(wanted, "UNSUPPORTED").upper() == "UNSUPPORTED":
        return Answer(
            status=Status.FAIL,
            subject=subject,
            message=f"EKS does not offer Kubernetes {wanted} here; it offers {offered}",
            hint="choose one of them, or leave `version:` out to get AWS's default",
            url=EXTENDED,
            data=facts,
        )
    if wanted is not None and versions[wanted].upper().startswith("EXTENDED"):
        return Answer(
            status=Status.WARN,
            subject=subject,
            message=f"Kubernetes {wanted} is in extended support, which costs six times as much",
            hint="choose a version in standard support",
            url=EXTENDED,
            data=facts,
        )
    message = f"EKS offers Kubernetes {wanted or offered}"
    return Answer(status=Status.PASS, subject=subject, message=message, data=facts)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))

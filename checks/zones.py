"""Do the zones exist that the plan puts its subnets in, and does EKS take them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from preflight.check import Answer, Context, check
from preflight.errors import AwsError
from preflight.facts import EKS_REFUSES
from preflight.finding import Status

#: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
LEAST = 2


def planned_zones(context: Context) -> tuple[str, ...]:
    """Give the zones the plan's subnets are in; before it has any, those the spec asks for."""
    drawn = {
        str(zone)
        for resource in context.plan.resources
        if resource.kind == "ec2/subnet" and (zone := resource.parameters.get("zone"))
    }
    region = context.plan.owner.region
    return tuple(sorted(drawn or {f"{region}{letter}" for letter in context.spec.network.zones}))


@check(
    "zones",
    "The zones of the plan exist, and EKS takes them",
    why=(
        "Letters of zones are dealt out anew for every account: what one calls `a` another calls "
        "`c` or does not have, and in some zones EKS places no control plane."
    ),
    fix="Name at least two zones of this account under `network: zones:` in the spec.",
    url="https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html",
    actions=("ec2:DescribeAvailabilityZones",),
)
def zones(context: Context) -> Iterator[Answer]:
    """Hold the plan's zones to those of the account, and to the vendor's default zone."""
    gap = next((gap for gap in context.facts.gaps if gap.what == "zones"), None)
    if gap is not None:
        yield Answer(
            status=Status.UNKNOWN,
            subject="zones",
            message=f"the zones could not be looked up: {gap.message}",
            hint=f"allow {gap.missing_action}" if gap.missing_action else None,
            data={"missing_action": gap.missing_action} if gap.missing_action else {},
        )
        return
    usable = {zone.name: zone.id for zone in context.facts.zones}
    planned = planned_zones(context)
    missing = [name for name in planned if name not in usable]
    reasons = _described(context) if missing else {}
    for name in planned:
        yield _zone(context, name, usable, reasons)
    yield _enough(context, len(planned) - len(missing), usable)
    if context.profile.default_zone is not None:
        yield _default(context, context.profile.default_zone, planned, usable)


def _described(context: Context) -> dict[str, Mapping[str, Any]]:
    """Look up what is known of the zones that cannot be used; only asked when one is missing."""
    try:
        listed = context.aws.call("ec2", "DescribeAvailabilityZones", AllAvailabilityZones=True)
    except AwsError:
        return {}  # the zone is missing all the same, only the reason is not told
    return {zone["ZoneName"]: zone for zone in listed["AvailabilityZones"]}


def _zone(
    context: Context, name: str, usable: Mapping[str, str], reasons: Mapping[str, Mapping[str, Any]]
) -> Answer:
    if name in usable:
        message = f"{name} ({usable[name]}) can be used"
        facts = {"zone": name, "zone_id": usable[name]}
        return Answer(status=Status.PASS, subject=name, message=message, data=facts)
    return Answer(
        status=Status.FAIL,
        subject=name,
        message=f"{name} {_why(reasons.get(name))}",
        hint=_line(context, usable),
        data={"zone": name, "zone_id": reasons.get(name, {}).get("ZoneId")},
    )


def _why(zone: Mapping[str, Any] | None) -> str:
    if zone is None:
        return "is not a zone of this account"
    if zone["ZoneId"] in EKS_REFUSES:
        return f"is {zone['ZoneId']}, where EKS places no control plane"
    if zone.get("ZoneType", "availability-zone") != "availability-zone":
        return f"is a {zone['ZoneType']}, and EKS needs availability zones"
    return f"is {zone.get('State', 'not available')}"


def _enough(context: Context, found: int, usable: Mapping[str, str]) -> Answer:
    if found >= LEAST:
        message = f"{found} zones can be used; EKS needs {LEAST}"
        return Answer(status=Status.PASS, subject="number of zones", message=message)
    return Answer(
        status=Status.FAIL,
        subject="number of zones",
        message=f"EKS needs subnets in {LEAST} zones, and the plan has {found} that can be used",
        hint=_line(context, usable),
        data={"zones": sorted(usable)},
    )


def _default(
    context: Context, letter: str, planned: tuple[str, ...], usable: Mapping[str, str]
) -> Answer:
    name, vendor = f"{context.plan.owner.region}{letter}", context.profile.title
    subject = f"default zone {letter}"
    if name in usable and name in planned:
        message = f"{vendor} starts its workloads in zone {letter}, and the plan has a subnet there"
        return Answer(status=Status.PASS, subject=subject, message=message, url=context.profile.url)
    what = "the plan has no subnet there" if name in usable else "this account cannot use it"
    return Answer(
        status=Status.WARN,
        subject=subject,
        message=f"{vendor} starts its workloads in zone {letter} by default, and {what}",
        hint=_line(context, usable, letter),
        url=context.profile.url,
        data={"zone": name, "zones": sorted(usable)},
    )


def _line(context: Context, usable: Mapping[str, str], first: str = "") -> str:
    """Write the line for the spec: as many zones as were asked for, as far as there are."""
    letters = [name.removeprefix(context.plan.owner.region) for name in sorted(usable)]
    asked = [letter for letter in context.spec.network.zones if letter in letters]
    chosen = dict.fromkeys([*[one for one in letters if one == first], *asked, *letters])
    count = max(LEAST, len(context.spec.network.zones))
    text = ", ".join(sorted(list(chosen)[:count]))
    return f"this account has {', '.join(letters) or 'none'}: write `zones: [{text}]` under network"

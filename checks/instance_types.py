"""Do the instance types exist, and are they offered where the plan wants them?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from checks.images import images
from checks.zones import planned_zones
from preflight.check import Answer, Context, check
from preflight.errors import AwsError
from preflight.facts import InstanceType
from preflight.finding import Status

#: What EKS has images for. https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html
ARCHITECTURES = frozenset({"x86_64", "arm64"})


@check(
    "instance-types",
    "Every instance type exists and is offered in the zones of the plan",
    why=(
        "No Region has every type in every zone. A node group that cannot start its instances "
        "fails after a quarter of an hour, with the control plane built and paid for."
    ),
    fix="Choose types that all zones of the plan offer, or zones that offer the types.",
    url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-discovery.html",
    actions=("ec2:DescribeInstanceTypes", "ec2:DescribeInstanceTypeOfferings"),
)
def instance_types(context: Context) -> Iterator[Answer]:
    """Judge each type asked for by what EC2 says of it and by where it is offered."""
    gap = next((gap for gap in context.facts.gaps if gap.what == "instance types"), None)
    if gap is not None:
        yield Answer(
            status=Status.UNKNOWN,
            subject="instance types",
            message=f"the instance types could not be looked up: {gap.message}",
            hint=f"allow {gap.missing_action}" if gap.missing_action else None,
            data={"missing_action": gap.missing_action} if gap.missing_action else {},
        )
        return
    unknown = context.facts.unknown_types
    near = _near(context, unknown) if unknown else {}
    for name in unknown:
        yield _unknown(name, near.get(name, []), context.plan.owner.region)
    known = context.facts.instance_types
    if known:
        planned = planned_zones(context)
        offered = _offered(context, tuple(sorted(known)))
        lacking = [name for name in known if not set(planned) <= offered.get(name, set())]
        instead = _instead(context, lacking, planned) if lacking else {}
        for name, found in sorted(known.items()):
            yield _where(name, offered.get(name, set()), planned, instead.get(name, []))
            yield from _what(found)
    yield from images(context)


def _offered(context: Context, names: tuple[str, ...]) -> dict[str, set[str]]:
    """Ask for all types at once: `{"m5.large": {"us-west-2a", ...}}`."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for offering in context.aws.each(
        "ec2",
        "DescribeInstanceTypeOfferings",
        "InstanceTypeOfferings",
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": list(names)}],
    ):
        found[offering["InstanceType"]].add(offering["Location"])
    return found


def _instead(
    context: Context, names: Sequence[str], planned: tuple[str, ...]
) -> Mapping[str, list[str]]:
    """Find types of the same kind and size that every zone of the plan offers."""
    wanted = [
        {"Name": "instance-type", "Values": sorted({_alike(name) for name in names})},
        {"Name": "location", "Values": list(planned)},
    ]
    zones: defaultdict[str, set[str]] = defaultdict(set)
    try:
        for one in context.aws.each(
            "ec2",
            "DescribeInstanceTypeOfferings",
            "InstanceTypeOfferings",
            LocationType="availability-zone",
            Filters=wanted,
        ):
            zones[one["InstanceType"]].add(one["Location"])
    except AwsError:
        return {}  # where it is offered is told all the same, only not what else is
    everywhere = [type for type, found in zones.items() if found == set(planned)]
    return {
        name: get_close_matches(
            name, sorted(type for type in everywhere if _could_stand_in(type, name)), n=3
        )
        for name in names
    }


def _could_stand_in(type: str, name: str) -> bool:
    """Say whether a type is of the same letter, size and processor; `g` after a number is Arm.

    https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
    """
    arm = re.compile(r"[a-z]+\d+[a-z]*g[a-z]*(-[a-z0-9]+)?\.")
    same = bool(arm.match(type)) is bool(arm.match(name))
    return same and fnmatchcase(type, _alike(name))


def _alike(name: str) -> str:
    """Write the pattern of types of the same letter and size: `g*.xlarge` for `g4dn.xlarge`."""
    family, _, size = name.partition(".")
    return f"{family[:1]}*.{size}"


def _where(name: str, offered: set[str], planned: tuple[str, ...], instead: list[str]) -> Answer:
    has = [zone for zone in planned if zone in offered]
    lacks = [zone for zone in planned if zone not in offered]
    facts = {"type": name, "offered": sorted(offered), "zones": list(planned), "near": instead}
    told = [f"it is offered in {', '.join(sorted(offered))}"] if offered else []
    told += [f"all zones of the plan offer {', '.join(instead)}"] if instead else []
    elsewhere = "; ".join(told) or "choose another"
    if not has:
        message = f"{name} is offered in none of the plan's zones ({', '.join(planned)})"
        status, hint = Status.FAIL, elsewhere
    elif lacks:
        message = f"{name} is not offered in {', '.join(lacks)}: its nodes will all be in the rest"
        status, hint = Status.WARN, elsewhere
    else:
        message = f"{name} is offered in {', '.join(has)}"
        return Answer(status=Status.PASS, subject=name, message=message, data=facts)
    return Answer(status=status, subject=name, message=message, hint=hint, data=facts)


def _what(found: InstanceType) -> Iterator[Answer]:
    if found.architectures and not ARCHITECTURES & set(found.architectures):
        yield Answer(
            status=Status.FAIL,
            subject=f"{found.name} architecture",
            message=f"EKS has no image for {', '.join(found.architectures)}, which {found.name} is",
            hint="choose a type of x86_64 or arm64",
            data={"type": found.name, "architectures": list(found.architectures)},
        )
    if not found.current:
        yield Answer(
            status=Status.WARN,
            subject=f"{found.name} generation",
            message=f"EC2 counts {found.name} among its previous generations",
            hint="choose its successor: https://aws.amazon.com/ec2/previous-generation/",
            data={"type": found.name, "current": False},
        )


def _unknown(name: str, near: list[str], region: str) -> Answer:
    return Answer(
        status=Status.FAIL,
        subject=name,
        message=f"EC2 knows no instance type {name} in {region}",
        hint=f"did you mean {' or '.join(near)}?" if near else "aws ec2 describe-instance-types",
        data={"type": name, "near": near},
    )


def _near(context: Context, names: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Find types that are written almost like those that do not exist."""
    patterns = set()
    for name in names:
        family, _, size = name.partition(".")
        patterns |= {f"{family}.*", f"{family[:1]}*.{size or 'large'}"}
    wanted = [{"Name": "instance-type", "Values": sorted(patterns)}]
    try:
        like = set(
            context.aws.each(
                "ec2", "DescribeInstanceTypes", "InstanceTypes[].InstanceType", Filters=wanted
            )
        )
    except AwsError:
        return {}  # the type does not exist all the same, only nothing like it is told
    return {name: get_close_matches(name, sorted(like), n=3) for name in names}

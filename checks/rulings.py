"""What a denial of the simulator is worth: which kind of policy denies, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from checks.batches import Question
from checks.simulation import Ruling, ask
from preflight.aws import Aws
from preflight.finding import Status

#: Keys that only one action carries: to any other they are absent, not missing.
#: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
OF_ONE_ACTION: Mapping[str, str] = MappingProxyType(
    {
        "ec2:createaction": "ec2:CreateTags",
        "iam:associatedresourcearn": "iam:PassRole",
        "iam:awsservicename": "iam:CreateServiceLinkedRole",
        "iam:passedtoservice": "iam:PassRole",
    }
)
#: Whatever a request does not carry of these is known to be absent: the tags are Preflight's own.
KNOWN = ("aws:requesttag/", "aws:tagkeys", "aws:requestedregion")
#: Keys of calls that an AWS service makes with the rights of the caller: Preflight's own calls have
#: none, and these are the actions that services do take in its name.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
FORWARDED = ("aws:calledvia", "aws:viaawsservice")
IN_OUR_NAME = frozenset(
    """
    ec2:CreateTags ec2:DescribeLaunchTemplateVersions ec2:DescribeSecurityGroups
    ec2:DescribeSubnets ec2:DescribeVpcs ec2:RunInstances iam:CreateServiceLinkedRole iam:GetRole
    iam:ListAttachedRolePolicies iam:PassRole kms:CreateGrant kms:DescribeKey
    logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups
    logs:DescribeResourcePolicies logs:PutResourcePolicy route53:AssociateVPCWithHostedZone
    """.split()
)


class Layer(StrEnum):
    """The kind of policy that denies."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SCP = "scp"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Denial:
    """One ruling that does not allow. `status` is FAIL, or what doubt leaves of it."""

    ruling: Ruling
    layer: Layer
    status: Status
    missing: tuple[str, ...] = ()


def denials(aws: Aws, principal: str, rulings: Iterable[Ruling]) -> list[Denial]:
    """Judge all rulings that do not allow, asking again without boundary and SCPs where it helps.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyIdentifier.html
    """
    denied = [ruling for ruling in rulings if not ruling.allowed]
    bounded = [r.question for r in denied if r.boundary is False]
    organized = [r.question for r in denied if r.organizations is False]
    both = set(bounded) & set(organized)
    again = (
        (Layer.BOUNDARY, ask(aws, principal, bounded, ("permission-boundary",))),
        (Layer.SCP, ask(aws, principal, organized, ("scp",))),
        (Layer.SCP, ask(aws, principal, both, ("permission-boundary", "scp"))),
    )
    return [_judged(ruling, again) for ruling in denied]


def _judged(ruling: Ruling, again: tuple[tuple[Layer, Mapping[Question, Ruling]], ...]) -> Denial:
    if ruling.error is not None:
        return Denial(ruling=ruling, layer=Layer.UNKNOWN, status=Status.UNKNOWN)
    layer, proven = _layer(ruling, again)
    if missing := _relevant(ruling):
        return Denial(ruling=ruling, layer=layer, status=Status.UNKNOWN, missing=missing)
    # SCP conditions are not told. Only a simulator that can leave SCPs out is known to weigh them;
    # an older one says no to what a conditional SCP allows.
    doubtful = layer is Layer.SCP and not proven and not ruling.statements
    return Denial(ruling=ruling, layer=layer, status=Status.WARN if doubtful else Status.FAIL)


def _layer(
    ruling: Ruling, again: tuple[tuple[Layer, Mapping[Question, Ruling]], ...]
) -> tuple[Layer, bool]:
    """Name the layer, and whether leaving it out has been seen to allow the action."""
    asked = [
        (layer, rulings[ruling.question]) for layer, rulings in again if ruling.question in rulings
    ]
    for layer, without in asked:
        if without.allowed:
            return layer, True
    if any(without.error is None for _, without in asked):
        return Layer.IDENTITY, True
    if ruling.boundary is False:
        return Layer.BOUNDARY, False
    return (Layer.SCP if ruling.organizations is False else Layer.IDENTITY), False


def is_absent(key: str, action: str) -> bool:
    """Say whether a key (lower case) that a request was not given is surely not in it."""
    if key.startswith(FORWARDED):
        return action not in IN_OUR_NAME
    return key.startswith(KNOWN) or OF_ONE_ACTION.get(key, action) != action


def _relevant(ruling: Ruling) -> tuple[str, ...]:
    """Pick the missing keys that could turn the answer: the simulator lists those of all policies.

    A key of another AWS product than the action's is never in its requests.
    """
    action = ruling.question.action
    found = []
    for key in ruling.missing:
        lower = key.lower()
        if is_absent(lower, action):
            continue
        if lower.partition(":")[0] in {"aws", action.partition(":")[0]}:
            found.append(key)
    return tuple(found)

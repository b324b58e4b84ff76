"""How much AWS allows.

Applied values come before defaults before built-in numbers, and the source is kept.

Listing a whole service is one paged call and misses nothing; asking for each quota by itself is
throttled at five calls a second, and pays off for a few quotas of EC2, whose list is eleven pages
one after the other. What may not be read is `Unknown`, never a default in disguise.
https://docs.aws.amazon.com/servicequotas/latest/userguide/reference_limits.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from preflight.aws import Aws
from preflight.errors import AccessDenied, AwsError, NotFound, PreflightError
from preflight.once import Once
from preflight.quota import Limit, Quota
from preflight.quotas import looks
from preflight.quotas.usage import Look, NotCounted, Usage, first_allowed

#: Where global quotas are listed when not in `Quota.home`, by the beginning of the Region's name.
_HOMES: tuple[tuple[str, str], ...] = (
    ("us-gov-", "us-gov-west-1"),
    ("cn-", "cn-north-1"),
)

#: Limits that a service tells itself, in a call that counting makes anyway.
TOLD: Mapping[str, tuple[Look, str]] = {
    "iam/L-FE177D64": (looks.ACCOUNT_SUMMARY, "RolesQuota"),
    "iam/L-E95E4862": (looks.ACCOUNT_SUMMARY, "PoliciesQuota"),
    "iam/L-0DA4ABF3": (looks.ACCOUNT_SUMMARY, "AttachedPoliciesPerRoleQuota"),
    "iam/L-6E65F664": (looks.ACCOUNT_SUMMARY, "InstanceProfilesQuota"),
    "iam/L-C07B4B0D": (looks.ACCOUNT_SUMMARY, "AssumeRolePolicySizeQuota"),
    "autoscaling/L-CDE20ADC": (looks.SCALING_LIMITS, "MaxNumberOfAutoScalingGroups"),
    "autoscaling/L-6B80B8FA": (looks.SCALING_LIMITS, "MaxNumberOfLaunchConfigurations"),
}

APPLIED, DEFAULTS = "ListServiceQuotas", "ListAWSDefaultServiceQuotas"
#: The same of one quota.
SINGLE = {APPLIED: "GetServiceQuota", DEFAULTS: "GetAWSDefaultServiceQuota"}
ACTIONS = frozenset(
    f"servicequotas:{operation}" for operation in (APPLIED, DEFAULTS, *SINGLE.values())
)
#: The one service with a list of many pages, and how many of its quotas are sooner asked singly.
LONG_LIST, FEW = "ec2", 8

Entries = Mapping[str, "float | Unknown"]
#: Pages that may say nothing new, one after the other, before a list is taken for read.
_REPEATED = 2


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A number that could not be read: why, and the IAM action that would have helped."""

    message: str
    missing_action: str | None = None
    #: A list was not read to its end on purpose, and this much was seen of it.
    at_least: float | None = None

    @classmethod
    def of(cls, error: PreflightError) -> Unknown:
        """Say it of an error."""
        action = error.action if isinstance(error, AccessDenied) else None
        seen = error.at_least if isinstance(error, NotCounted) else None
        return cls(message=str(error), missing_action=action, at_least=seen)


def home_of(quota: Quota, region: str) -> str:
    """Name the Region whose Service Quotas list a quota: global ones are in one Region only."""
    if quota.home is None:
        return region
    for beginning, home in _HOMES:
        if region.startswith(beginning):
            return home
    return quota.home


class Limits:
    """The limits of one account and Region, each list read at most once; safe between threads.

    `usage` shares its calls and its second principal; without it there is one of its own. `wanted`
    are the quotas that will be asked for, where that is known: it decides how the limits are read.
    """

    def __init__(
        self, aws: Aws, usage: Usage | None = None, wanted: Iterable[Quota] | None = None
    ) -> None:
        self._once = Once()
        long = {quota for quota in wanted or () if quota.service == LONG_LIST}
        self._singly = long if len(long) <= FEW else frozenset[Quota]()
        self._usage = usage or Usage(aws, self._once)
        self._region = aws.region

    def limit_of(self, quota: Quota) -> Limit | Unknown:
        """Give the limit of a quota.

        What the service itself tells needs no list, and the defaults are read only where AWS lists
        no applied value. A list that is denied makes the limit unknown.
        """
        if (told := self._told(quota)) is not None:
            return told
        try:
            applied = self._listed(quota, APPLIED).get(quota.code)
        except AwsError as error:
            return Unknown.of(error)
        if isinstance(applied, Unknown):
            return applied
        if applied is not None:
            return Limit(value=applied, source="applied")
        return self._default(quota)

    def _told(self, quota: Quota) -> Limit | None:
        if (telling := TOLD.get(str(quota))) is None:
            return None
        look, name = telling
        try:
            value = self._usage.rows(look)[0].get(name)
        except AwsError:
            return None  # Service Quotas may know it, and if not it says why
        return None if value is None else Limit(value=float(value), source="applied")

    def _default(self, quota: Quota) -> Limit | Unknown:
        try:
            default = self._listed(quota, DEFAULTS).get(quota.code)
        except AwsError as error:
            return Unknown.of(error)
        if isinstance(default, Unknown):
            return default
        if default is not None:
            return Limit(value=default, source="default")
        if quota.default is None:
            return Unknown(message=f"AWS lists no limit for {quota.name}")
        return Limit(value=quota.default, source="builtin")

    def _listed(self, quota: Quota, operation: str) -> Entries:
        service, home = quota.service, home_of(quota, self._region)
        singly = quota in self._singly
        key = f"{operation}:{home}:{quota if singly else service}"

        def read() -> Entries:
            return first_allowed(
                self._usage.principals,
                lambda aws: (
                    _read_one(aws, SINGLE[operation], quota, home)
                    if singly
                    else _read(aws, operation, service, home)
                ),
            )

        return self._once.get(key, read)


def _read(aws: Aws, operation: str, service: str, home: str) -> Entries:
    entries: dict[str, float | Unknown] = {}
    nothing_new = 0
    request = {"ServiceCode": service, "MaxResults": 100}
    try:
        for page in aws.pages("service-quotas", operation, region=home, **request):
            listed = {each["QuotaCode"]: _entry(each) for each in page.get("Quotas", ())}
            nothing_new = nothing_new + 1 if listed.keys() <= entries.keys() else 0
            if listed and nothing_new > _REPEATED:
                break  # some services give token after token and nothing new
            entries |= listed
    except NotFound:
        return {}  # Service Quotas does not know the service in this Region
    return entries


def _read_one(aws: Aws, operation: str, quota: Quota, home: str) -> Entries:
    request = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        answer = aws.call("service-quotas", operation, region=home, **request)
    except NotFound:
        return {}  # AWS has no such value
    return {quota.code: _entry(answer["Quota"])}


def _entry(entry: Mapping[str, Any]) -> float | Unknown:
    if reason := entry.get("ErrorReason"):
        text = f"{reason.get('ErrorCode', '')}: {reason.get('ErrorMessage', '')}"
        return Unknown(message=f"Service Quotas could not read the limit: {text}")
    if "Value" not in entry:
        return Unknown(message="Service Quotas lists the quota without a value")
    return float(entry["Value"])

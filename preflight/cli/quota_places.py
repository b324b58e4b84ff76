"""Where quotas are audited: the accounts of a file and the Regions of each, none of them lost."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preflight.errors import AccessDenied, AwsError, UsageError

if TYPE_CHECKING:
    from preflight.aws import Aws
    from preflight.yamlfile import Document

#: Accounts and Regions read at the same time; each has a rate of its own.
WORKERS = 8
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/[\w+=,.@/-]+")


@dataclass(frozen=True, kw_only=True)
class AccountRole:
    """One account of an accounts file: the role to assume there, and its secret."""

    role_arn: str
    external_id: str | None = None

    @property
    def account(self) -> str:
        """The account's id, which the role's ARN holds."""
        return self.role_arn.split(":")[4]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An account in a Region that can be asked; `is_first` carries the account's global quotas."""

    aws: Aws
    is_first: bool = True

    @property
    def account(self) -> str:
        """The account's id; asks AWS for it where nobody has yet."""
        return self.aws.identity.account


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """An account, or its Regions, that nobody could look at, and why."""

    account: str
    region: str
    error: AwsError

    @property
    def missing_action(self) -> str | None:
        """The IAM action that would have helped."""
        return self.error.action if isinstance(self.error, AccessDenied) else None


def read_accounts(path: Path) -> tuple[AccountRole, ...]:
    """Read a list of role ARNs, or of `{role_arn, external_id}`, maybe under `accounts:`.

    Raises `SpecError` with file and line for what is no role, and for an account listed twice.
    """
    from preflight import yamlfile

    document = yamlfile.load(path)
    listed, start = document.value, ()
    if isinstance(listed, dict) and set(listed) == {"accounts"}:
        listed, start = listed["accounts"], ("accounts",)  # type: ignore[assignment]
    if not isinstance(listed, list) or not listed:
        raise document.error(start, "lists no accounts", "write `accounts: [{role_arn: ARN}]`")
    found: dict[str, AccountRole] = {}
    for number, entry in enumerate(listed):
        role = _account_role(document, (*start, number), entry)
        if role.account in found:
            raise document.error((*start, number), f"account {role.account} is listed twice")
        found[role.account] = role
    return tuple(found.values())


def _account_role(document: Document, path: tuple[Any, ...], entry: Any) -> AccountRole:
    values = {"role_arn": entry} if isinstance(entry, str) else entry
    if not isinstance(values, dict) or not isinstance(values.get("role_arn"), str):
        raise document.error(path, "names no role", "write `role_arn: ARN`")
    if unknown := sorted(set(values) - {"role_arn", "external_id"}):
        raise document.error((*path, unknown[0]), "is not a known key", "role_arn, external_id")
    external_id = values.get("external_id")
    if external_id is not None and not isinstance(external_id, str):
        raise document.error((*path, "external_id"), "is not text")
    if not _ROLE.fullmatch(values["role_arn"]):
        said = f"{values['role_arn']!r} is not the ARN of a role"
        raise document.error(path, said, "arn:aws:iam::ACCOUNT:role/NAME")
    return AccountRole(role_arn=values["role_arn"], external_id=external_id)


def read_regions(text: str | None) -> tuple[str, ...] | None:
    """Read `all` as None, `a,b` as names; raises `UsageError` for a Region AWS does not have."""
    if text is None or text == "all":
        return None
    from preflight.aws import known_regions

    known = known_regions()
    wanted = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for region in wanted:
        if region not in known:
            near = difflib.get_close_matches(region, known, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "write `--regions all|a,b`"
            raise UsageError(f"AWS has no Region {region!r}", hint)
    if not wanted:
        raise UsageError("--regions names no Region", "write `--regions all|a,b`")
    return wanted


def accounts(
    caller: Aws, roles: Iterable[AccountRole]
) -> tuple[tuple[Aws, ...], tuple[Unseen, ...]]:
    """Assume all roles at the same time; an account that refuses is `Unseen`."""
    _ = caller.identity

    def assumed(role: AccountRole) -> Aws | Unseen:
        try:
            aws = caller.assume(role.role_arn, role.external_id)
            _ = aws.identity
        except AwsError as error:
            return Unseen(account=role.account, region="", error=error)
        return aws

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        found = list(pool.map(assumed, roles))
    seen = tuple(each for each in found if not isinstance(each, Unseen))
    return seen, tuple(each for each in found if isinstance(each, Unseen))


def places(
    principals: Iterable[Aws], regions: tuple[str, ...] | None, *, every: bool
) -> tuple[tuple[Seen, ...], tuple[Unseen, ...]]:
    """Give each account in each Region; with `every` those that AWS says are enabled.

    A principal that may not list the Regions is asked in its own, and the rest is `Unseen`.
    """
    seen: list[Seen] = []
    unseen: list[Unseen] = []
    for aws in principals:
        names: Sequence[str] = regions or (aws.region,)
        if every or len(names) > 1:
            _ = aws.identity  # asked once, for all Regions
        if every:
            try:
                names = sorted(aws.each("ec2", "DescribeRegions", "Regions[].RegionName"))
            except AwsError as error:
                account = aws.identity.account
                unseen.append(Unseen(account=account, region="all Regions", error=error))
        for number, region in enumerate(names):
            there = aws if region == aws.region else aws.at(region)
            seen.append(Seen(aws=there, is_first=number == 0))
    return tuple(seen), tuple(unseen)

"""Which role a command about roles means, whose it is, and what is kept of it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from preflight.cli.asked import Asked, configured_region, connected
from preflight.errors import NotFound, Refused, UsageError

if TYPE_CHECKING:
    from preflight.aws import Aws
    from preflight.found import Owner
    from preflight.journal import Journal
    from preflight.profile import Profile
    from preflight.secret import SecretFile


def where(asked: Asked, name: str | None, region: str | None) -> tuple[Aws, Profile, Owner]:
    """Connect, and say whose the role is."""
    from preflight import profile
    from preflight.spec import ClusterSpec

    vendor = profile.load(asked.vendor or ClusterSpec.vendor)
    region = region or configured_region(asked.aws_profile) or "us-east-1"
    aws = connected(region, asked.aws_profile)
    prefix = vendor.role.name_prefix if vendor.role is not None else "preflight"
    chosen = _legal(name or f"{prefix}-{secrets.token_hex(4)}")
    identity = aws.identity
    return aws, vendor, _owner(chosen, identity.account, region, identity.partition)


def elsewhere(asked: Asked, name: str, region: str | None) -> tuple[Profile, Owner]:
    """Say whose role it will be; AWS is asked only when no account is given."""
    from preflight import profile
    from preflight.cli.needs import partition_of
    from preflight.spec import ClusterSpec

    if asked.account is None:
        _, vendor, owner = where(asked, name, region)
        return vendor, owner
    vendor = profile.load(asked.vendor or ClusterSpec.vendor)
    place = region or configured_region(asked.aws_profile) or "us-east-1"
    return vendor, _owner(_legal(name), asked.account, place, partition_of(place))


def _legal(name: str) -> str:
    from preflight import names

    if wrong := names.problems(names.ROLE, name):
        raise UsageError(f"{name}: {wrong[0]}")
    return name


def _owner(name: str, account: str, region: str, partition: str) -> Owner:
    from provision.blueprint.vendor_role import role_owner

    return role_owner(name, account, region, partition)


def name_of(owner: Owner) -> str:
    """Give the name of the role that an owner stands for."""
    from provision.blueprint.vendor_role import role_name

    return role_name(owner)


def arn_of(aws: Aws, owner: Owner) -> str:
    """Look a role up; raises `UsageError` where there is none of that name."""
    arn = arn_or_none(aws, owner)
    if arn is None:
        raise UsageError(f"there is no role {name_of(owner)} in {owner.account}")
    return arn


def arn_or_none(aws: Aws, owner: Owner) -> str | None:
    """Look a role up; None where there is none of that name."""
    try:
        return str(aws.call("iam", "GetRole", RoleName=name_of(owner))["Role"]["Arn"])
    except NotFound:
        return None


def insist_own(arn: str, owner: Owner) -> None:
    """Keep hands off a role that somebody else made; raises `Refused`."""
    from provision.resources.iam import path

    mine = path(owner)
    if f":role{mine}" in arn:
        return
    stem = mine.removesuffix(f"--{owner.region}/")
    if f":role{stem}--" in arn:
        made_in = arn.split(f"{stem}--", 1)[1].partition("/")[0]
        raise Refused(f"{arn} was made from {made_in}", f"--region {made_in}")
    raise Refused(
        f"{arn} was not made by `preflight role create`",
        "choose another name, or change that role with what made it",
    )


def journal_of(owner: Owner) -> Journal:
    """Name the journal of a role, not yet opened."""
    from preflight.state import State, default_folder

    return State(folder=default_folder()).role_journal(owner.account, name_of(owner))


def kept(owner: Owner) -> SecretFile:
    """Name the file that holds the external id of a role."""
    from preflight.secret import SecretFile
    from preflight.state import default_folder

    return SecretFile.of_role(default_folder(), owner.account, name_of(owner))

"""Who has which policies, boundaries and SCPs, as moto's IAM and the scenario know it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from preflight.errors import SpecError
from preflight.policy import Policy
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request
from preflight.sandbox.world import World

FULL_ACCESS = Policy.parse(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
    id="p-FullAWSAccess",
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A policy that a user, group or role has, and how it has it.

    `kind` is `inline`, `aws-managed` or `user-managed`; `holder` the user, role or group, and
    `holder_type` which of these it is.
    """

    policy: Policy
    kind: str
    name: str
    arn: str
    holder: str
    holder_type: str


class UserBoundaries:
    """Permissions boundaries of users, which moto does not keep: user ARN -> policy ARN."""

    def __init__(self, _: World) -> None:
        self.by_user: dict[str, str] = {}

    def snapshot(self) -> dict[str, str]:
        """Give the state for `GET /_sandbox/state`."""
        return dict(sorted(self.by_user.items()))


def no_such_entity(kind: str, name: str) -> AwsFault:
    """Say that IAM knows no such thing."""
    return AwsFault("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)


def entity(world: World, arn: str) -> tuple[str, Any]:
    """Find `user`, `role` or `group` by its whole ARN, path included; raises NoSuchEntity."""
    backend = world.backend("iam", "aws")
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    tables = {"user": backend.users, "role": backend.roles, "group": backend.groups}
    for one in list(tables.get(kind, {}).values()):
        if one.arn == arn:
            return kind, one
    raise no_such_entity(kind, rest.rpartition("/")[2])


def read_policy(text: str, policy_id: str) -> Policy:
    """Read a policy as moto keeps it: JSON, sometimes percent-encoded."""
    return Policy.parse(text if text.lstrip().startswith("{") else unquote(text), id=policy_id)


def policy_document(world: World, arn: str) -> Policy:
    """Read the default version of a managed policy; raises NoSuchEntity."""
    managed = world.backend("iam", "aws").managed_policies.get(arn)
    if managed is None:
        raise AwsFault("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    return _default_version(managed)


def _default_version(managed: Any) -> Policy:
    version = next(one for one in managed.versions if one.version_id == managed.default_version_id)
    return read_policy(version.document, managed.arn)


def sources(world: World, kind: str, holder: Any) -> list[Source]:
    """List what a user (with groups), role or group is granted by."""
    holders = [(kind, holder)]
    if kind == "user":
        groups = world.backend("iam", "aws").groups.values()
        holders += [("group", group) for group in list(groups) if holder in group.users]
    return [source for type_, one in holders for source in _own_sources(type_, one)]


def _own_sources(kind: str, holder: Any) -> Iterable[Source]:
    for name, document in list(holder.policies.items()):
        yield Source(
            policy=read_policy(document, f"{kind}_{holder.name}_{name}"),
            kind="inline",
            name=name,
            arn="",
            holder=holder.name,
            holder_type=kind,
        )
    for arn, managed in list(holder.managed_policies.items()):
        yield Source(
            policy=_default_version(managed),
            kind="aws-managed" if ":iam::aws:" in arn else "user-managed",
            name=managed.name,
            arn=arn,
            holder=holder.name,
            holder_type=kind,
        )


def by_name(world: World, kind: str, name: str) -> Any:
    """Find a `user`, `role` or `group` by its name; raises NoSuchEntity."""
    backend = world.backend("iam", "aws")
    tables = {"user": backend.users, "role": backend.roles, "group": backend.groups}
    for one in list(tables[kind].values()):
        if one.name == name:
            return one
    raise no_such_entity(kind, name)


def boundary_arn(world: World, kind: str, holder: Any) -> str | None:
    """Name the policy that is the permissions boundary of a user or role."""
    if kind == "role":
        return holder.permissions_boundary_arn or None
    return world.part(UserBoundaries).by_user.get(holder.arn)


def boundary(world: World, kind: str, holder: Any) -> Policy | None:
    """Read the permissions boundary of a user or role."""
    arn = boundary_arn(world, kind, holder)
    return policy_document(world, arn) if arn else None


@dataclass(frozen=True, kw_only=True)
class Granted:
    """What IAM gives a user or role: all identity policies, and the boundary."""

    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None


def granted(world: World, arn: str) -> Granted:
    """Read what a user or role has now; nothing for one that is not there."""
    try:
        kind, holder = entity(world, arn)
    except AwsFault:
        return Granted()
    return Granted(
        policies=tuple(source.policy for source in sources(world, kind, holder)),
        boundary=boundary(world, kind, holder),
    )


def organization(world: World) -> str:
    """Name the organization that the account is in, empty where the scenario names none."""
    return str(world.scenario.get("account", {}).get("organization", ""))


def management_account(world: World) -> str:
    """Name the account that manages the organization, empty where the scenario does not say."""
    return str(world.scenario.get("account", {}).get("management", ""))


def scp_levels(world: World) -> list[list[Policy]]:
    """Give the levels of SCPs that bind this account, from the root of the organization down.

    The scenario's policies are one level, and each list among them is a level of its own.
    FullAWSAccess stands beside policies that only deny, as it does where AWS's default was kept;
    a policy that allows anything takes its place.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
    """
    if management_account(world) == world.account:
        return []  # SCPs bind the members of an organization, not the account that manages it
    entries = world.scenario.get("scps") or ()
    levels = [one for one in entries if isinstance(one, list)]
    rest = [one for one in entries if not isinstance(one, list)]
    levels += [rest] if rest else []
    return [_scp_level(level, number) for number, level in enumerate(levels, start=1)]


def _scp_level(documents: Sequence[Any], level: int) -> list[Policy]:
    policies = [
        Policy.parse(document, id=f"p-scp{level}-{number}")
        for number, document in enumerate(documents, start=1)
    ]
    if not any(one.allows for policy in policies for one in policy.statements):
        policies.insert(0, FULL_ACCESS)
    return policies


def refuse_malformed(request: Request) -> None:
    """Refuse a policy that IAM could not read, before anybody has it."""
    for member in ("PolicyDocument", "AssumeRolePolicyDocument", "Policy"):
        text = request.parameters.get(member)
        if text:
            try:
                read_policy(str(text), member)
            except SpecError as error:
                raise AwsFault("MalformedPolicyDocument", error.message, 400) from error


_TAKE_POLICIES = (
    ("iam", "CreatePolicy"),
    ("iam", "CreatePolicyVersion"),
    ("iam", "CreateRole"),
    ("iam", "PutGroupPolicy"),
    ("iam", "PutRolePolicy"),
    ("iam", "PutUserPolicy"),
    ("iam", "UpdateAssumeRolePolicy"),
    ("sts", "AssumeRole"),
    ("sts", "AssumeRoleWithWebIdentity"),
    ("sts", "GetFederationToken"),
)
RULES = dict.fromkeys(_TAKE_POLICIES, refuse_malformed)

"""Who an ARN of GetCallerIdentity speaks of, and which IAM entity stands behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from preflight.aws import Aws
from preflight.errors import AccessDenied

_ARN = re.compile(r"arn:(?P<partition>[^:]+):(?:iam|sts)::(?P<account>\d{12}):(?P<rest>.+)")


class PrincipalKind(StrEnum):
    """The kinds of callers that AWS tells apart."""

    USER = "user"
    ROLE = "role"
    SSO_ROLE = "sso-role"
    FEDERATED_USER = "federated-user"
    ROOT = "root"
    OTHER = "other"

    @property
    def words(self) -> str:
        """Say it in a sentence."""
        return _WORDS[self]


_WORDS = {
    PrincipalKind.USER: "the IAM user",
    PrincipalKind.ROLE: "a session of the role",
    PrincipalKind.SSO_ROLE: "a session of the IAM Identity Center role",
    PrincipalKind.FEDERATED_USER: "the federated user",
    PrincipalKind.ROOT: "the root user",
    PrincipalKind.OTHER: "the principal",
}


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A caller, read off its ARN: `name` is the user's, or the role's without its path.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """

    arn: str
    account: str
    partition: str
    kind: PrincipalKind
    name: str

    @classmethod
    def of(cls, arn: str) -> Principal:
        """Read an ARN as GetCallerIdentity gives it; what fits no form is OTHER."""
        found = _ARN.fullmatch(arn)
        if found is None:
            return cls(arn=arn, account="", partition="", kind=PrincipalKind.OTHER, name=arn)
        kind, name = _kind(found["rest"])
        return cls(
            arn=arn,
            account=found["account"],
            partition=found["partition"],
            kind=kind,
            name=name,
        )

    @property
    def is_session(self) -> bool:
        """Whether this is a session of a role."""
        return self.kind in {PrincipalKind.ROLE, PrincipalKind.SSO_ROLE}


def _kind(rest: str) -> tuple[PrincipalKind, str]:
    if rest == "root":
        return PrincipalKind.ROOT, "root"
    form, _, name = rest.partition("/")
    if form == "user":
        return PrincipalKind.USER, name.rpartition("/")[2]
    if form == "federated-user":
        return PrincipalKind.FEDERATED_USER, name
    if form == "assumed-role":
        role = name.partition("/")[0]
        sso = role.startswith("AWSReservedSSO_")
        return (PrincipalKind.SSO_ROLE if sso else PrincipalKind.ROLE), role
    return PrincipalKind.OTHER, name


@dataclass(frozen=True, kw_only=True)
class Entity:
    """The IAM user or role whose policies hold; `guessed` when nobody could confirm its path."""

    arn: str
    guessed: bool = False


def entity(principal: Principal, aws: Aws, role_arn: str | None = None) -> Entity | None:
    """Give the user or role behind a caller; None where there is none (root, federated users).

    A session does not tell its role's path, which IAM Identity Center and many companies use, so
    IAM is asked, unless `role_arn` is the role that was assumed.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    if principal.kind is PrincipalKind.USER:
        # Some emulators sign users with an sts ARN; the simulator takes iam ARNs only.
        return Entity(arn=principal.arn.replace(":sts:", ":iam:", 1))
    if not principal.is_session:
        return None
    if role_arn and role_arn.endswith(f"/{principal.name}") and principal.account in role_arn:
        return Entity(arn=role_arn)
    try:
        return Entity(arn=str(aws.call("iam", "GetRole", RoleName=principal.name)["Role"]["Arn"]))
    except AccessDenied:
        guess = f"arn:{principal.partition}:iam::{principal.account}:role/{principal.name}"
        return Entity(arn=guess, guessed=True)

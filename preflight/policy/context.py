"""What is known of a request when policies judge it: principal, action, resource, context keys.

Every value is in one of three states: known, known to be absent, or unknown. AWS itself only has
the first two; whoever judges from outside has all three, and must not take the third for the
second. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-reqcontext.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from types import MappingProxyType

#: Kleene's third value: None is "it depends on something that is not known".
Truth = bool | None

#: What a context key may be given as; numbers and dates are written as AWS writes them.
ContextValue = str | Iterable[str]


class Missing(Enum):
    """Why a context key has no value."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


class PrincipalType(StrEnum):
    """The keys of a Principal element that can name a caller."""

    AWS = "AWS"
    SERVICE = "Service"
    FEDERATED = "Federated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who asks: the ARN of a user, role or root, or the name of an AWS service.

    `session_arn` is the ARN of a session (`arn:aws:sts::…:assumed-role/…` or `federated-user/…`)
    and `arn` then that of the role or user behind it.
    """

    arn: str
    session_arn: str | None = None
    type: PrincipalType = PrincipalType.AWS

    @property
    def account(self) -> str:
        """The twelve digits, or an empty string for a service."""
        parts = self.arn.split(":", 5)
        return parts[4] if len(parts) == 6 else ""

    @property
    def root_arn(self) -> str:
        """The ARN by which a policy names the whole account."""
        return ":".join([*self.arn.split(":", 5)[:5], "root"])

    @property
    def is_user(self) -> bool:
        """Whether this is an IAM user himself, and not somebody whom he federated."""
        return ":user/" in self.arn and self.session_arn is None

    @property
    def is_root(self) -> bool:
        """Whether this is the root user of the account."""
        return self.arn.endswith(":root")


def all_true(values: Iterable[Truth]) -> Truth:
    """Say whether everything holds; one False settles it, else one unknown leaves it open."""
    answer: Truth = True
    for value in values:
        if value is False:
            return False
        if value is None:
            answer = None
    return answer


def any_true(values: Iterable[Truth]) -> Truth:
    """Say whether anything holds; one True settles it, else one unknown leaves it open."""
    answer: Truth = False
    for value in values:
        if value is True:
            return True
        if value is None:
            answer = None
    return answer


def negate(value: Truth) -> Truth:
    """Turn yes into no and leave unknown as it is."""
    return None if value is None else not value


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Condition keys in lower case with their values; `unknown` are the keys nobody can tell.

    An entry of `unknown` that ends in `*` stands for all keys that begin so; `*` alone makes every
    key unknown that has no value. All other keys without a value are absent, and so are those that
    an entry of `absent`, written alike, takes out of the unknown ones.
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        values: Mapping[str, ContextValue],
        unknown: Iterable[str] = (),
        absent: Iterable[str] = (),
    ) -> Context:
        """Read keys in any case; a string is one value, anything else a list of values."""
        read = {
            key.lower(): (value,) if isinstance(value, str) else tuple(value)
            for key, value in values.items()
        }
        return cls(
            values=MappingProxyType(read),
            unknown=frozenset(key.lower() for key in unknown),
            absent=frozenset(key.lower() for key in absent),
        )

    def look(self, key: str) -> tuple[str, ...] | Missing:
        """Give the values of a key (lower case); a key with an empty list is absent."""
        values = self.values.get(key)
        if values:
            return values
        if values is None and self.unknown and _named(key, self.unknown):
            return Missing.ABSENT if _named(key, self.absent) else Missing.UNKNOWN
        return Missing.ABSENT


def _named(key: str, names: frozenset[str]) -> bool:
    return key in names or any(name.endswith("*") and key.startswith(name[:-1]) for name in names)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One action by one principal on one resource.

    `resource` is an ARN, or `*` for an action that has no resource type, or None when the ARN is
    not known: then only a policy pattern that covers every resource of the action's AWS service
    surely matches, and one of another AWS service surely does not.
    """

    action: str
    principal: Principal
    resource: str | None = "*"
    context: Context = field(default_factory=Context)

"""One class per kind of AWS resource, and that class is the only truth about the kind.

From it follow the permissions to check, the quota demand, the names to validate, the price, the
creation, the readiness, the deletion, and how to find what was left behind. An instance is a wanted
thing; a field that holds another Resource is a dependency on it.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Protocol, dataclass_transform

from preflight.actions import Action
from preflight.aws import Aws
from preflight.found import Found, Owner
from preflight.names import NameRule
from preflight.price import Charge
from preflight.quota import Demand


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The thing will not become ready by itself; `reason` is AWS's own, with its issue code.

    `again` says that deleting and making it once more is known to help.
    """

    reason: str
    hint: str | None = None
    again: bool = False


class Waiting(Enum):
    """The answers to "is it ready?" that are not a failure."""

    READY = "ready"
    WAIT = "wait"
    #: It was made, and lacks what `Resource.ready_with` names.
    LACKING = "lacking"


READY = Waiting.READY
WAIT = Waiting.WAIT
LACKING = Waiting.LACKING
Readiness = Waiting | Failed


class Ids(Protocol):
    """The ids of what was made so far: `ids[self.vpc]`, and whose they are."""

    @property
    def owner(self) -> Owner:
        """The cluster that is being built."""
        ...

    def __getitem__(self, resource: Resource) -> str: ...


@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False)
class _Frozen(ABC):  # noqa: B024 - the abstract methods are Resource's
    """Makes every subclass a frozen, keyword-only dataclass compared by address."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclass(frozen=True, kw_only=True, eq=False)(cls)


class Kind(ABC):
    """What can be found and deleted: planned resources, and strays that clusters leave behind."""

    #: `service/thing`, the first half of an address: `ec2/subnet`.
    kind: ClassVar[str]
    #: What `find` and `ready` need.
    finds: ClassVar[tuple[Action, ...]] = ()
    #: What `delete` needs.
    deletes: ClassVar[tuple[Action, ...]] = ()
    #: Kinds that must be gone before this can go, beyond those that depend on it.
    dies_after: ClassVar[tuple[str, ...]] = ()
    #: Kinds it holds in a field and that may all the same go before it does.
    outlives: ClassVar[tuple[str, ...]] = ()
    #: The kind whose deletion takes this with it, so that no call is needed.
    dies_with: ClassVar[str | None] = None
    #: Kept when the cluster is deleted with `--keep-data`: it holds what users put there.
    holds_data: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find what exists of this kind for an owner: to adopt, to resume, to sweep.

        Raises `AccessDenied` when it may not look; it never answers "nothing" for that.
        """

    @classmethod
    @abstractmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; that it is gone is decided by looking again."""


class Resource(Kind, _Frozen):
    """A thing we want to exist. Subclasses say everything there is to know about their kind.

    A new kind needs: `kind`, `creates`, `finds`, `deletes`, `create`, `find`, `delete`. The rest
    has defaults. A test over all kinds holds the calls made against the actions declared.
    """

    #: What the calls of `create` and `configure` need; templates are filled in from the instance.
    creates: ClassVar[tuple[Action, ...]] = ()
    #: Seconds that AWS usually takes to make and to delete one; used for the order of waiting.
    takes: ClassVar[tuple[float, float]] = (1.0, 1.0)
    #: Kinds of which one has to be ready before it is, although it needs none to be made. It is
    #: then LACKING, and not waited for when none of them comes.
    ready_with: ClassVar[tuple[str, ...]] = ()

    #: What this is called within its kind and plan: `private-a`.
    name: str
    #: Must be ready first although no id of it is needed (routes before nodes).
    after: tuple[Resource, ...] = ()

    @property
    def address(self) -> str:
        """Its name within the plan, also its `preflight:resource` tag: `ec2/subnet/private-a`."""
        return f"{self.kind}/{self.name}"

    @property
    def needs(self) -> tuple[Resource, ...]:
        """What must be ready before this is started, read off the fields."""
        found: dict[Resource, None] = {}
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            for candidate in value if isinstance(value, tuple) else (value,):
                if isinstance(candidate, Resource):
                    found[candidate] = None
        return tuple(found)

    @property
    def parameters(self) -> dict[str, Any]:
        """What was asked for, other resources by address: hashed into journal and plan."""
        plain: dict[str, Any] = {}
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if each.name == "after":
                continue
            plain[each.name] = _by_address(value)
        return plain

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resource) and self.address == other.address

    def __hash__(self) -> int:
        return hash(self.address)

    def demands(self) -> Iterator[Demand]:
        """Say what this takes of the account's quotas."""
        return iter(())

    def charges(self) -> Iterator[Charge]:
        """Say what this costs while it exists."""
        return iter(())

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """Give the physical names it will carry, each with the rule of AWS for it."""
        return iter(())

    def adopt(self, aws: Aws) -> str | None:
        """Find a shared thing of the account to use instead of making one; it is never deleted."""
        del aws
        return None

    @abstractmethod
    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for it, tagged in the same call, and give its id; never waits.

        One call that makes the thing. `token` is the same for every try of the same thing, for the
        operations that have a client token. Settings that can be repeated go into `configure`.
        """

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Put the settings that are calls of their own; repeated after a crash, so idempotent."""
        del aws, ids, id

    def ready(self, aws: Aws, ids: Ids, id: str) -> Readiness:
        """Say whether it can be used; asked again and again."""
        del aws, ids, id
        return READY

    @classmethod
    def ready_all(
        cls, aws: Aws, ids: Ids, made: Mapping[Resource, str]
    ) -> Mapping[Resource, Readiness]:
        """Say it for several at once; kinds whose Describe takes many ids override this."""
        return {resource: resource.ready(aws, ids, id) for resource, id in made.items()}


def _by_address(value: Any) -> Any:
    if isinstance(value, Resource):
        return value.address
    if isinstance(value, Mapping):
        return {str(key): _by_address(each) for key, each in sorted(value.items())}
    if isinstance(value, tuple | list | frozenset):
        return [_by_address(each) for each in value]
    return value

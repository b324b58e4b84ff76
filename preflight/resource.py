"""One class per kind of AWS resource, and that class is the only truth about the kind.

From it follow the permissions to check, the quota demand, the names to validate, the price, the
creation, the readiness, the deletion, and how to find what was left behind. An instance is a wanted
thing; a field that holds another Resource is a dependency on it.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, ClassVar, Protocol, dataclass_transform

from preflight.actions import Action
from preflight.aws import Aws
from preflight.names import EKS_CLUSTER, NameRule, derive, problems
from preflight.price import Charge
from preflight.quota import Demand

CLUSTER_TAG = "preflight:cluster"
INCARNATION_TAG = "preflight:incarnation"
RESOURCE_TAG = "preflight:resource"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose things these are: one cluster of one account and Region.

    `incarnation` tells this cluster from an earlier one of the same name; empty means any.
    """

    cluster: str
    account: str
    region: str
    partition: str = "aws"
    incarnation: str = ""
    extra_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def eks_name(self) -> str:
        """The cluster's name in EKS, which allows no dots; controllers tag with this one."""
        if not problems(EKS_CLUSTER, self.cluster):
            return self.cluster  # also of clusters that others made
        return derive(EKS_CLUSTER, self.cluster)

    def tags(self, address: str) -> dict[str, str]:
        """Give the tags that every resource of this owner carries from its first moment."""
        return {
            **self.extra_tags,
            "Name": f"{self.cluster}/{address.rsplit('/', 1)[-1]}",
            CLUSTER_TAG: self.cluster,
            INCARNATION_TAG: self.incarnation,
            RESOURCE_TAG: address,
            f"kubernetes.io/cluster/{self.eks_name}": "owned",
        }


class Strength(StrEnum):
    """How well a piece of evidence ties a thing to a cluster."""

    #: The exact cluster name or identity.
    A = "A"
    #: An anchored name pattern together with a second proof.
    B = "B"
    #: Some cluster, nobody knows which.
    C = "C"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Why a thing is thought to belong to a cluster: `text` is `tag preflight:cluster=prod`."""

    strength: Strength
    text: str


class State(StrEnum):
    """How a thing that was found is doing."""

    PRESENT = "present"
    #: Somebody asked for its deletion, or AWS will remove it by itself: wait.
    GOING = "going"
    #: It asks not to be touched: shared, kept by a backup, protected.
    KEPT = "kept"


@dataclass(frozen=True, kw_only=True)
class Found:
    """Something that exists. `address` is its place in the plan, where its tags tell."""

    kind: str
    id: str
    region: str
    arn: str = ""
    name: str = ""
    address: str = ""
    cluster: str = ""
    incarnation: str = ""
    state: State = State.PRESENT
    #: Why it is GOING or KEPT, or whatever a reader should know.
    note: str = ""
    evidence: tuple[Evidence, ...] = ()
    created: datetime | None = None
    charges: tuple[Charge, ...] = ()
    #: Ids of things that cannot be deleted while this exists (a VPC, a security group).
    blocks: tuple[str, ...] = ()
    #: What `delete` needs beside the id (a bus name, a cluster name).
    detail: Mapping[str, str] = field(default_factory=dict)

    @property
    def strength(self) -> Strength:
        """The best evidence there is; none at all is as weak as C."""
        return min((piece.strength for piece in self.evidence), default=Strength.C)


def tagged(tags: Mapping[str, str], owner: Owner) -> Evidence | None:
    """Read Preflight's own tags: evidence A when the cluster's name is exactly the owner's."""
    if tags.get(CLUSTER_TAG) != owner.cluster:
        return None
    if owner.incarnation and tags.get(INCARNATION_TAG) not in {None, "", owner.incarnation}:
        return None
    return Evidence(strength=Strength.A, text=f"tag {CLUSTER_TAG}={owner.cluster}")


def tag_map(tags: Any) -> dict[str, str]:
    """Turn AWS's tag lists (Key/Value, key/value, TagKey/TagValue) or maps into a dictionary."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    found: dict[str, str] = {}
    for tag in tags or ():
        key = tag.get("Key", tag.get("key", tag.get("TagKey", "")))
        found[key] = tag.get("Value", tag.get("value", tag.get("TagValue", "")))
    return found


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The thing will not become ready by itself; `reason` is AWS's own, with its issue code.

    `again` says that deleting and making it once more is known to help.
    """

    reason: str
    hint: str | None = None
    again: bool = False


class Waiting(Enum):
    """The two answers to "is it ready?" that are not a failure."""

    READY = "ready"
    WAIT = "wait"


READY = Waiting.READY
WAIT = Waiting.WAIT
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

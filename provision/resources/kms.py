"""Keys: what the secrets of a cluster are encrypted with, and the name a key is found by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import AwsError, NotFound
from preflight.found import (
    CLUSTER_TAG,
    INCARNATION_TAG,
    RESOURCE_TAG,
    Evidence,
    Found,
    Owner,
    Strength,
    tag_map,
    tagged,
)
from preflight.names import KEY_ALIAS, NameRule
from preflight.price import Charge
from preflight.quota import Demand
from preflight.quotas.catalogue import KMS_KEYS
from preflight.resource import Ids, Resource

_KEYS = "arn:{owner.partition}:kms:{owner.region}:{owner.account}:key/*"
_ALIAS = "arn:{owner.partition}:kms:{owner.region}:{owner.account}:{self.alias_name}"
#: Days until a key is really deleted; AWS allows no fewer.
#: https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
PENDING_DAYS = 7
_GOING = frozenset({"PendingDeletion", "PendingReplicaDeletion"})


def prefix(owner: Owner) -> str:
    """Give what the names of an owner's aliases begin with: `alias/preflight/dev/`."""
    return f"alias/preflight/{owner.eks_name}/"


def alias_name(owner: Owner, name: str) -> str:
    """Name the alias that the plan calls `name`."""
    return prefix(owner) + name


def _aliases(aws: Aws, owner: Owner) -> Iterator[dict[str, Any]]:
    own = prefix(owner)
    for alias in aws.each("kms", "ListAliases", "Aliases"):
        if alias["AliasName"].startswith(own):
            yield alias


class Key(Resource):
    """A symmetric key that rotates every year.

    `policy` is the key policy; empty means AWS's default, which leaves access to IAM. The id is
    the key's ARN. A deleted key is `PendingDeletion` for seven days, costs nothing then, and counts
    as gone.
    """

    kind = "kms/key"
    creates = (
        # The key has no ARN before it exists: AWS evaluates CreateKey on `*`.
        Action(name="kms:CreateKey", tagged=True),
        Action(name="kms:TagResource", on=(_KEYS,), tagged=True, by_hand=True),
        Action(name="kms:EnableKeyRotation", on=(_KEYS,)),
    )
    finds = (
        *actions("kms:ListAliases", "tag:GetResources"),
        Action(name="kms:DescribeKey", on=(_KEYS,)),
        Action(name="kms:ListResourceTags", on=(_KEYS,)),
    )
    deletes = (Action(name="kms:ScheduleKeyDeletion", on=(_KEYS,)),)
    #: A cluster whose key is marked for deletion breaks.
    dies_after = ("eks/cluster",)

    policy: Mapping[str, Any] = field(default_factory=dict)

    def demands(self) -> Iterator[Demand]:
        """One of the customer managed keys of the Region."""
        yield Demand(quota=KMS_KEYS)

    def charges(self) -> Iterator[Charge]:
        """A key costs by the month."""
        yield Charge(sku="kms/key")

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the key and give its ARN. KMS has no client token: it is found by its tags."""
        del token
        tags = sorted(ids.owner.tags(self.address).items())
        request: dict[str, Any] = {"Policy": json.dumps(self.policy)} if self.policy else {}
        answer = aws.call(
            "kms",
            "CreateKey",
            Description=f"{ids.owner.cluster}: {self.name}",
            Tags=[{"TagKey": key, "TagValue": value} for key, value in tags],
            **request,
        )
        return str(answer["KeyMetadata"]["Arn"])

    def configure(self, aws: Aws, ids: Ids, id: str) -> None:
        """Rotate the key every year."""
        del ids
        aws.call("kms", "EnableKeyRotation", KeyId=id)

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by alias, and by tag for a key whose alias was never made."""
        ids = [alias["TargetKeyId"] for alias in _aliases(aws, owner) if "TargetKeyId" in alias]
        # The tagging index lags behind, both ways; it only names candidates.
        indexed = aws.each(
            "resourcegroupstaggingapi",
            "GetResources",
            "ResourceTagMappingList[].ResourceARN",
            TagFilters=[{"Key": CLUSTER_TAG, "Values": [owner.cluster]}],
            ResourceTypeFilters=["kms:key"],
        )
        ids.extend(arn.rsplit("/", 1)[-1] for arn in indexed)
        for id in dict.fromkeys(ids):
            try:
                found = cls._look(aws, owner, id)
            except NotFound:
                continue
            if found is not None:
                yield found

    @classmethod
    def _look(cls, aws: Aws, owner: Owner, id: str) -> Found | None:
        listed = aws.each("kms", "ListResourceTags", "Tags", KeyId=id)
        tags = tag_map(list(listed))
        if (evidence := tagged(tags, owner)) is None:
            return None
        key = aws.call("kms", "DescribeKey", KeyId=id)["KeyMetadata"]
        if key["KeyState"] in _GOING:
            return None
        return Found(
            kind=cls.kind,
            id=key["Arn"],
            region=owner.region,
            arn=key["Arn"],
            name=key["KeyId"],
            address=tags.get(RESOURCE_TAG, ""),
            cluster=owner.cluster,
            incarnation=tags.get(INCARNATION_TAG, ""),
            evidence=(evidence,),
            created=key.get("CreationDate"),
            charges=(Charge(sku="kms/key"),),
        )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion after the shortest time AWS allows; until then it can be undone."""
        id = found.id.rsplit("/", 1)[-1]
        try:
            aws.call("kms", "ScheduleKeyDeletion", KeyId=id, PendingWindowInDays=PENDING_DAYS)
        except AwsError as error:
            # Asked for before: AWS has no other code for a key that is as good as gone.
            if "pending deletion" not in error.message:
                raise


class Alias(Resource):
    """A name for a key, `alias_name` from `kms.alias_name(owner, name)`; also its id."""

    kind = "kms/alias"
    # Both calls are evaluated twice: on the alias and on the key behind it.
    creates = (
        Action(name="kms:CreateAlias", on=(_ALIAS,)),
        Action(name="kms:CreateAlias", on=(_KEYS,)),
    )
    finds = actions("kms:ListAliases")
    deletes = (
        Action(name="kms:DeleteAlias", on=(_ALIAS,)),
        Action(name="kms:DeleteAlias", on=(_KEYS,)),
    )

    alias_name: str
    key: Key

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The alias."""
        yield KEY_ALIAS, self.alias_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Give the key its name."""
        del token
        aws.call("kms", "CreateAlias", AliasName=self.alias_name, TargetKeyId=ids[self.key])
        return self.alias_name

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by name: aliases carry no tags."""
        own = prefix(owner)
        for alias in _aliases(aws, owner):
            yield Found(
                kind=cls.kind,
                id=alias["AliasName"],
                region=owner.region,
                arn=alias["AliasArn"],
                name=alias["AliasName"],
                address=f"{cls.kind}/{alias['AliasName'].removeprefix(own)}",
                cluster=owner.cluster,
                evidence=(Evidence(strength=Strength.A, text=f"alias {own}*"),),
                created=alias.get("CreationDate"),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Take the name away; without this it stays taken until the key is really gone."""
        aws.call("kms", "DeleteAlias", AliasName=found.id)

"""What all kinds of EC2 share: tags in the creating call, the filter that finds them, ARNs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from preflight.actions import Action
from preflight.aws import Aws
from preflight.found import (
    CLUSTER_TAG,
    Found,
    Owner,
    tag_map,
)
from preflight.resource import Ids, Kind, Resource


def arn(thing: str, id: str = "*") -> str:
    """Write the ARN template of an EC2 thing: `arn("subnet")`."""
    return f"arn:{{owner.partition}}:ec2:{{owner.region}}:{{owner.account}}:{thing}/{id}"


def creates(
    operation: str, *things: str, context: Mapping[str, str] | None = None
) -> tuple[Action, ...]:
    """Declare a tagged create: the call on the things it names, and tag-on-create on the first.

    `things` are the resource types of the call in ARN words, the new one first; `context` are the
    condition keys of the new one.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    """
    new = arn(things[0])
    return (
        Action(name=f"ec2:{operation}", on=(new,), context=context or {}, tagged=True),
        *(Action(name=f"ec2:{operation}", on=(arn(thing),)) for thing in things[1:]),
        Action(
            name="ec2:CreateTags",
            on=(new,),
            context={"ec2:CreateAction": operation},
            tagged=True,
            by_hand=True,
        ),
    )


def tag_specifications(thing: str, ids: Ids, resource: Resource) -> list[dict[str, Any]]:
    """Write `TagSpecifications` for a create call; `thing` is EC2's `ResourceType`."""
    tags = {**ids.owner.tags(resource.address), **getattr(resource, "tags", {})}
    return [
        {
            "ResourceType": thing,
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        }
    ]


def of_owner(owner: Owner) -> list[dict[str, Any]]:
    """Write the `Filters` that find what carries the owner's tag."""
    return [{"Name": f"tag:{CLUSTER_TAG}", "Values": [owner.cluster]}]


def found(
    cls: type[Kind], owner: Owner, described: Mapping[str, Any], id_key: str, thing: str = ""
) -> Found | None:
    """Read one description of AWS; None when its tags do not name this very owner.

    `thing` is the resource type in the ARN where it is not the second half of the kind.
    """
    tags = tag_map(described.get("Tags"))
    thing = thing or cls.kind.removeprefix("ec2/")
    id = str(described[id_key])
    here = Found(
        kind=cls.kind,
        id=id,
        region=owner.region,
        arn=f"arn:{owner.partition}:ec2:{owner.region}:{owner.account}:{thing}/{id}",
        name=tags.get("Name", ""),
    )
    return here.owned(tags, owner)


def each_found(
    aws: Aws,
    owner: Owner,
    cls: type[Kind],
    operation: str,
    path: str,
    id_key: str,
    *,
    thing: str = "",
    filters: str = "Filters",
    **more: Any,
) -> Iterator[tuple[Found, dict[str, Any]]]:
    """Find by tag with one paged Describe; gives each `Found` with AWS's own description.

    The tags are read once more: a filter is a wish, the tags are the evidence. `filters` is what
    the operation calls its filters, and `more` goes into the call as it is.
    """
    more[filters] = of_owner(owner)
    for described in aws.each("ec2", operation, path, **more):
        if (one := found(cls, owner, described, id_key, thing)) is not None:
            yield one, described

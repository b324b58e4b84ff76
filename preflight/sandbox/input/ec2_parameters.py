"""The parameters of EC2: those it does not know, and those it needs.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html has the codes. The words
are those of https://github.com/aws/aws-cli/issues/21 (unknown) and
https://github.com/getmoto/moto/issues/112 (missing), the order is that of
https://github.com/aws/aws-sdk-cpp/issues/327.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from preflight.sandbox import models
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.input.constraints import Path, missing
from preflight.sandbox.request import Request

#: What every request may have, or what signs it.
#: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html
_OF_ALL = frozenset(
    {"Action", "AWSAccessKeyId", "DryRun", "Expires", "SecurityToken", "Signature"}
    | {"SignatureMethod", "SignatureVersion", "Timestamp", "Version"}
)


def refuse_parameters(request: Request, shape: Any) -> None:
    """Refuse the first parameter that EC2 does not know, or else the first it lacks."""
    for sent in (request.body.decode(errors="replace"), request.environ.get("QUERY_STRING", "")):
        for name, _ in parse_qsl(sent, keep_blank_values=True):
            if name not in _OF_ALL and not name.startswith("X-Amz-") and not _is_known(shape, name):
                raise AwsFault("UnknownParameter", f"The parameter {name} is not recognized")
    for place in missing(shape, request.parameters):
        name = ".".join(_as_sent(shape, place))
        raise AwsFault("MissingParameter", f"The request must contain the parameter {name}")
    _refuse_small_page(request, shape)


def _refuse_small_page(request: Request, shape: Any) -> None:
    """Refuse pages of fewer rows than the operation gives; of the most, models and EC2 disagree.

    The words: https://github.com/aws/aws-sdk-ruby/pull/2575, the disagreement:
    https://github.com/aws/aws-cli/issues/3397
    """
    size = shape.members.get("MaxResults")
    least, asked = size and size.metadata.get("min"), request.parameters.get("MaxResults")
    if least and asked is not None and asked < least:
        message = f"Value ( {asked} ) for parameter maxResults is invalid. "
        raise AwsFault("InvalidParameterValue", f"{message}Expecting a value greater than {least}.")


def _is_known(shape: Any, name: str) -> bool:
    """Whether a dotted name leads to something: through structures by name, lists by number."""
    for part in name.split("."):
        if shape.type_name == "list" and part.isdecimal():
            shape = shape.member
        elif shape.type_name == "structure" and part in (members := _members(shape.name)):
            shape = members[part]
        else:
            return False
    return True


@cache
def _members(structure: str) -> Mapping[str, Any]:
    """Give the members of a structure as requests name them."""
    shape = models.service_model("ec2").shape_for(structure)
    return {_sent(name, member): member for name, member in shape.members.items()}


def _sent(name: str, member: Any) -> str:
    """Name a member as requests do.

    https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
    """
    if "queryName" in member.serialization:
        return str(member.serialization["queryName"])
    wired = str(member.serialization.get("name", name))
    return wired[:1].upper() + wired[1:]


def _as_sent(shape: Any, place: Path) -> Iterator[str]:
    for part in place:
        if shape.type_name == "structure":
            shape, name = shape.members[part], part
            yield _sent(name, shape)
        elif part.isdecimal():
            yield part
        else:
            shape = shape.member

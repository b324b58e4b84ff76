"""Holds what goes out against botocore's models, as it goes over the wire.

boto3 overlooks a member that it does not know and a required one that is missing; clients in other
languages do not. `deviations` reads the body by the protocol of the service, and tells all that
the model of the operation does not say.
https://smithy.io/2.0/aws/protocols/index.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from preflight.sandbox import wire
from preflight.sandbox.request import INJECTED, Request, Response

#: What protocols write beside an answer.
_BESIDE = frozenset({"requestId", "RequestId", "ResponseMetadata"})
#: What EC2 tells and its enumerations lack; the documentation of its filters has it.
#: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
#: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html
#: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInternetGateways.html
_TOLD_ALL_THE_SAME: Mapping[str, frozenset[str]] = {
    "AttachmentStatus": frozenset({"available"}),
    "NetworkInterfaceType": frozenset({"nat_gateway"}),
    # moto's catalogue of instance types is AWS's own, and younger than the model.
    "SupportedAdditionalProcessorFeature": frozenset({"metal-compatibility"}),
    "State": frozenset(
        {"pendingAcceptance", "pending", "available", "deleting", "deleted", "failed"}
    ),
}
#: Errors that any operation may have, whatever its model says.
#: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
_ERRORS_OF_ALL = frozenset(
    {"AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException"}
    | {"InternalFailure", "InvalidAction", "InvalidClientTokenId", "MissingAuthenticationToken"}
    | {"OptInRequired", "SerializationException", "Throttling", "ThrottlingException"}
    | {"UnknownOperationException", "UnrecognizedClientException", "ValidationError"}
    | {"ValidationException", "NotImplemented"}
)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "blob": (str,),
    "boolean": (bool,),
    "double": (int, float),
    "float": (int, float),
    "integer": (int,),
    "long": (int,),
    "string": (str,),
}
_NESTED: Mapping[str, type] = {"list": list, "map": dict, "structure": dict}
_TEXTS: Mapping[str, re.Pattern[str]] = {
    "boolean": re.compile("true|false"),
    "double": re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?"),
    "float": re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?"),
    "integer": re.compile(r"-?\d+"),
    "long": re.compile(r"-?\d+"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:?\d\d)"),
}


def deviations(request: Request, response: Response) -> Iterator[str]:
    """Tell where an answer is not what the model of its operation says."""
    model = wire.operation_model(request.service, request.operation)
    if model is None:
        return
    if response.is_error:
        yield from _refusal(model, request, response)
    elif model.output_shape is not None:
        shape = model.output_shape
        if "payload" in shape.serialization:
            shape = shape.members[shape.serialization["payload"]]
        if shape.type_name == "structure" and not shape.is_document_type:
            yield from _result(shape, wire.protocol_of(request, model), request, response)


def _result(shape: Any, protocol: str, request: Request, response: Response) -> Iterator[str]:
    at = f"{request.service}:{request.operation}"
    if not response.body:
        yield from _missing(shape, (), at)
        return
    if "json" in protocol:
        yield from _json(shape, json.loads(response.body), at)
        return
    root = fromstring(response.body)  # noqa: S314 - written by this very process
    if protocol == "query":
        wrapper = shape.serialization.get("resultWrapper")
        inner = next((one for one in root if _tag(one) == wrapper), None)
        if inner is None:
            if shape.members:
                yield f"{at}: nothing in the answer is its {wrapper}"
            return
        root = inner
    yield from _structure(shape, root, at)


def _refusal(model: Any, request: Request, response: Response) -> Iterator[str]:
    """Hold code and status of an error against those of the service.

    The models of EC2 and S3 name next to none of those that their documentation has. Services that
    were once asked by form have a code for that, beside the name of the shape.
    """
    code, at = response.error_code, f"{request.service}:{request.operation}"
    if INJECTED in request.notes or request.service in {"ec2", "s3"} or not response.body:
        return
    errors = {
        name: one.metadata.get("error", {}).get("httpStatusCode")
        for one in model.service_model.error_shapes
        for name in (one.name, one.error_code)
    }
    if not errors or code in _ERRORS_OF_ALL:
        return
    if code not in errors:
        yield f"{at}: {request.service} has no error {code}"
    elif errors[code] not in (None, response.status):
        yield f"{at}: {code} has the status {errors[code]}, not {response.status}"


def _json(shape: Any, value: Any, at: str) -> Iterator[str]:
    if value is None:
        return
    kind = shape.type_name
    if kind in _NESTED:
        if not isinstance(value, _NESTED[kind]):
            yield f"{at}: {value!r} is no {kind}"
        else:
            yield from _json_inside(shape, value, at)
    elif kind == "timestamp":
        is_text = shape.serialization.get("timestampFormat") == "iso8601"
        if not isinstance(value, str if is_text else int | float):
            yield f"{at}: {value!r} is no timestamp"
    elif not isinstance(value, _TYPES[kind]):
        yield f"{at}: {value!r} is no {kind}"
    else:
        yield from _enumerated(shape, value, at)


def _json_inside(shape: Any, value: Any, at: str) -> Iterator[str]:
    if shape.type_name == "list":
        for number, one in enumerate(value):
            yield from _json(shape.member, one, f"{at}[{number}]")
    elif shape.type_name == "map":
        for name, one in value.items():
            yield from _json(shape.value, one, f"{at}.{name}")
    else:
        members = _bodily(shape)
        yield from (f"{at}: {shape.name} has no member {name}" for name in value.keys() - members)
        yield from _missing(shape, {name for name, one in value.items() if one is not None}, at)
        for name, member in members.items():
            yield from _json(member, value.get(name), f"{at}.{name}")


def _structure(shape: Any, element: Element, at: str) -> Iterator[str]:
    members = _bodily(shape)
    children: dict[str, list[Element]] = {}
    for child in element:
        children.setdefault(_tag(child), []).append(child)
    unknown = children.keys() - members.keys() - _BESIDE
    yield from (f"{at}: {shape.name} has no member {name}" for name in sorted(unknown))
    yield from _missing(shape, children.keys(), at)
    for name, member in members.items():
        found = children.get(name, [])
        if member.type_name in {"list", "map"} and member.serialization.get("flattened"):
            look = _entry if member.type_name == "map" else _xml
            inner = member if member.type_name == "map" else member.member
            for one in found:
                yield from look(inner, one, f"{at}.{name}")
        elif len(found) > 1:
            yield f"{at}: {name} stands there {len(found)} times"
        elif found:
            yield from _xml(member, found[0], f"{at}.{name}")


def _xml(shape: Any, element: Element, at: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(shape, element, at)
    elif kind == "list":
        wanted = shape.member.serialization.get("name", "member")
        for number, one in enumerate(element):
            if _tag(one) != wanted:
                yield f"{at}: {_tag(one)} in place of {wanted}"
            yield from _xml(shape.member, one, f"{at}[{number}]")
    elif kind == "map":
        for one in element:
            yield from _entry(shape, one, at)
    elif len(element):
        yield f"{at}: {_tag(element[0])} inside of a {kind}"
    else:
        yield from _text(shape, (element.text or "").strip(), at)


def _text(shape: Any, text: str, at: str) -> Iterator[str]:
    pattern = _TEXTS.get(shape.type_name)
    if pattern is not None and not pattern.fullmatch(text):
        yield f"{at}: {text!r} is no {shape.type_name}"
    yield from _enumerated(shape, text, at)


def _entry(shape: Any, element: Element, at: str) -> Iterator[str]:
    """Look at one key of a map and its value."""
    names = [part.serialization.get("name", name) for name, part in _parts(shape)]
    if [_tag(one) for one in element] != names:
        yield f"{at}: {', '.join(_tag(one) for one in element)} in place of {' and '.join(names)}"
        return
    for (_, part), one in zip(_parts(shape), element, strict=True):
        yield from _xml(part, one, f"{at}.{element[0].text}")


def _parts(shape: Any) -> tuple[tuple[str, Any], tuple[str, Any]]:
    return ("key", shape.key), ("value", shape.value)


def _bodily(shape: Any) -> dict[str, Any]:
    """Name the members of a structure that stand in the body, as the wire names them."""
    found = {}
    for name, member in shape.members.items():
        if "location" in member.serialization:
            continue
        inside = member.serialization.get("flattened") and member.type_name == "list"
        default = member.member.serialization.get("name", name) if inside else name
        found[member.serialization.get("name", default)] = member
    return found


def _missing(shape: Any, there: Collection[str], at: str) -> Iterator[str]:
    for name in shape.required_members:
        member = shape.members[name]
        wired = member.serialization.get("name", name)
        is_empty_list = member.serialization.get("flattened")
        if "location" not in member.serialization and wired not in there and not is_empty_list:
            yield f"{at}: {name} is missing"


def _enumerated(shape: Any, value: Any, at: str) -> Iterator[str]:
    if shape.type_name != "string" or not shape.enum:
        return
    if value not in shape.enum and value not in _TOLD_ALL_THE_SAME.get(shape.name, ()):
        yield f"{at}: {value!r} is none of {', '.join(shape.enum[:5])}..."


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]

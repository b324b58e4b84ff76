"""Answers cut into pages of one row, or told twice: what a client that pages must stand.

A page is cut out of what the rest of the sandbox answers, so that it works for every operation
that botocore can page, whether moto pages it or not. The token holds the token of the answer it was
cut from; where an operation has several, the first holds them all. Left alone are operations whose
rows are not at the top of the answer, such as DescribeImageScanFindings of ECR.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from preflight.sandbox import wire
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response

PAGE_SIZE_1, DUPLICATE_PAGE = "page-size-1", "duplicate-page"
PAGES = frozenset({PAGE_SIZE_1, DUPLICATE_PAGE})
MARK = "sandbox-page."


@dataclass(frozen=True)
class Paging:
    """How an operation pages, by botocore: the members with tokens and rows.

    `finds` is where the tokens are in an answer that moto has paged, as JMESPath.
    """

    asks: tuple[str, ...]
    tells: tuple[str, ...]
    finds: tuple[str, ...]
    rows: tuple[str, ...]
    more: str | None


@dataclass(frozen=True)
class Place:
    """Where a page begins: in the answer to which token, at which row, and if told before."""

    tokens: tuple[str | None, ...] = ()
    row: int = 0
    again: bool = False


@functools.cache
def _paging(service: str, operation: str) -> Paging | None:
    from botocore.exceptions import DataNotFoundError
    from botocore.loaders import create_loader

    try:
        model = create_loader().load_service_model(service, "paginators-1")
    except DataNotFoundError:
        return None
    found = model["pagination"].get(operation)
    if found is None:
        return None
    asks, tells, rows = (_listed(found.get(k, ())) for k in _MEMBERS)
    # `NextMarker || Contents[-1].Key`: the member, and what stands for it where it is missing.
    names = tuple(expression.partition("||")[0].strip() for expression in tells)
    if not all(name.isidentifier() for name in (*names, *rows)):
        return None
    return Paging(asks, names, tells, rows, found.get("more_results"))


_MEMBERS = ("input_token", "output_token", "result_key")


def _listed(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def repage(request: Request, effect: str, carry_out: Callable[[], Response]) -> Response:
    """Answer a request page by page as the fault wants it."""
    paging = _paging(request.service, request.operation)
    if paging is None:
        return carry_out()
    place = _place([request.parameters.get(name) for name in paging.asks])
    for number, name in enumerate(paging.asks):
        token = place.tokens[number] if place.tokens else None
        if token is not None or name in request.parameters:
            _ask(request, name, token)
    response = carry_out()
    if response.is_error:
        return response
    result = response.result
    rows = [(key, row) for key in paging.rows for row in result.get(key) or ()]
    if not rows:
        return response
    following = _after(result, paging)
    if effect == DUPLICATE_PAGE:
        if not place.again:
            following = Place(place.tokens, again=True)
    else:
        chosen = rows[place.row : place.row + 1]
        for key in paging.rows:
            result[key] = [row for of, row in chosen if of == key]
        if place.row + 1 < len(rows):
            following = Place(place.tokens, place.row + 1)
    _tell(request, result, paging, following)
    return wire.answer(request, result)


def _after(result: Mapping[str, Any], paging: Paging) -> Place | None:
    import jmespath

    tokens = [jmespath.search(expression, result) for expression in paging.finds]
    has_more = bool(result.get(paging.more)) if paging.more else True
    if not any(tokens) or not has_more:
        return None
    return Place(tuple(str(token) if token else None for token in tokens))


def _tell(
    request: Request, result: dict[str, Any], paging: Paging, following: Place | None
) -> None:
    for name in paging.tells:
        result.pop(name, None)
    if paging.more:
        result[paging.more] = following is not None
    if following is not None:
        told = json.dumps([following.tokens, following.row, following.again])
        members = wire.operation_model(request.service, request.operation).output_shape.members
        for name in paging.tells:
            # Whatever is allowed: the first says it all.
            result[name] = members[name].enum[0] if members[name].enum else MARK
        result[paging.tells[0]] = MARK + base64.urlsafe_b64encode(told.encode()).decode()


def _place(tokens: list[Any]) -> Place:
    first = str(tokens[0] or "")
    if not first.startswith(MARK):
        return Place(tuple(str(token) if token else None for token in tokens))
    try:
        told, row, again = json.loads(base64.urlsafe_b64decode(first.removeprefix(MARK)))
    except ValueError as error:
        raise AwsFault("InvalidNextToken", "The token is invalid.") from error
    return Place(tuple(told), row, again=again)


def _ask(request: Request, name: str, token: str | None) -> None:
    """Put another token into the request, or none, where its protocol has it."""
    parameters = request.parameters
    parameters.pop(name, None)
    if token is not None:
        parameters[name] = token
    model = wire.operation_model(request.service, request.operation)
    member = model.input_shape.members[name].serialization
    if member.get("location") == "querystring":
        query = request.environ.get("QUERY_STRING", "")
        request.environ["QUERY_STRING"] = _replaced(query, member.get("name", name), token)
    elif request.environ.get("CONTENT_TYPE", "").startswith("application/x-www-form"):
        wanted = member.get("queryName") or member.get("name", name)
        if request.service == "ec2":
            wanted = wanted[0].upper() + wanted[1:]
        request.body = _replaced(request.body.decode(), wanted, token).encode()
    else:
        body = json.loads(request.body or b"{}")
        body.pop(member.get("name", name), None)
        if token is not None:
            body[member.get("name", name)] = token
        request.body = json.dumps(body).encode()


def _replaced(form: str, name: str, value: str | None) -> str:
    fields = [field for field in parse_qsl(form, keep_blank_values=True) if field[0] != name]
    return urlencode([*fields, *([(name, value)] if value is not None else [])])

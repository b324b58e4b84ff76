"""Answers cut into pages of one row, or told twice: what a client that pages must stand.

A page is cut out of what the rest of the sandbox answers, so that it works for every operation
that botocore can page, whether moto pages it or not. The token holds the token of the answer it was
cut from. Operations whose token is more than one member are left alone.
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
    """How an operation pages, by botocore: the members with tokens and rows."""

    asks: str
    tells: str
    rows: tuple[str, ...]
    more: str | None


@dataclass(frozen=True)
class Place:
    """Where a page begins: in the answer to which token, at which row, and if told before."""

    token: str | None = None
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
    if len(asks) != 1 or len(tells) != 1 or not all(n.isidentifier() for n in (*tells, *rows)):
        return None
    return Paging(asks[0], tells[0], rows, found.get("more_results"))


_MEMBERS = ("input_token", "output_token", "result_key")


def _listed(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def repage(request: Request, effect: str, carry_out: Callable[[], Response]) -> Response:
    """Answer a request page by page as the fault wants it."""
    paging = _paging(request.service, request.operation)
    if paging is None:
        return carry_out()
    place = _place(request.parameters.get(paging.asks))
    if place.token is not None or paging.asks in request.parameters:
        _ask(request, paging.asks, place.token)
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
            following = Place(place.token, again=True)
    else:
        chosen = rows[place.row : place.row + 1]
        for key in paging.rows:
            result[key] = [row for of, row in chosen if of == key]
        if place.row + 1 < len(rows):
            following = Place(place.token, place.row + 1)
    _tell(result, paging, following)
    return wire.answer(request, result)


def _after(result: Mapping[str, Any], paging: Paging) -> Place | None:
    token = result.get(paging.tells)
    has_more = bool(result.get(paging.more)) if paging.more else True
    return Place(str(token)) if token and has_more else None


def _tell(result: dict[str, Any], paging: Paging, following: Place | None) -> None:
    result.pop(paging.tells, None)
    if paging.more:
        result[paging.more] = following is not None
    if following is not None:
        told = json.dumps([following.token, following.row, following.again])
        result[paging.tells] = MARK + base64.urlsafe_b64encode(told.encode()).decode()


def _place(token: Any) -> Place:
    if not token:
        return Place()
    if not str(token).startswith(MARK):
        return Place(str(token))
    try:
        told = json.loads(base64.urlsafe_b64decode(str(token).removeprefix(MARK)))
    except ValueError as error:
        raise AwsFault("InvalidNextToken", "The token is invalid.") from error
    return Place(*told)


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

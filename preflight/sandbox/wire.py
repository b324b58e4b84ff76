"""Between HTTP and botocore's models: which operation a request is, its input, and its answer."""

from __future__ import annotations

import io
import json
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from preflight.sandbox import models
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.names import CLIENT_BY_SIGNING_NAME

if TYPE_CHECKING:
    from preflight.sandbox.request import Request, Response
    from preflight.sandbox.world import World

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z0-9]+)")
_UNSIGNED_STS = frozenset({"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})


def read_body(environ: dict[str, Any]) -> bytes:
    """Take the whole body off the wire, and put a copy back for whoever reads next."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if length:
        body = stream.read(int(length))
    else:
        body = stream.read() if environ.get("wsgi.input_terminated") else b""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return bytes(body)


def identify(world: World, environ: dict[str, Any]) -> Request:
    """Find service, Region, operation and key of a request; raises AwsFault when unsigned."""
    from preflight.sandbox.request import Request

    body = read_body(environ)
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    token = environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
    if not found and "X-Amz-Credential" in environ.get("QUERY_STRING", ""):
        query = parse_qs(environ["QUERY_STRING"])
        found = _CREDENTIAL.search("Credential=" + query["X-Amz-Credential"][0])
        token = query.get("X-Amz-Security-Token", [""])[0]
    action = _action(environ, body)
    if found:
        key, region, signing_name = found.groups()
    elif action in _UNSIGNED_STS:
        key, region, signing_name = "", "us-east-1", "sts"
    else:
        raise AwsFault("MissingAuthenticationToken", "Missing Authentication Token", 403)
    request = Request(
        world=world,
        environ=environ,
        body=body,
        service=_service(signing_name, body),
        region=region,
        operation=action,
        access_key_id=key,
        session_token=token,
        request_id=str(uuid.uuid4()),
    )
    if not action:
        _route(request)
    return request


def _action(environ: dict[str, Any], body: bytes) -> str:
    """Read the operation where the protocol names it outright: query, EC2 and JSON."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return str(target).rpartition(".")[2]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        found = _ACTION.search(body)
        return found[1].decode() if found else ""
    found = _ACTION.search(environ.get("QUERY_STRING", "").encode())
    return found[1].decode() if found else ""


def _service(signing_name: str, body: bytes) -> str:
    if signing_name == "elasticloadbalancing":
        return "elbv2" if b"Version=2015-12-01" in body else "elb"
    return CLIENT_BY_SIGNING_NAME.get(signing_name, signing_name)


def _route(request: Request) -> None:
    """Find the operation of a REST request by method and path."""
    from botocore.exceptions import UnknownServiceError
    from moto.core.routing import get_service_router
    from werkzeug.exceptions import NotFound

    try:
        router = get_service_router(request.service)
        model, uri_parameters = router.match(http_request(request))
    except (NotFound, NotImplementedError, UnknownServiceError):
        return
    request.operation = str(model.name)
    request.uri_parameters = uri_parameters


def http_request(request: Request) -> Any:
    """View the request as moto's parsers and routers want it."""
    from moto.core.request import Request as HttpRequest

    environ = dict(request.environ)
    environ["wsgi.input"] = io.BytesIO(request.body)
    return HttpRequest(environ)


def operation_model(service: str, operation: str) -> Any:
    """Give botocore's model of an operation, or None when there is no such thing."""
    from botocore.exceptions import UnknownServiceError
    from botocore.model import OperationNotFoundError

    try:
        return models.service_model(service).operation_model(operation)
    except (OperationNotFoundError, UnknownServiceError):
        return None


def parse_parameters(request: Request) -> dict[str, Any]:
    """Parse the input by the operation's model; raises AwsFault for input that cannot be read."""
    from moto.core.parse import PROTOCOL_PARSERS
    from moto.core.request import determine_request_protocol

    model = operation_model(request.service, request.operation)
    if model is None:
        return {}
    http = http_request(request)
    protocol = determine_request_protocol(model.service_model, http.content_type)
    try:
        parsed = PROTOCOL_PARSERS[protocol](model).parse(
            {
                "method": http.method,
                "values": http.values,
                "headers": http.headers,
                "body": request.body,
                "url_path": http.path,
                "url_params": {k: unquote(str(v)) for k, v in request.uri_parameters.items()},
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AwsFault("SerializationException", f"The input cannot be read: {error}") from error
    return dict(parsed)


def parse_result(request: Request, response: Response) -> dict[str, Any]:
    """Parse an answer by the operation's model, as a client does."""
    from botocore.awsrequest import HeadersDict
    from botocore.parsers import create_parser

    model = operation_model(request.service, request.operation)
    if model is None:
        return {}
    parser = create_parser(protocol_of(request, model))
    parsed = parser.parse(
        {
            "headers": HeadersDict(response.headers),
            "status_code": response.status,
            "body": response.body,
        },
        model.output_shape,
    )
    parsed.pop("ResponseMetadata", None)
    return dict(parsed)


def protocol_of(request: Request, model: Any) -> str:
    """Name the protocol an operation is spoken in: several services have more than one."""
    from moto.core.request import determine_request_protocol

    content_type = request.environ.get("CONTENT_TYPE", "").partition(";")[0]
    return determine_request_protocol(model.service_model, content_type)


def answer(request: Request, result: Any) -> Response:
    """Write an operation's result (a plain dict) as its protocol wants it."""
    from moto.core.serialize import SerializationContext, get_serializer_class

    from preflight.sandbox.request import Response

    model = operation_model(request.service, request.operation)
    serializer = get_serializer_class(request.service, protocol_of(request, model))(
        operation_model=model, context=SerializationContext(request.request_id)
    )
    written = serializer.serialize(result)
    body = written["body"]
    content = body if isinstance(body, bytes) else body.encode()
    headers = [(name, str(value)) for name, value in written["headers"].items()]
    headers.append(("x-amzn-RequestId", request.request_id))
    return Response(written["status_code"], headers, content, request)


def refuse(request: Request | None, fault: AwsFault) -> Response:
    """Write an error as the service's protocol wants it; JSON when the request is unknown."""
    from preflight.sandbox.request import Response

    request_id = request.request_id if request else str(uuid.uuid4())
    headers = [("x-amzn-RequestId", request_id)]
    protocol = _protocol_of_errors(request) if request else "json"
    if "json" in protocol:
        headers.append(("Content-Type", "application/x-amz-json-1.1"))
        headers.append(("x-amzn-ErrorType", fault.code))
        headers.append(("x-amzn-query-error", f"{fault.code};Sender"))
        body = json.dumps({"__type": fault.code, "message": fault.message, **fault.members})
    else:
        headers.append(("Content-Type", "text/xml"))
        body = _error_xml(protocol, request_id, fault)
    return Response(fault.http_status, headers, body.encode(), request)  # type: ignore[arg-type]


def _protocol_of_errors(request: Request) -> str:
    model = operation_model(request.service, request.operation)
    if model is not None:
        return "s3" if request.service == "s3" else protocol_of(request, model)
    if request.service in ("s3", "ec2"):
        return request.service
    form = request.environ.get("CONTENT_TYPE", "").startswith("application/x-www-form")
    return "query" if form else "json"


def _error_xml(protocol: str, request_id: str, fault: AwsFault) -> str:
    kind = "Receiver" if fault.http_status >= 500 else "Sender"
    code = f"<Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message>"
    if protocol == "ec2":
        return (
            f"<Response><Errors><Error>{code}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    if protocol == "s3":
        return f"<Error>{code}<RequestId>{request_id}</RequestId></Error>"
    return (
        f"<ErrorResponse><Error><Type>{kind}</Type>{code}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )

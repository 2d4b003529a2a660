"""Between Chalice and the use cases: reads the request, maps every error to a problem, adds headers to every answer."""

import logging
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote
from uuid import uuid4

import msgspec
from chalice.app import AuthResponse, AuthRoute, Chalice
from chalice.app import Request as ChaliceRequest
from chalice.app import Response as ChaliceResponse

from chalicelib.api.body import parse_idempotency_key, refuse_body
from chalicelib.api.problems import CONTENT_TYPE, Problem, plain_problem, problem_headers, to_problem
from chalicelib.api.query import refuse_unknown_query
from chalicelib.api.routes import Route, require_route
from chalicelib.config import Settings
from chalicelib.core.access import LOCAL, Principal, Role
from chalicelib.errors import FieldError, Forbidden, Invalid, SortieError, Unauthorized
from chalicelib.http.content import check_size, decode_content, require_json
from chalicelib.http.guard import refuse_stranger

logger = logging.getLogger("sortie")
JSON = "application/json"
TOKEN_NEEDED = "send a token: Authorization: Bearer ..."
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as a use case wants to see it. `caller`: None on a public route, where nobody is asked who he is.
    `key`: the Idempotency-Key, on routes that know one.
    """

    caller: Principal | None
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    prefix: str
    key: str | None = None

    @property
    def principal(self) -> Principal:
        """Raises Unauthorized on a public route: what belongs to somebody needs a token."""
        if self.caller is None:
            raise Unauthorized(TOKEN_NEEDED)
        return self.caller


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


View = Callable[..., Response]


class Sortie(Chalice):
    """A Chalice app whose own refusals (405, 415) are problems too. The local stage answers only who may ask it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(app_name="sortie")
        self._settings = settings

    def __call__(self, event: Any, context: Any) -> Any:
        if self._settings.is_open:
            try:
                method = event["requestContext"].get("httpMethod")
                refuse_stranger(method, event.get("headers") or {}, self._settings.hosts)
            except SortieError as error:
                return _to_chalice(_to_response(error), uuid4().hex).to_dict()
        response = super().__call__(event, context)
        if response["statusCode"] < 400 or CONTENT_TYPE in str(response["headers"].get("Content-Type")):
            return response
        detail = f"{event['requestContext'].get('httpMethod')} is not allowed here"
        response["headers"] |= {"Content-Type": CONTENT_TYPE, "X-Request-Id": uuid4().hex}
        response["body"] = _encode(plain_problem(response["statusCode"], detail))
        return response


class Router:
    """Registers a view under the row of routes.py that has its name: `@route` above `def submit_job(request)`."""

    def __init__(self, app: Sortie, settings: Settings, authorizer: Any) -> None:
        self._app = app
        self._settings = settings
        self._authorizer = authorizer

    def __call__(self, view: View) -> View:
        route = require_route(view.__name__)

        def handler(**path_parameters: str) -> ChaliceResponse:
            return self._respond(view, route, path_parameters)

        handler.__name__ = view.__name__
        guard = {"authorizer": self._authorizer} if route.role is not None and self._authorizer else {}
        self._app.route(route.path, methods=route.methods, name=route.view, content_types=["*/*"], **guard)(handler)
        return view

    def _respond(self, view: View, route: Route, path_parameters: Mapping[str, str]) -> ChaliceResponse:
        chalice_request = cast(ChaliceRequest, self._app.current_request)
        request_id = _request_id(chalice_request)
        caller = None
        try:
            caller = self._identify(chalice_request, route.role)
            request = self._read_request(chalice_request, route, caller, request_id)
            response = view(request, **{name: unquote(text) for name, text in path_parameters.items()})
        except SortieError as error:
            response = _to_response(error)
        except Exception:
            _log_bug(request_id)
            response = problem_response(plain_problem(500, f"a bug in this service; its log has it under {request_id}"))
        return _to_chalice(response, request_id, caller, with_body=chalice_request.method != "HEAD")

    def _identify(self, request: ChaliceRequest, role: Role | None) -> Principal | None:
        if role is None:
            return None
        if self._settings.is_open:
            return LOCAL
        claims = request.context.get("authorizer") or {}
        try:
            principal = Principal(str(claims["owner"]), Role[str(claims["role"]).upper()])
        except KeyError:
            raise Unauthorized(TOKEN_NEEDED) from None
        if principal.role < role:
            raise Forbidden(f"this needs the role {role.name.lower()}; this token's is {principal.role.name.lower()}")
        return principal

    def _read_request(
        self, request: ChaliceRequest, route: Route, caller: Principal | None, request_id: str
    ) -> Request:
        body, query = self._read_body(request), _read_query(request)
        refuse_unknown_query(query, route.query)
        if route.body is None:
            refuse_body(body)
        key = parse_idempotency_key(request.headers.get("idempotency-key")) if route.idempotent else None
        return Request(caller, query, request.headers, body, request_id, _prefix(request), key)

    def _read_body(self, request: ChaliceRequest) -> bytes:
        body, limit = cast(bytes, request.raw_body or b""), self._settings.body_limit
        check_size(len(body), limit)
        if not body:
            return b""
        require_json(request.headers.get("content-type"))
        coding = request.headers.get("content-encoding")
        return decode_content(body, coding, limit=limit, behind_gateway=not self._settings.is_open)


def auth_response(principal: Principal | None) -> AuthResponse:
    """What the authorizer answers: everything for who is known, with owner and role for the routes, or nothing."""
    if principal is None:
        return AuthResponse(routes=[], principal_id="nobody")
    context = {"owner": principal.owner, "role": principal.role.name.lower()}
    return AuthResponse(routes=[AuthRoute("/*", ["*"])], principal_id=principal.owner, context=context)


def json_response(status: int, answer: Any, **headers: str) -> Response:
    """`answer`: one of the models in api/."""
    return Response(status, _encode(answer), headers)


def text_response(text: str) -> Response:
    """Prometheus's text form."""
    return Response(200, text, content_type="text/plain; version=0.0.4; charset=utf-8")


def lines_response(lines: Sequence[str], after: str | None) -> Response:
    """A page of a log, and where the next one begins."""
    headers = {} if after is None else {"Log-After": after}
    return Response(200, "".join(f"{line}\n" for line in lines), headers, "text/plain; charset=utf-8")


def problem_response(problem: Problem, **headers: str) -> Response:
    return Response(problem.status, _encode(problem), headers, CONTENT_TYPE)


def _to_response(error: SortieError) -> Response:
    return problem_response(to_problem(error), **problem_headers(error))


def _to_chalice(
    response: Response, request_id: str, caller: Principal | None = None, *, with_body: bool = True
) -> ChaliceResponse:
    headers: dict[str, str | list[str]] = {
        "Content-Type": response.content_type,
        "X-Request-Id": request_id,
        **response.headers,
    }
    headers |= {"X-Content-Type-Options": "nosniff", "Cache-Control": headers.get("Cache-Control", "no-store")}
    if caller is not None:
        headers["Sortie-Role"] = caller.role.name.lower()
    return ChaliceResponse(response.body if with_body else "", headers, response.status)


def _log_bug(request_id: str) -> None:
    """One line, as every other: what a client sent stands inside a JSON string."""
    line = {"event": "bug", "request_id": request_id, "traceback": traceback.format_exc()}
    logger.error(msgspec.json.encode(line).decode())


def _encode(answer: Any) -> str:
    return msgspec.json.encode(answer).decode()


def _read_query(request: ChaliceRequest) -> Mapping[str, str]:
    query = request.query_params
    if not query:
        return {}
    for name in query:
        if len(query.getlist(name)) > 1:
            raise Invalid(FieldError(name, "there twice: give it once"))
    return {name: query[name] for name in query}


def _request_id(request: ChaliceRequest) -> str:
    """The caller's own, where it is usable; it goes with the job into the worker's log."""
    own = request.headers.get("x-request-id")
    if own is not None and _REQUEST_ID.fullmatch(own):
        return str(own)
    return str(request.context.get("requestId") or uuid4().hex)


def _prefix(request: ChaliceRequest) -> str:
    """What stands before our paths on a deployed stage: `/api` where the path is /api/jobs and the route /jobs."""
    path, route = str(request.context.get("path") or ""), str(request.context.get("resourcePath") or "")
    depth = len([part for part in route.split("/") if part])
    parts = [part for part in path.split("/") if part]
    kept = parts[: len(parts) - depth] if depth else parts
    return "".join(f"/{part}" for part in kept)

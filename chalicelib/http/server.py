"""Between Chalice and the use cases: reads the request, maps every error to a problem, adds headers to every answer."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import msgspec
from chalice.app import Chalice
from chalice.app import Request as ChaliceRequest
from chalice.app import Response as ChaliceResponse

from chalicelib.api import problems
from chalicelib.config import Settings
from chalicelib.core.access import LOCAL, Principal, Role
from chalicelib.errors import FieldError, Forbidden, Invalid, MediaType, SortieError, TooLarge, Unauthorized

logger = logging.getLogger("sortie")
JSON = "application/json"
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as a use case wants to see it."""

    principal: Principal
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


View = Callable[..., Response]


class Sortie(Chalice):
    """A Chalice app whose own refusals (405, 415) are problems too."""

    def __call__(self, event: Any, context: Any) -> Any:
        response = super().__call__(event, context)
        if response["statusCode"] < 400 or problems.CONTENT_TYPE in str(response["headers"].get("Content-Type")):
            return response
        detail = f"{event['requestContext'].get('httpMethod')} is not allowed here"
        problem = problems.plain(response["statusCode"], detail)
        response["headers"] |= {"Content-Type": problems.CONTENT_TYPE, "X-Request-Id": uuid4().hex}
        response["body"] = msgspec.json.encode(problem.body).decode()
        return response


class Routes:
    """Registers views on the app: `@routes.add("POST", "/jobs", Role.SUBMIT)`."""

    def __init__(self, app: Sortie, settings: Settings, authorizer: Any) -> None:
        self._app = app
        self._settings = settings
        self._authorizer = authorizer

    def add(self, method: str, path: str, needs: Role | None) -> Callable[[View], View]:
        """`needs`: the role that the token must have; None asks for no token."""

        def register(view: View) -> View:
            def handler(**path_parameters: str) -> ChaliceResponse:
                return self._respond(view, needs, path_parameters)

            handler.__name__ = view.__name__
            guard = {"authorizer": self._authorizer} if needs is not None and self._authorizer else {}
            self._app.route(path, methods=[method], name=view.__name__, content_types=["*/*"], **guard)(handler)
            return view

        return register

    def _respond(self, view: View, needs: Role | None, path_parameters: Mapping[str, str]) -> ChaliceResponse:
        request = cast(ChaliceRequest, self._app.current_request)
        request_id = _request_id(request)
        principal = None
        try:
            principal = self._principal(request, needs)
            call = self._read_request(request, principal or LOCAL, request_id)
            answer = view(call, **path_parameters)
        except SortieError as error:
            answer = _problem(problems.of(error))
        except Exception:
            logger.exception('{"event":"bug","request_id":"%s"}', request_id)
            answer = _problem(problems.plain(500, f"a bug in this service; its log has it under {request_id}"))
        headers: dict[str, str | list[str]] = {
            "Content-Type": answer.content_type,
            "X-Request-Id": request_id,
            **answer.headers,
        }
        headers |= {"X-Content-Type-Options": "nosniff", "Cache-Control": headers.get("Cache-Control", "no-store")}
        if principal is not None:
            headers["Sortie-Role"] = principal.role.name.lower()
        return ChaliceResponse(answer.body, headers, answer.status)

    def _principal(self, request: ChaliceRequest, needs: Role | None) -> Principal | None:
        if needs is None:
            return None
        if self._settings.is_open:
            return LOCAL
        found = request.context.get("authorizer") or {}
        try:
            principal = Principal(str(found["owner"]), Role[str(found["role"]).upper()])
        except KeyError:
            raise Unauthorized("send a token: Authorization: Bearer ...") from None
        if principal.role < needs:
            raise Forbidden(f"this needs the role {needs.name.lower()}; this token's is {principal.role.name.lower()}")
        return principal

    def _read_request(self, request: ChaliceRequest, principal: Principal, request_id: str) -> Request:
        body = cast(bytes, request.raw_body or b"")
        if len(body) > self._settings.body_limit:
            limit = self._settings.body_limit
            raise TooLarge(f"a body holds at most {limit:,} bytes: POST /uploads gives a place for a larger input")
        if body and not _is_json(request.headers.get("content-type")):
            raise MediaType("send the body as JSON, with the header Content-Type: application/json")
        return Request(principal, _query(request), request.headers, body, request_id, _prefix(request))


def json_response(status: int, answer: Any, **headers: str) -> Response:
    """`answer`: one of api/answers.py's models."""
    return Response(status, msgspec.json.encode(answer).decode(), headers)


def problem_response(status: int, detail: str) -> Response:
    return _problem(problems.plain(status, detail))


def _problem(problem: problems.Problem) -> Response:
    body = msgspec.json.encode(problem.body).decode()
    return Response(problem.status, body, problem.headers, problems.CONTENT_TYPE)


def _query(request: ChaliceRequest) -> Mapping[str, str]:
    given = request.query_params
    if not given:
        return {}
    for name in given:
        if len(given.getlist(name)) > 1:
            raise Invalid(FieldError(name, "given twice: give it once"))
    return {name: given[name] for name in given}


def _is_json(content_type: str | None) -> bool:
    kind, _, parameters = (content_type or JSON).partition(";")
    charset = parameters.replace(" ", "").lower()
    return kind.strip().lower() == JSON and charset in ("", "charset=utf-8")


def _request_id(request: ChaliceRequest) -> str:
    """The caller's own, where it is usable; it goes with the job into the worker's log."""
    given = request.headers.get("x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given):
        return str(given)
    return str(request.context.get("requestId") or uuid4().hex)


def _prefix(request: ChaliceRequest) -> str:
    """What stands before our paths on a deployed stage: `/api` where the path is /api/jobs and the route /jobs."""
    path, route = str(request.context.get("path") or ""), str(request.context.get("resourcePath") or "")
    depth = len([part for part in route.split("/") if part])
    parts = [part for part in path.split("/") if part]
    kept = parts[: len(parts) - depth] if depth else parts
    return "".join(f"/{part}" for part in kept)

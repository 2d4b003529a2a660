"""Where `chalice local` answers by itself, before any route: the same problems as everywhere, and HTTP kept whole."""

import contextlib
import socket
import sys
import time
import uuid
from http import HTTPStatus
from typing import Any

import msgspec

from chalicelib.api.problems import CONTENT_TYPE, plain_problem
from chalicelib.http.request_body import BadBody, read_body

NO_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
LINGER_SECONDS, LINGER_BYTES = 2.0, 64_000_000


def install_where_it_runs() -> None:
    """Where this process is `chalice local`, alone or below `make run`; Lambda's Chalice has no such module."""
    local = sys.modules.get("chalice.local")
    if local is not None and not hasattr(local.ChaliceRequestHandler, "speaks_problems"):
        local.ChaliceRequestHandler.speaks_problems = True
        install(local.ChaliceRequestHandler)


def install(handler: Any) -> None:
    """`handler`: the class of Chalice's request handlers, which takes no other settings."""
    answer = handler._generic_handle
    with_body = handler._send_http_response_with_body

    def handle(self: Any) -> None:
        try:
            _refuse_options(self) if self.command == "OPTIONS" else answer(self)
        except BadBody as error:
            _send_last(self, error.status, error.detail)
        except ValueError as error:  # a header beyond ASCII
            _send_last(self, HTTPStatus.BAD_REQUEST, f"the request cannot be read: {error}")

    def send_with_body(self: Any, code: int, headers: Any, body: Any) -> None:
        """A body that must not be there would be taken for the next answer, and a length for what GET would say."""
        if self.command == "HEAD" or code in NO_BODY:
            self.send_response(code)
            self._send_headers({**headers, **({"Content-Length": str(len(body))} if body else {})})
        else:
            with_body(self, code, headers, body)

    handler._parse_payload = lambda self: (dict(self.headers), read_body(self.headers, self.rfile) or None)
    handler._send_http_response_with_body = send_with_body
    handler._send_error_response = _refuse
    # What http.server refuses: a line or a header that is too long, too many headers, a version it does not know.
    handler.send_error = _refuse_request
    for method in ("GET", "PUT", "POST", "HEAD", "DELETE", "PATCH", "OPTIONS"):
        setattr(handler, f"do_{method}", handle)
    # http.server says 501 to any other method; the app says 405 and which ones there are.
    handler.__getattr__ = lambda self, name: _other(self, name, handle)


def _other(handler: Any, name: str, handle: Any) -> Any:
    if not name.startswith("do_"):
        raise AttributeError(name)
    return lambda: handle(handler)


def _refuse_request(handler: Any, code: int, message: str | None = None, explain: str | None = None) -> None:
    handler.request_version = "HTTP/1.1"  # one that cannot be read counts as 0.9, which has no headers
    _send_last(handler, code, message or HTTPStatus(code).description)


def _refuse(handler: Any, error: Any) -> None:
    """API Gateway says 403 to a path that leads nowhere; a deployed stage is told to say this instead."""
    if error.headers.get("x-amzn-ErrorType") == "UnauthorizedException" and error.CODE == HTTPStatus.FORBIDDEN:
        _refuse_path(handler)
    else:
        _send(handler, error.CODE, "send a token: Authorization: Bearer ...")


def _refuse_path(handler: Any) -> None:
    _send(handler, 404, f"there is no route for {handler.command} {handler.path.partition('?')[0]}")


def _refuse_options(handler: Any) -> None:
    """Chalice would say 200: no route is for other origins."""
    handler._parse_payload()
    gateway = handler.local_gateway
    try:
        path = gateway.event_converter._route_matcher.match_route(handler.path).route
    except ValueError:
        return _refuse_path(handler)
    allowed = ", ".join(gateway._app_object.routes[path])
    return _send(handler, 405, "OPTIONS is not allowed here", Allow=allowed)


def _send_last(handler: Any, status: int, detail: str) -> None:
    """An answer after which nothing on this connection can be understood. Closed with bytes unread, it would take the
    answer with it.
    """
    handler.close_connection = True
    _send(handler, status, detail, Connection="close")
    with contextlib.suppress(OSError):
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_WR)
        handler.connection.settimeout(LINGER_SECONDS)
        end, left = time.monotonic() + LINGER_SECONDS, LINGER_BYTES
        while left > 0 and time.monotonic() < end and (data := handler.rfile.read1(65_536)):
            left -= len(data)


def _send(handler: Any, status: int, detail: str, **more: str) -> None:
    body = msgspec.json.encode(plain_problem(int(status), detail)).decode()
    headers = {"Content-Type": CONTENT_TYPE, "X-Request-Id": uuid.uuid4().hex, **more}
    handler._send_http_response(status, headers, body)

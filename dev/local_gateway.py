"""Where `chalice local` answers by itself, before any route: the same problems as everywhere, and HTTP kept whole."""

import json
import uuid
from http import HTTPStatus
from typing import Any

from chalice.local import LocalGatewayException


def install(handler: Any) -> None:
    """`handler`: the class of Chalice's request handlers, which takes no other settings."""
    answer = handler._generic_handle
    with_body = handler._send_http_response_with_body

    def handle(self: Any) -> None:
        try:
            answer(self)
        except ValueError as error:  # a length that is no number, a header beyond ASCII
            self.close_connection = True
            _send(self, 400, f"the request cannot be read: {error}")

    def send_with_body(self: Any, code: int, headers: Any, body: Any) -> None:
        """What answers HEAD has no body: the client would take it for the next answer."""
        if self.command == "HEAD":
            self.send_response(code)
            self._send_headers({**headers, "Content-Length": str(len(body))})
        else:
            with_body(self, code, headers, body)

    handler._send_http_response_with_body = send_with_body
    handler._send_error_response = _refuse
    for method in ("GET", "PUT", "POST", "HEAD", "DELETE", "PATCH", "OPTIONS"):
        setattr(handler, f"do_{method}", handle)
    # http.server says 501 to any other method; the app says 405 and which ones there are.
    handler.__getattr__ = lambda self, name: _other(self, name, handle)


def _other(handler: Any, name: str, handle: Any) -> Any:
    if not name.startswith("do_"):
        raise AttributeError(name)
    return lambda: handle(handler)


def _refuse(handler: Any, error: LocalGatewayException) -> None:
    """API Gateway says 403 to a path that leads nowhere; a deployed stage is told to say this instead."""
    if error.headers.get("x-amzn-ErrorType") == "UnauthorizedException" and error.CODE == HTTPStatus.FORBIDDEN:
        _send(handler, 404, f"there is no route for {handler.command} {handler.path.partition('?')[0]}")
    else:
        _send(handler, error.CODE, "send a token: Authorization: Bearer ...")


def _send(handler: Any, status: int, detail: str) -> None:
    title = HTTPStatus(status).phrase
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    headers = {"Content-Type": "application/problem+json", "X-Request-Id": uuid.uuid4().hex}
    handler._send_http_response(status, headers, body)

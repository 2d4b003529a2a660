"""moto's server behind the guard that MiniStack has, with DynamoDB asked one call at a time: it reads and writes a row
in two steps, and now and then two racing conditional writes both win."""

import os
import sys
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

from dev.guarded_ministack import refusal
from dev.settings import HOST


class GuardedMoto(DomainDispatcherApplication):
    """A WSGI application; a long poll of SQS holds nobody up."""

    def __init__(self, ports: Iterable[int]) -> None:
        super().__init__(create_backend_app)
        self._ports = frozenset(ports)
        self._dynamodb = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if why := refusal(_headers(environ), self._ports):
            start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")])
            return [why.encode()]
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_"):
            return self._answer(environ, start_response)
        with self._dynamodb:
            return list(self._answer(environ, start_response))

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = super().__call__(environ, start_response)
        return answer


def _headers(environ: dict[str, Any]) -> dict[str, list[str]]:
    names = {"host": "HTTP_HOST", "origin": "HTTP_ORIGIN", "sec-fetch-site": "HTTP_SEC_FETCH_SITE"}
    return {name: [environ[key]] for name, key in names.items() if key in environ}


if __name__ == "__main__":
    port, pages = int(sys.argv[1]), map(int, os.environ.get("PAGE_PORTS", "").split())
    run_simple(HOST, port, GuardedMoto([port, *pages]), threaded=True, request_handler=MotoRequestHandler)

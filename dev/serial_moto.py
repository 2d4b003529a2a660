"""moto's server, with DynamoDB asked one call at a time: it reads and writes a row in two steps, and now and then two
racing conditional writes both win."""

import sys
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

from dev.settings import HOST


class SerialDynamoDb(DomainDispatcherApplication):
    """A WSGI application; a long poll of SQS holds nobody up."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._dynamodb = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_"):
            return self._answer(environ, start_response)
        with self._dynamodb:
            return list(self._answer(environ, start_response))

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = super().__call__(environ, start_response)
        return answer


if __name__ == "__main__":
    run_simple(HOST, int(sys.argv[1]), SerialDynamoDb(), threaded=True, request_handler=MotoRequestHandler)

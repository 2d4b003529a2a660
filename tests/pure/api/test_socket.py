"""What `make run` makes of the bytes on a connection: lengths, chunks, and the refusals that no route sees."""

import functools
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from chalice.config import Config
from chalice.local import ChaliceRequestHandler, ThreadedHTTPServer

from chalicelib.http import local
from tests.pure.api.conftest import MemoryApi

BODY = b'{"array": [3, 1, 2]}'
HEAD = b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"5\r\n" + BODY[:5] + b"\r\n" + b"%x;a=b\r\n" % len(BODY[5:]) + BODY[5:] + b"\r\n0\r\nTrailer: x\r\n\r\n"
NEXT = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Parsed:
    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """A client that sends bytes as they are and reads whole answers."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._file = self._socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def finish(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, *, with_body: bool = True) -> Parsed | None:
        """The next answer, or None when the server has closed."""
        line = self._file.readline()
        if not line:
            return None
        headers = {}
        while (header := self._file.readline().strip()) != b"":
            name, _, value = header.decode().partition(":")
            headers[name.title()] = value.strip()
        length = int(headers.get("Content-Length", "0")) if with_body else 0
        return Parsed(int(line.split()[1]), headers, self._file.read(length))

    def close(self) -> None:
        self._file.close()
        self._socket.close()


class Handler(ChaliceRequestHandler):
    def log_message(self, *_: Any) -> None:
        return


local.install(Handler)


@pytest.fixture
def connection(memory: MemoryApi) -> Iterator[Connection]:
    handler = functools.partial(Handler, app_object=memory.module.app, config=Config())
    server = ThreadedHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    client = Connection(server.server_address[1])
    yield client
    client.close()
    server.shutdown()
    server.server_close()
    thread.join()


def exchange(connection: Connection, data: bytes, **how: bool) -> Parsed:
    connection.send(data)
    answer = connection.answer(**how)
    assert answer is not None
    return answer


def is_problem(answer: Parsed) -> bool:
    problem = json.loads(answer.body)
    return (
        answer.headers["Content-Type"] == "application/problem+json"
        and problem["status"] == answer.status
        and bool(problem["detail"])
        and bool(answer.headers["X-Request-Id"])
    )


def test_a_chunked_body_is_read_and_the_next_request_is_the_next(connection: Connection) -> None:
    assert exchange(connection, CHUNKED + b"\r\n" + CHUNKS).status == 202
    assert exchange(connection, NEXT).status == 200


def test_a_body_with_a_length_is_read(connection: Connection) -> None:
    assert exchange(connection, HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY).status == 202
    assert exchange(connection, NEXT).status == 200


@pytest.mark.parametrize(
    "data",
    [
        CHUNKED + b"Content-Length: 20\r\n\r\n" + CHUNKS,
        CHUNKED + b"\r\n" + b"five\r\n" + BODY[:5],
        CHUNKED + b"\r\n" + b"-5\r\n" + BODY[:5],
        CHUNKED + b"\r\n" + b"5\r\n" + BODY,
        CHUNKED + b"\r\n" + b"0x5\r\n" + BODY[:5] + b"\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 20\r\nContent-Length: 21\r\n\r\n" + BODY,
        HEAD + b"Content-Length: +20\r\n\r\n" + BODY,
        HEAD + b"Content-Length: -1\r\n\r\n" + BODY,
        HEAD + b"Content-Length: 2_0\r\n\r\n" + BODY,
        HEAD + b"Content-Length: twenty\r\n\r\n" + BODY,
    ],
    ids=[
        "both lengths",
        "no hex",
        "a sign",
        "a long chunk",
        "0x",
        "two lengths",
        "plus",
        "minus",
        "underscore",
        "word",
    ],
)
def test_a_length_that_is_none_is_refused_and_the_connection_closed(connection: Connection, data: bytes) -> None:
    answer = exchange(connection, data + NEXT)
    assert (answer.status, is_problem(answer)) == (400, True)
    assert connection.answer() is None


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"identity"])
def test_another_transfer_coding_is_refused(connection: Connection, coding: bytes) -> None:
    answer = exchange(connection, HEAD + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + CHUNKS)
    assert (answer.status, is_problem(answer)) == (501, True)
    assert connection.answer() is None


@pytest.mark.parametrize("data", [HEAD + b"Content-Length: 99\r\n\r\n" + BODY, CHUNKED + b"\r\n" + CHUNKS[:-9]])
def test_a_body_that_stops_early_makes_no_job(memory: MemoryApi, connection: Connection, data: bytes) -> None:
    connection.send(data)
    connection.finish()
    answer = connection.answer()
    assert answer is not None
    assert (answer.status, memory.queue.sent) == (400, 0)


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Content-Length: 999999999999\r\n\r\n" + BODY,
        CHUNKED + b"\r\n" + (b"100000\r\n" + b" " * 0x100000 + b"\r\n") * 11 + b"0\r\n\r\n",
    ],
    ids=["said", "found"],
)
def test_a_body_that_no_gateway_takes_is_413(connection: Connection, data: bytes) -> None:
    answer = exchange(connection, data)
    assert (answer.status, is_problem(answer)) == (413, True)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"PUT /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"OPTIONS /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"OPTIONS /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"BREW /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /jobs HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /jobs HTTP/3.0\r\nHost: localhost\r\n\r\n", 505),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_what_no_route_sees_is_a_problem_too(connection: Connection, data: bytes, status: int) -> None:
    answer = exchange(connection, data)
    assert (answer.status, is_problem(answer)) == (status, True)
    assert status != 405 or "POST" in answer.headers["Allow"]


def test_head_and_not_modified_have_no_body_and_no_length_of_none(connection: Connection) -> None:
    head = exchange(connection, b"HEAD /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n", with_body=False)
    assert (head.status, head.headers.get("Content-Length")) == (200, None)
    whole = exchange(connection, b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n")
    tag = whole.headers["Etag"].encode()
    kept = exchange(
        connection, b"GET /docs HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: %s\r\n\r\n" % tag, with_body=False
    )
    assert (kept.status, kept.headers.get("Content-Length")) == (304, None)
    assert exchange(connection, NEXT).status == 200

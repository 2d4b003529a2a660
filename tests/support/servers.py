"""Servers on loopback that answer as a test says: scripted answers, and a proxy that loses what comes back."""

import http.client
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

JOB = b'{"id":"01m8aek5rf07k6ds0twh8pd1qt","task":"sort","status":"pending"}'
DONE = JOB.replace(b'"pending"', b'"completed","output":{"array":[1,2]}')


@dataclass(frozen=True, slots=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Says:
    """An answer; `breaks` closes the connection after so many bytes of it."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    breaks: int | None = None


@dataclass(slots=True)
class Server:
    url: str
    seen: list[Seen]


@contextmanager
def answering(answer: Callable[[Seen], Says]) -> Iterator[Server]:
    """A server for as long as the block runs."""
    seen: list[Seen] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                request = Seen(self.command, self.path, headers, body)
                seen.append(request)
                says = answer(request)
            self._say(says)

        def _say(self, says: Says) -> None:
            if says.breaks != 0:
                self.send_response(says.status)
                for name, value in {"Content-Length": str(len(says.body)), **says.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(says.body[: says.breaks])
            if says.breaks is not None:
                self.close_connection = True

        def log_message(self, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield Server(f"http://127.0.0.1:{server.server_port}", seen)
        finally:
            server.shutdown()
            thread.join(5)


def script(answers: Sequence[Says]) -> Callable[[Seen], Says]:
    """One answer after the other; the last one for ever."""
    left = list(answers)
    return lambda seen: left.pop(0) if len(left) > 1 else left[0]


def losing(target: str, is_lost: Callable[[Seen], bool]) -> Callable[[Seen], Says]:
    """Passes requests on to `target`, which does what they say; the answers that `is_lost` picks never come back."""
    parts = urlsplit(target)

    def answer(seen: Seen) -> Says:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        headers = {name: value for name, value in seen.headers.items() if name not in ("host", "connection")}
        try:
            connection.request(seen.method, seen.path, seen.body or None, {**headers, "Host": parts.netloc})
            came = connection.getresponse()
            kept = {name: value for name, value in came.getheaders() if name in ("Retry-After", "Content-Type")}
            says = Says(came.status, came.read(), kept)
        finally:
            connection.close()
        return Says(breaks=0) if is_lost(seen) else says

    return answer

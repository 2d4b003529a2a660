"""How often a request is sent that gets no good answer: again where that is safe, and only there."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.errors import Unavailable
from tests.contract.rows import row
from tests.emulators import ACCESS


@contextmanager
def failing_table() -> Iterator[tuple[str, Counter[str]]]:
    """Its address, and how often each operation was asked for."""
    asked: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked[self.headers["X-Amz-Target"].partition(".")[2]] += 1
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_write_without_a_condition_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent again when a worker has claimed its rows, a batch write would set them back."""
    for name, value in ACCESS.items():
        monkeypatch.setenv(name, value)
    with failing_table() as (address, asked):
        ports = wiring.ports(Settings(endpoint=address))
        with pytest.raises(Unavailable):
            ports.jobs.insert_many([row(), row()])
        with pytest.raises(Unavailable):
            ports.jobs.insert(row())
        with pytest.raises(Unavailable):
            ports.jobs.get(row().id)
    assert asked == Counter(BatchWriteItem=1, PutItem=3, GetItem=3)

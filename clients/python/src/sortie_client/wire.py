"""Carries plans out over httpx2, blocking. httpx2 takes long to import: that waits for the first request."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, TypeVar

from sortie_client.address import Address
from sortie_client.plans import NOT_DONE, Ask, Fetch, Pause, Plan, Progress, Put, Response, Source, Step
from sortie_client.sending import STORE_TIMEOUT, failed, request_of, response_of, scheme_of, slack

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")


class Wire:
    """Keeps its connections; may be shared by threads."""

    def __init__(self, address: Address, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._clients: dict[str, httpx2.Client] = {}
        self._lock = threading.Lock()

    def run(self, plan: Plan[T]) -> T:
        """What the plan returns or raises."""
        try:
            step = next(plan)
            while True:
                try:
                    came = self._do(step)
                except BaseException as error:  # the plan may know what to do, and closes what it has opened
                    step = plan.throw(error)
                else:
                    step = plan.send(came)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def close(self) -> None:
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def _do(self, step: Step) -> Response | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        import httpx2  # after 60 ms of import time nobody wants another 100 for a client that is not used yet

        try:
            if isinstance(step, Ask):
                return self._ask(step)
            return self._put(step) if isinstance(step, Put) else self._fetch(step)
        except httpx2.RequestError as error:
            raise failed(error, self._address) from error

    def _ask(self, ask: Ask) -> Response:
        request = request_of(ask, self._address)
        timeout = self._timeout + slack(ask)
        return response_of(self._client(request.url).request(**request.arguments, timeout=timeout))

    def _put(self, put: Put) -> Response:
        headers = {**put.headers, "Content-Length": str(put.source.size)}
        body = reported(put.source, put.on_progress)
        return response_of(self._client(put.href).put(put.href, headers=headers, content=body, timeout=STORE_TIMEOUT))

    def _fetch(self, fetch: Fetch) -> Response:
        plain = {"Accept-Encoding": "identity"}
        with self._client(fetch.href).stream("GET", fetch.href, headers=plain, timeout=STORE_TIMEOUT) as response:
            if response.status_code >= NOT_DONE:
                response.read()
                return response_of(response)
            total, done = int(response.headers.get("content-length", 0)), 0
            for piece in response.iter_bytes():
                fetch.sink.feed(piece)
                done += len(piece)
                if fetch.on_progress:
                    fetch.on_progress(done, total)
            return Response(response.status_code)

    def _client(self, url: str) -> httpx2.Client:
        import httpx2

        scheme = scheme_of(url)
        with self._lock:
            if scheme not in self._clients:
                # Reading the certificates takes 30 ms, and http has no use for them.
                self._clients[scheme] = httpx2.Client(verify=scheme != "http")
            return self._clients[scheme]


def reported(source: Source, on_progress: Progress | None) -> Generator[bytes, None, None]:
    done = 0
    for piece in source.pieces():
        yield piece
        done += len(piece)
        if on_progress:
            on_progress(done, source.size)

"""Carries plans out over httpx2, awaiting."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, TypeVar

from sortie_client.address import Address
from sortie_client.plans import NOT_DONE, Ask, Fetch, Pause, Plan, Put, Response, Step
from sortie_client.sending import STORE_TIMEOUT, failed, request_of, response_of, scheme_of, slack
from sortie_client.wire import reported

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")


class AsyncWire:
    """Keeps its connections; belongs to one event loop."""

    def __init__(self, address: Address, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._clients: dict[str, httpx2.AsyncClient] = {}

    async def run(self, plan: Plan[T]) -> T:
        """What the plan returns or raises."""
        try:
            step = next(plan)
            while True:
                try:
                    came = await self._do(step)
                except BaseException as error:  # the plan may know what to do, and closes what it has opened
                    step = plan.throw(error)
                else:
                    step = plan.send(came)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    async def close(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    async def _do(self, step: Step) -> Response | None:
        import asyncio  # nobody who uses the sync client pays for it

        import httpx2

        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            if isinstance(step, Ask):
                return await self._ask(step)
            return await (self._put(step) if isinstance(step, Put) else self._fetch(step))
        except httpx2.RequestError as error:
            raise failed(error, self._address) from error

    async def _ask(self, ask: Ask) -> Response:
        request = request_of(ask, self._address)
        timeout = self._timeout + slack(ask)
        return response_of(await self._client(request.url).request(**request.arguments, timeout=timeout))

    async def _put(self, put: Put) -> Response:
        headers = {**put.headers, "Content-Length": str(put.source.size)}
        client = self._client(put.href)
        return response_of(await client.put(put.href, headers=headers, content=_awaited(put), timeout=STORE_TIMEOUT))

    async def _fetch(self, fetch: Fetch) -> Response:
        plain = {"Accept-Encoding": "identity"}
        client = self._client(fetch.href)
        async with client.stream("GET", fetch.href, headers=plain, timeout=STORE_TIMEOUT) as response:
            if response.status_code >= NOT_DONE:
                await response.aread()
                return response_of(response)
            total, done = int(response.headers.get("content-length", 0)), 0
            async for piece in response.aiter_bytes():
                fetch.sink.feed(piece)
                done += len(piece)
                if fetch.on_progress:
                    fetch.on_progress(done, total)
            return Response(response.status_code)

    def _client(self, url: str) -> httpx2.AsyncClient:
        import httpx2

        scheme = scheme_of(url)
        if scheme not in self._clients:
            self._clients[scheme] = httpx2.AsyncClient(verify=scheme != "http")
        return self._clients[scheme]


async def _awaited(put: Put) -> AsyncGenerator[bytes, None]:
    for piece in reported(put.source, put.on_progress):
        yield piece

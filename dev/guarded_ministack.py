"""MiniStack behind a guard: what a stranger's page has a browser send to this machine is refused with 403.

MiniStack answers every Origin and runs functions as plain processes, so any page could run code here. A page cannot
choose the Host, Origin and Sec-Fetch-Site that its browser sends; boto3 sends none of the last two.
"""

import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def guarded(app: Asgi, ports: Iterable[int]) -> Asgi:
    """`app`, for this machine alone. `ports`: where pages of ours are served, the emulator's own included."""
    own = frozenset(ports)

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        why = refusal(_headers(scope), own) if scope["type"] in ("http", "websocket") else None
        if why is None:
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": why.encode()})

    return guard


def refusal(headers: Mapping[str, list[str]], ports: frozenset[int]) -> str | None:
    """Why a request is refused; None when it may pass."""
    hosts = headers.get("host", [])
    if len(hosts) != 1 or _host_and_port(f"//{hosts[0]}")[0] not in HOSTS:
        return "This emulator answers to 127.0.0.1, localhost and [::1] alone.\n"
    origins = headers.get("origin", [])
    for host, port in map(_host_and_port, origins):
        if host not in HOSTS or port not in ports:
            return "This emulator answers to no page but Sortie's own.\n"
    if not origins and "cross-site" in headers.get("sec-fetch-site", []):
        return "Another site led here. Open the page by the address that was printed, which begins with 127.0.0.1.\n"
    return None


def _host_and_port(address: str) -> tuple[str | None, int | None]:
    try:
        parts = urlsplit(address)
        return parts.hostname, parts.port or 80
    except ValueError:
        return None, None


def _headers(scope: Any) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return headers


def main() -> None:
    import ministack.app as ministack  # a second, which the tests of the rules above do not pay

    ports = [os.environ["GATEWAY_PORT"], *os.environ.get("PAGE_PORTS", "").split()]
    ministack.app = guarded(ministack.app, map(int, ports))
    ministack.main()


if __name__ == "__main__":
    # Started by its path where nothing of this repository may lie on the path of the functions.
    sys.path[:] = [each for each in sys.path if each != os.path.dirname(os.path.abspath(__file__))]
    main()

"""What both wires share: a step as arguments for httpx2, its response as ours, its errors as Broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sortie_client.address import Address
from sortie_client.plans import Ask, Broken, Response
from sortie_client.version import VERSION

if TYPE_CHECKING:
    import httpx2

STORE_TIMEOUT = 300.0
"""Seconds of silence from a store: it reads all of a large body before it answers."""
WAIT_SLACK = 5.0
"""Seconds that a held answer may come late."""


class Request(msgspec.Struct, frozen=True):
    url: str
    arguments: dict[str, Any]


def request_of(ask: Ask, address: Address) -> Request:
    headers = {"User-Agent": f"sortie-client/{VERSION}", **ask.headers}
    if address.token:
        headers["Authorization"] = f"Bearer {address.token}"
    url = address.url + ask.path
    arguments = {"method": ask.method, "url": url, "params": ask.query or None, "headers": headers}
    return Request(url, arguments | ({"content": ask.body} if ask.body is not None else {}))


def response_of(response: httpx2.Response) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(response.status_code, headers, response.content)


def failed(error: httpx2.RequestError, address: Address) -> Broken:
    """Raises the error itself where no further try can help."""
    import httpx2

    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.TooManyRedirects | httpx2.DecodingError):
        return Broken(f"{address.url} cannot be asked: {error}", met=False)
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return Broken(f"nothing answers at {_origin(error, address)}: {_reason(error)}", met=False)
    if isinstance(error, httpx2.TimeoutException):
        return Broken(f"no answer from {_origin(error, address)} in time", met=True)
    return Broken(f"the connection to {_origin(error, address)} broke: {_reason(error)}", met=True)


def slack(ask: Ask) -> float:
    return ask.wait + WAIT_SLACK if ask.wait else 0.0


def scheme_of(url: str) -> str:
    return url.partition(":")[0].lower()


def _origin(error: httpx2.RequestError, address: Address) -> str:
    try:
        url = error.request.url
    except RuntimeError:  # it broke before there was a request
        return address.url
    return f"{url.scheme}://{url.netloc.decode()}"


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__

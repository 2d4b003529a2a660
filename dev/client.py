"""The one HTTP client of samples, probes, measurements and tests: urllib3, which boto3 brings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3


class NoAnswer(OSError):
    """Nobody listens there, or the connection broke before an answer came."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The JSON of the body; None where there is no body."""
        return json.loads(self.raw) if self.raw else None


@dataclass(frozen=True, slots=True)
class Client:
    """`headers` go with every request. `connections`: kept and used again, as a browser does; None takes a new one
    for each request.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    connections: urllib3.PoolManager | None = None
    timeout: float = 60.0

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`body`: bytes go as they are, anything else as JSON. Raises NoAnswer."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        content_type = {} if data is None else {"Content-Type": "application/json"}
        merged = {**content_type, **self.headers, **headers}
        if self.connections is None:
            return fetch(method, self.url + path, data, merged, timeout=self.timeout)
        return _send(self.connections, method, self.url + path, data, merged, self.timeout)


def fetch(
    method: str,
    url: str,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    timeout: float = 60.0,
) -> Answer:
    """Whatever the status: nothing is followed, tried again or raised for it. Raises NoAnswer."""
    # A connection that is used again may have been closed by a server that restarts, which the tests have happen.
    with urllib3.PoolManager() as connections:
        return _send(connections, method, url, data, {"Connection": "close", **(headers or {})}, timeout)


def _send(
    connections: urllib3.PoolManager,
    method: str,
    url: str,
    data: bytes | None,
    headers: Mapping[str, str],
    timeout: float,
) -> Answer:
    try:
        answer = connections.request(
            method, url, body=data, headers=headers, retries=False, redirect=False, timeout=timeout
        )
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise NoAnswer(f"{url}: {error}") from error
    return Answer(answer.status, answer.headers, answer.data)

"""What an operation wants from the world, written once for the sync and the async client.

An operation is a generator, a plan: it yields steps, gets back what came of each, and returns its result. Two small
drivers (wire.py, async_wire.py) carry plans out, the one blocking, the other awaiting. A step whose connection broke
raises Broken inside the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

T = TypeVar("T")
NOT_DONE = 300
"""From this status on an answer says that what was asked for was not done: a redirect is not followed."""
Progress = Callable[[int, int], object]
"""Called with what is done and what there is in all: bytes."""


class Source(Protocol):
    """Bytes to send, as often as it takes."""

    size: int

    def pieces(self) -> Generator[bytes, None, None]: ...


class Sink(Protocol):
    """Takes bytes as they come."""

    def feed(self, piece: bytes) -> None: ...


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request to the service. `wait`: seconds that the service may hold its answer."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    body: bytes | None = None
    headers: Mapping[str, str] = {}
    wait: float = 0


class Put(msgspec.Struct, frozen=True):
    """Send a source to a presigned link. The token does not go there."""

    href: str
    headers: Mapping[str, str]
    source: Any
    on_progress: Progress | None


class Fetch(msgspec.Struct, frozen=True):
    """Stream what lies behind a presigned link into a sink. The token does not go there."""

    href: str
    sink: Any
    on_progress: Progress | None


class Pause(msgspec.Struct, frozen=True):
    seconds: float


class Response(msgspec.Struct, frozen=True):
    """`headers` has its names in lower case."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Broken(Exception):
    """The connection was not made, or broke: nobody knows what became of the request. `met`: it was made."""

    def __init__(self, why: str, *, met: bool) -> None:
        super().__init__(why)
        self.met = met


Step = Ask | Put | Fetch | Pause
Plan = Generator[Step, Any, T]

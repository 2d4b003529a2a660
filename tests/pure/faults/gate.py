"""Where faults come in: every call of a port passes the gate, which counts it and stops it where a test says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from chalicelib.errors import Unavailable
from chalicelib.ports import Containers, JobStore, Payloads, Ports, Queue, Records

T = TypeVar("T")


class Crash(KeyboardInterrupt):
    """The process ends here: what a task may raise is caught around it, this is not, and nothing after it runs."""


def crash() -> None:
    raise Crash


def unavailable() -> None:
    raise Unavailable("throttled, timed out or refused")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at a call: before its effect, or after it (then its answer never arrives)."""

    act: Callable[[], None]
    after: bool


@dataclass(slots=True)
class Gate:
    """Counts calls, and carries out the faults planned for some of them."""

    calls: list[str] = field(default_factory=list)
    planned: dict[int, Fault] = field(default_factory=dict)
    hit: int = 0
    is_open: bool = False

    def plan(self, call: int, fault: Fault) -> None:
        """`call`: 0 for the next one, 1 for the one after it, and so on."""
        self.planned[len(self.calls) + call] = fault

    def clear(self) -> None:
        self.planned.clear()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Calls in here are neither counted nor stopped: somebody else makes them."""
        was, self.is_open = self.is_open, True
        try:
            yield
        finally:
            self.is_open = was

    def passed(self, name: str, effect: Callable[[], T]) -> T:
        if self.is_open:
            return effect()
        fault = self.planned.pop(len(self.calls), None)
        self.calls.append(name)
        if fault is None:
            return effect()
        self.hit += 1
        if not fault.after:
            fault.act()
            return effect()
        try:
            return effect()
        finally:
            fault.act()


class Watched:
    """Any port, with each of its calls through the gate; a page of a lazy answer is a call of its own."""

    def __init__(self, port: object, gate: Gate) -> None:
        self._port = port
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)
        if name == "due":
            return lambda *args: [self._each(name, pages) for pages in real(*args)]
        gated = lambda *args, **named: self._gate.passed(name, lambda: real(*args, **named))  # noqa: E731
        self.__dict__[name] = gated
        return gated

    def _each(self, name: str, pages: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while (page := self._gate.passed(name, lambda: next(pages, end))) is not end:
            yield page


def watched(ports: Ports, gate: Gate) -> Ports:
    return replace(
        ports,
        jobs=cast(JobStore, Watched(ports.jobs, gate)),
        records=cast(Records, Watched(ports.records, gate)),
        queue=cast(Queue, Watched(ports.queue, gate)),
        payloads=cast(Payloads, Watched(ports.payloads, gate)),
        containers=cast(Containers, Watched(ports.containers, gate)),
    )

"""Clock, chance, alarm and threads that a test owns."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from chalicelib.core.ids import make_id
from chalicelib.core.job import Millis

T = TypeVar("T")
START: Millis = 1_800_000_000_000


class StoppedClock:
    """Stands still until it is told: pause() and advance() move it."""

    def __init__(self, now: Millis = START) -> None:
        self.millis = float(now)

    def now(self) -> Millis:
        return int(self.millis)

    def monotonic(self) -> float:
        return self.millis / 1000

    def pause(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.millis += seconds * 1000


class SeededRandom:
    """The same numbers for the same seed; ids in the order in which they were asked for."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._count = 0

    def new_id(self, now: Millis) -> str:
        self._count += 1
        return make_id(now, self._count << 40 | self._random.getrandbits(40))

    def new_token(self) -> str:
        return f"{self._random.getrandbits(64):016x}"

    def uniform(self) -> float:
        return self._random.random()


class SilentAlarm:
    """ports.Alarm that never rings: on a stopped clock, checkpoints end a task that is out of time."""

    def guard(self, call: Callable[[], T], seconds: float, ring: Callable[[], None]) -> T:
        return call()

    def ring(self) -> None:
        return None

    def end_process(self) -> None:
        raise AssertionError("nothing rang")


class OneThread:
    """ports.Concurrency with nothing beside: calls one after the other, and no heartbeat."""

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        return [call() for call in calls]

    @contextmanager
    def beat(self, seconds: float, act: Callable[[], bool]) -> Iterator[None]:
        yield

"""Concurrency on a clock that a test owns: heartbeats come as time passes, calls side by side in a drawn order."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class Beats:
    """ports.Concurrency. `after` names what is done when a time has come.

    A process that stands still does not beat either: `frozen` holds the hearts that were beating before it back.
    """

    def __init__(self, after: Callable[[float, Callable[[], object]], None], seed: int) -> None:
        self._after = after
        self._random = random.Random(seed)
        self._depth = 0

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        order = self._random.sample(range(len(calls)), len(calls))
        answers = {number: calls[number]() for number in order}
        return [answers[number] for number in range(len(calls))]

    @contextmanager
    def beat(self, seconds: float, act: Callable[[], bool]) -> Iterator[None]:
        alive, depth = [True], self._depth

        def strike() -> None:
            if alive and (depth != self._depth or act()):
                self._after(seconds, strike)

        self._after(seconds, strike)
        try:
            yield
        finally:
            alive.clear()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

"""Threads: calls side by side, and a heartbeat beside a task."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 16


class SystemThreads:
    """ports.Concurrency"""

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        if len(calls) < 2:
            return [call() for call in calls]
        with ThreadPoolExecutor(min(AT_ONCE, len(calls))) as pool:
            return list(pool.map(lambda call: call(), calls))

    def beat(self, seconds: float, act: Callable[[], bool]) -> AbstractContextManager[None]:
        return _beating(seconds, act)


@contextmanager
def _beating(seconds: float, act: Callable[[], bool]) -> Iterator[None]:
    """Nobody waits for a beat that is under way when the block ends: an outcome has been written by then."""
    over = threading.Event()

    def run() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # it is for the thread of the task
        while not over.wait(seconds) and act():
            pass

    threading.Thread(target=run, name="heartbeat", daemon=True).start()
    try:
        yield
    finally:
        over.set()

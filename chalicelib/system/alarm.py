"""The signal that interrupts a task, and the end of the process where a task lets nothing interrupt it."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
ALARM_AGAIN_SECONDS = 1.0


class SystemAlarm:
    """ports.Alarm, by SIGALRM. In other threads than the main one, where Python delivers no signals, it never rings.

    A signal that comes late must not raise in what follows the call, whatever line that is at. So the handler looks
    at the stack: it rings only below `_guarded`.
    """

    def __init__(self) -> None:
        self._ring: Callable[[], None] = lambda: None

    def guard(self, call: Callable[[], T], seconds: float, ring: Callable[[], None]) -> T:
        if threading.current_thread() is not threading.main_thread():
            return call()
        self._ring = ring
        signal.signal(signal.SIGALRM, self._on_signal)
        signal.setitimer(signal.ITIMER_REAL, seconds, ALARM_AGAIN_SECONDS)
        try:
            return _guarded(call)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def ring(self) -> None:
        if signal.getsignal(signal.SIGALRM) == self._on_signal:
            ident = threading.main_thread().ident
            assert ident is not None
            signal.pthread_kill(ident, signal.SIGALRM)

    def end_process(self) -> None:
        os._exit(1)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code is not _guarded.__code__:
            frame = frame.f_back
        if frame is not None:
            self._ring()


def _guarded(call: Callable[[], T]) -> T:
    return call()

"""The signal that interrupts a task, and the end of the process where a task lets nothing interrupt it."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

ALARM_AGAIN_SECONDS = 1.0


class SystemAlarm:
    """ports.Alarm, by SIGALRM. In other threads than the main one, where Python delivers no signals, it never rings."""

    def set(self, seconds: float, ring: Callable[[float], None]) -> None:
        rings = 0

        def on_signal(number: int, frame: FrameType | None) -> None:
            nonlocal rings
            rings += 1
            ring((rings - 1) * ALARM_AGAIN_SECONDS)

        if _in_main_thread():
            signal.signal(signal.SIGALRM, on_signal)
            signal.setitimer(signal.ITIMER_REAL, seconds, ALARM_AGAIN_SECONDS)

    def stop(self) -> None:
        if _in_main_thread():
            signal.setitimer(signal.ITIMER_REAL, 0)

    def end_process(self) -> None:
        os._exit(1)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()

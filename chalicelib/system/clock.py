"""The machine's clock."""

import time

from chalicelib.core.job import Millis


class SystemClock:
    """ports.Clock"""

    def now(self) -> Millis:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

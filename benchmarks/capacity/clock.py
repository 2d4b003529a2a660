"""Time that moves when it is told: the use cases and the token buckets share it."""


class SimulatedClock:
    """ports.Clock. `start`: seconds since 1970."""

    def __init__(self, start: float = 0.0) -> None:
        self._millis = start * 1000

    def now(self) -> int:
        return int(self._millis)

    def monotonic(self) -> float:
        return self._millis / 1000

    def pause(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._millis += seconds * 1000

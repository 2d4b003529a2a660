"""Token buckets whose rate may grow with time or with use, on a clock that is passed in."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds."""


class Rate(Protocol):
    """Tokens a second."""

    def at(self, now: float) -> float: ...

    def note(self, now: float, taken: float) -> None:
        """So much was taken."""


class Steady:
    def __init__(self, rate: float) -> None:
        self._rate = rate

    def at(self, now: float) -> float:
        return self._rate

    def note(self, now: float, taken: float) -> None:
        return None


class Ramp:
    """Gives `start` when it is first asked, `growth` more with each second, and `most` at most."""

    def __init__(self, start: float, growth: float, most: float) -> None:
        self._start, self._growth, self._most = start, growth, most
        self._began: float | None = None

    def at(self, now: float) -> float:
        if self._began is None:
            self._began = now
        return min(self._most, self._start + self._growth * (now - self._began))

    def note(self, now: float, taken: float) -> None:
        return None


class OnDemand:
    """DynamoDB on demand: `cold` at first, then twice the busiest second up to `settle` seconds ago, at most `most`."""

    def __init__(self, cold: float, most: float, settle: float) -> None:
        self._cold, self._most, self._settle = cold, most, settle
        self._seconds: deque[tuple[int, float]] = deque()
        self._peak = 0.0

    def at(self, now: float) -> float:
        while self._seconds and self._seconds[0][0] + 1 + self._settle <= now:
            self._peak = max(self._peak, self._seconds.popleft()[1])
        return min(self._most, max(self._cold, 2 * self._peak))

    def note(self, now: float, taken: float) -> None:
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            taken += self._seconds.pop()[1]
        self._seconds.append((second, min(taken, self.at(now))))  # a burst out of saved tokens is no peak


class TokenBucket:
    """Holds at most `burst` seconds of its rate; full at first."""

    def __init__(self, name: str, rate: Rate, clock: Clock, burst: float = 1.0) -> None:
        self.name = name
        self._rate, self._clock, self._burst = rate, clock, burst
        self._seen = clock.monotonic()
        self._level = rate.at(self._seen) * burst

    def holds(self, tokens: float) -> bool:
        self._fill()
        return self._level >= tokens - 1e-9

    def take(self, tokens: float) -> bool:
        """False, and nothing is taken, when there are too few."""
        if not self.holds(tokens):
            return False
        self.spend(tokens)
        return True

    def spend(self, tokens: float) -> None:
        """For who has just asked what it holds."""
        self._level -= tokens
        self._rate.note(self._seen, tokens)

    def drain(self) -> None:
        """Lose what was saved, as nobody can count on it."""
        self._fill()
        self._level = 0.0

    def _fill(self) -> None:
        now = self._clock.monotonic()
        if now > self._seen:  # many ask within one tick
            rate = self._rate.at(now)
            self._level = min(rate * self._burst, self._level + rate * (now - self._seen))
            self._seen = now


def take_all(takings: Sequence[tuple[TokenBucket, float]]) -> TokenBucket | None:
    """All or nothing. The first bucket that holds too little, or None when everything was taken."""
    for bucket, tokens in takings:
        if not bucket.holds(tokens):
            return bucket
    for bucket, tokens in takings:
        bucket.spend(tokens)
    return None

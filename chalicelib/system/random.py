"""Ids, tokens and numbers that nobody can foresee."""

import secrets
import threading

from chalicelib.core.ids import RANDOM_BITS, make_id
from chalicelib.core.job import Millis

STEP_BITS = 40


class SystemRandom:
    """ports.Random. Ids made in one millisecond still come in order: each later one adds a random step to the one
    before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def new_id(self, now: Millis) -> str:
        with self._lock:
            then, bits = self._last
            if now > then:
                self._last = (now, secrets.randbits(RANDOM_BITS - 1))
            else:
                self._last = (then, bits + 1 + secrets.randbits(STEP_BITS))
            return make_id(*self._last)

    def new_token(self) -> str:
        return secrets.token_hex(8)

    def uniform(self) -> float:
        return secrets.randbits(53) / 2**53

"""Does everything answer that a job needs?"""

import threading

from chalicelib.core.lane import Lane
from chalicelib.errors import ResourceMissing, Unavailable
from chalicelib.ports import Ports

NOBODY = "0" * 26
KEPT_SECONDS = 5.0
"""Anybody may ask, and each look is five calls to AWS."""


class Health:
    """One look at a time, and its answer for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: Ports | None = None
        self._problems: list[str] = []
        self._kept_until = float("-inf")

    def problems(self, ports: Ports) -> list[str]:
        """What does not answer, and what does not exist; empty when all is well."""
        with self._lock:
            if ports is not self._asked or ports.clock.monotonic() >= self._kept_until:
                self._problems = _look(ports)
                self._asked, self._kept_until = ports, ports.clock.monotonic() + KEPT_SECONDS
            return self._problems


def _look(ports: Ports) -> list[str]:
    looks = {
        "table": lambda: ports.jobs.get(NOBODY),
        "queue": lambda: ports.queue.depth(Lane.LONG),
        "quick queue": lambda: ports.queue.depth(Lane.QUICK),
        "bucket": ports.payloads.check,
    }
    problems = []
    for name, look in looks.items():
        try:
            look()
        except ResourceMissing as error:
            problems.append(str(error))
        except Unavailable:
            problems.append(f"the {name} does not answer")
    return problems

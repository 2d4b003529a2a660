"""Minute tallies of what a batch ended: kept in memory while it runs, one write per owner and minute at its end.

A crash before that write costs the charts one batch, and the jobs nothing.
"""

from collections import Counter, defaultdict

from chalicelib.core.job import ENDED, Job, Millis, Status
from chalicelib.core.records import Tally, bucket_of
from chalicelib.errors import Unavailable
from chalicelib.ports import Ports
from chalicelib.service import log

MINUTE_MS: Millis = 60_000
KEPT_SECONDS = 26 * 3_600


class Tallies:
    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._held: dict[tuple[str, Millis], Tally] = defaultdict(Tally)
        self._counts: Counter[str] = Counter()
        self._times: dict[str, list[float]] = {"duration": [], "wait": []}

    def ended(self, row: Job, before: Job, duration_ms: float | None) -> None:
        """Count one move: `row` after it, `before` the row it left (running, unless it only waited and was ended)."""
        if row.status is Status.PENDING:
            return  # it has fallen due
        now = self._ports.clock.now()
        tally = self._held[row.owner, now - now % MINUTE_MS]
        outcome = str(row.status) if row.status in ENDED else "retried"
        tally.outcomes[outcome] += 1
        self._counts[outcome] += 1
        if duration_ms is not None:
            tally.duration[bucket_of(duration_ms)] += 1
            self._times["duration"].append(duration_ms)
        unclaimed = before.status is not Status.RUNNING and row.status is Status.COMPLETED
        if (before.status is Status.RUNNING or unclaimed) and row.attempts == 1 and row.started_at is not None:
            waited = row.started_at - row.run_at
            tally.wait[bucket_of(waited)] += 1
            self._times["wait"].append(waited)

    def write(self) -> None:
        for (owner, minute), tally in self._held.items():
            try:
                share = self._ports.random.uniform()
                self._ports.records.add_tally(owner, minute, tally, minute // 1000 + KEPT_SECONDS, share)
            except Unavailable as error:
                log.warning("tally_lost", owner=owner, reason=str(error))
        self._held.clear()
        settings = self._ports.settings
        if self._counts and not settings.is_open:
            log.metrics_line(settings.stage, self._ports.clock.now(), self._counts, self._times)
        self._counts.clear()
        self._times = {"duration": [], "wait": []}

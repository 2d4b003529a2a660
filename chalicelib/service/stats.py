"""What goes on: open jobs and the queue as they are now, and what has ended, from minute tallies.

The cost does not grow with the number of jobs that have ended: an hour is sixty small rows, however busy it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.core.job import WAITING, Millis
from chalicelib.core.lane import Lane, lane_of
from chalicelib.core.records import Tally, percentile
from chalicelib.ports import Depth, Ports, WaitingJob
from chalicelib.service.metrics import MINUTE_MS

FRACTIONS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
ROWS_READ = 100
SPAN_MINUTES = {"hour": 60, "day": 24 * 60}


@dataclass(frozen=True, slots=True)
class Stats:
    """`points`: what ended, from one start to the next; `whole`: all of it together. `dead`: messages given up.
    `pending`: oldest first."""

    counts: Mapping[str, int]
    pending: Sequence[WaitingJob]
    lanes: Mapping[Lane, Depth]
    dead: int
    oldest_pending_seconds: float
    points: Sequence[tuple[Millis, Tally]]
    whole: Tally


def stats(ports: Ports, owner: str, span: str = "hour") -> Stats:
    """`span`: hour (a point each minute) or day (a point each five minutes)."""
    now = ports.clock.now()
    this = now - now % MINUTE_MS
    minutes = [this - back * MINUTE_MS for back in reversed(range(SPAN_MINUTES[span]))]
    tallies = ports.records.tallies(owner, minutes)
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    open_ = ports.jobs.open_jobs(owner)
    due = sorted((job for job in open_.waiting if job.not_before <= now), key=lambda job: job.not_before)
    counts = {"scheduled": len(open_.waiting) - len(due), "pending": len(due), "running": open_.running}
    counts |= {name: whole.outcomes[name] for name in ("completed", "failed", "canceled")}
    return Stats(
        counts=counts,
        pending=due,
        lanes={lane: ports.queue.depth(lane) for lane in Lane},
        dead=ports.queue.dead(),
        oldest_pending_seconds=_age(due[0].not_before, now) if due else 0.0,
        points=_points(minutes, tallies, 1 if span == "hour" else 5),
        whole=whole,
    )


def oldest_by_lane(ports: Ports, pending: Sequence[WaitingJob]) -> Mapping[Lane, float]:
    """For how many seconds the oldest of these has been due. A quick job that has met trouble is in the long lane, and
    only its row says so, or that it runs: of those the oldest are read."""
    now = ports.clock.now()
    lanes: dict[str, Lane | None] = {job.id: Lane.QUICK if job.quick else Lane.LONG for job in pending}
    doubtful = [job.id for job in pending if job.quick][:ROWS_READ]
    if doubtful:
        rows = {row.id: row for row in ports.jobs.get_many(doubtful)}
        lanes |= {name: lane_of(row) if row.status in WAITING else None for name, row in rows.items()}
    ages = dict.fromkeys(Lane, 0.0)
    for job in reversed(pending):
        if (lane := lanes[job.id]) is not None:
            ages[lane] = _age(job.not_before, now)
    return ages


def compute_percentiles(histogram: Mapping[int, int]) -> Mapping[str, float | None]:
    return {name: percentile(histogram, part) for name, part in FRACTIONS.items()}


def _age(since: Millis, now: Millis) -> float:
    return round((now - since) / 1000, 3)


def _points(minutes: Sequence[Millis], tallies: Mapping[Millis, Tally], width: int) -> list[tuple[Millis, Tally]]:
    points = []
    for start in range(0, len(minutes), width):
        point = Tally()
        for minute in minutes[start : start + width]:
            if minute in tallies:
                point.add(tallies[minute])
        points.append((minutes[start], point))
    return points

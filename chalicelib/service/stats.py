"""What goes on: open jobs and the queue as they are now, and what has ended, from minute tallies.

The cost does not grow with the number of jobs that have ended: an hour is sixty small rows, however busy it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.core.job import Millis
from chalicelib.core.lane import Lane
from chalicelib.core.records import Tally, percentile
from chalicelib.ports import Depth, OpenJobs, Ports, WaitingJob
from chalicelib.service.ages import age_of
from chalicelib.service.metrics import MINUTE_MS

FRACTIONS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
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
    tallies, open_, depths, dead = _read(ports, owner, minutes)
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    due = sorted((job for job in open_.waiting if job.not_before <= now), key=lambda job: job.not_before)
    counts = {"scheduled": len(open_.waiting) - len(due), "pending": len(due), "running": open_.running}
    counts |= {name: whole.outcomes[name] for name in ("completed", "failed", "canceled")}
    return Stats(
        counts=counts,
        pending=due,
        lanes=depths,
        dead=dead,
        oldest_pending_seconds=age_of(due[0].not_before, now) if due else 0.0,
        points=_points(minutes, tallies, 1 if span == "hour" else 5),
        whole=whole,
    )


def _read(
    ports: Ports, owner: str, minutes: Sequence[Millis]
) -> tuple[Mapping[Millis, Tally], OpenJobs, Mapping[Lane, Depth], int]:
    """Side by side: none of them needs another's answer."""
    calls: list[Callable[[], Any]] = [
        lambda: ports.records.tallies(owner, minutes), lambda: ports.jobs.open_jobs(owner), ports.queue.dead,
        *(partial(ports.queue.depth, lane) for lane in Lane),
    ]  # fmt: skip
    tallies, open_, dead, *depths = ports.concurrency.together(calls)
    return tallies, open_, dict(zip(Lane, depths, strict=True)), dead


def compute_percentiles(histogram: Mapping[int, int]) -> Mapping[str, float | None]:
    return {name: percentile(histogram, part) for name, part in FRACTIONS.items()}


def _points(minutes: Sequence[Millis], tallies: Mapping[Millis, Tally], width: int) -> list[tuple[Millis, Tally]]:
    points = []
    for start in range(0, len(minutes), width):
        point = Tally()
        for minute in minutes[start : start + width]:
            if minute in tallies:
                point.add(tallies[minute])
        points.append((minutes[start], point))
    return points

"""Statistics and health, as they are answered."""

from collections.abc import Iterable, Mapping

import msgspec

from chalicelib.api.fields import Time, render_time
from chalicelib.core.job import Millis
from chalicelib.core.records import Tally
from chalicelib.service.stats import Stats, compute_percentiles


class QueueAnswer(msgspec.Struct):
    waiting: int
    in_flight: int
    delayed: int
    dead: int


class LaneAnswer(msgspec.Struct):
    waiting: int
    in_flight: int
    delayed: int


class Percentiles(msgspec.Struct):
    p50: float | None
    p95: float | None
    p99: float | None


class MinuteAnswer(msgspec.Struct):
    minute: Time
    completed: int
    failed: int
    canceled: int
    retried: int
    duration_ms: Percentiles
    wait_ms: Percentiles


class StatsAnswer(msgspec.Struct):
    counts: dict[str, int]
    queue: QueueAnswer
    lanes: dict[str, LaneAnswer]
    oldest_pending_seconds: float
    per_minute: list[MinuteAnswer]
    duration_ms: Percentiles
    wait_ms: Percentiles


class HealthAnswer(msgspec.Struct, omit_defaults=True):
    """`containers`: why container jobs are off on this machine."""

    status: str
    containers: str = ""


def render_health(containers_off: str) -> HealthAnswer:
    """All that a job needs answers."""
    return HealthAnswer("ok", f"off: {containers_off}" if containers_off else "")


def render_stats(stats: Stats) -> StatsAnswer:
    lanes = {str(lane): LaneAnswer(each.waiting, each.in_flight, each.delayed) for lane, each in stats.lanes.items()}
    return StatsAnswer(
        counts=dict(stats.counts),
        queue=_sum_of(lanes.values(), stats.dead),
        lanes=lanes,
        oldest_pending_seconds=stats.oldest_pending_seconds,
        per_minute=[_render_minute(at, tally) for at, tally in stats.points],
        duration_ms=_render_percentiles(stats.whole.duration),
        wait_ms=_render_percentiles(stats.whole.wait),
    )


def _sum_of(lanes: Iterable[LaneAnswer], dead: int) -> QueueAnswer:
    each = list(lanes)
    return QueueAnswer(
        waiting=sum(lane.waiting for lane in each),
        in_flight=sum(lane.in_flight for lane in each),
        delayed=sum(lane.delayed for lane in each),
        dead=dead,
    )


def _render_minute(at: Millis, tally: Tally) -> MinuteAnswer:
    ended = tally.outcomes
    return MinuteAnswer(
        minute=render_time(at),
        completed=ended["completed"],
        failed=ended["failed"],
        canceled=ended["canceled"],
        retried=ended["retried"],
        duration_ms=_render_percentiles(tally.duration),
        wait_ms=_render_percentiles(tally.wait),
    )


def _render_percentiles(histogram: Mapping[int, int]) -> Percentiles:
    return Percentiles(**compute_percentiles(histogram))

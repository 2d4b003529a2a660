"""How long the oldest pending job has been due, by lane: of an owner, and of the whole stage.

Which lane a job is in stands in its row alone, so rows are read, the oldest first, and no more than it takes.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, islice

from chalicelib.core.dispatch_plan import MAX_RESEND_MS
from chalicelib.core.ids import is_id, millis_of
from chalicelib.core.job import WAITING, Millis
from chalicelib.core.lane import Lane, lane_of
from chalicelib.ports import Depth, Ports, WaitingJob

PAGE_ROWS = 100
WAKE_PAGE_ROWS = 1_000
MOST_WAKE_PAGES = 50
MOST_ROWS = 1_000
"""Of a stage: more are held to be younger than these."""

Ages = Mapping[Lane, float]
"""Seconds; 0 where nothing waits."""


def oldest_by_lane(ports: Ports, pending: Sequence[WaitingJob]) -> Ages:
    """Of an owner's pending jobs, oldest first. A quick job that has met trouble is in the long lane, and only its row
    says so, or that it runs: of those the oldest hundred are read."""
    now = ports.clock.now()
    lanes: dict[str, Lane | None] = {job.id: Lane.QUICK if job.quick else Lane.LONG for job in pending}
    doubtful = [job.id for job in pending if job.quick][:PAGE_ROWS]
    if doubtful:
        rows = {row.id: row for row in ports.jobs.get_many(doubtful)}
        lanes |= {name: lane_of(row) if row.status in WAITING else None for name, row in rows.items()}
    ages = dict.fromkeys(Lane, 0.0)
    for job in reversed(pending):
        if (lane := lanes[job.id]) is not None:
            ages[lane] = age_of(job.not_before, now)
    return ages


def stage_by_lane(ports: Ports, lanes: Mapping[Lane, Depth]) -> Ages:
    """Of all owners' jobs, in the lanes whose messages wait: nothing is read for the others.

    The ids of what is open are looked at in the order of time. No job is due before it was made, so that the search
    ends at the first id that is younger than the oldest job of each lane."""
    now = ports.clock.now()
    ages = dict.fromkeys(Lane, 0.0)
    busy = [lane for lane, depth in lanes.items() if depth.waiting]
    ids = _open_ids(ports, now) if busy else []
    for start in range(0, min(len(ids), MOST_ROWS), PAGE_ROWS):
        if min(ages[lane] for lane in busy) >= age_of(millis_of(ids[start]), now):
            break
        for row in ports.jobs.get_many(ids[start : start + PAGE_ROWS]):
            if row.status in WAITING and row.not_before <= now and lane_of(row) in busy:
                ages[lane_of(row)] = max(ages[lane_of(row)], age_of(row.not_before, now))
    return ages


def age_of(since: Millis, now: Millis) -> float:
    return round((now - since) / 1000, 3)


def _open_ids(ports: Ports, now: Millis) -> list[str]:
    """Oldest first. Whatever is pending is looked at again within an hour."""
    shards = ports.jobs.due(now + MAX_RESEND_MS, WAKE_PAGE_ROWS)
    pages = islice(chain.from_iterable(shards), MOST_WAKE_PAGES)
    return sorted(name for name in chain.from_iterable(pages) if is_id(name))

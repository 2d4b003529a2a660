"""Schedules: cron lines that submit a job each time they fire. Each slot makes one job, whoever comes first."""

from dataclasses import dataclass, replace

import msgspec

from chalicelib.core import cron
from chalicelib.core.access import may_name
from chalicelib.core.ids import is_id, slot_id
from chalicelib.core.job import Millis
from chalicelib.core.records import Schedule
from chalicelib.core.times import from_millis, to_millis
from chalicelib.errors import LimitReached, NotFound, SortieError, Unavailable
from chalicelib.ports import Ports
from chalicelib.service import keys, log
from chalicelib.service.new_job import NewJob
from chalicelib.service.submit import submit_as

PREFIX = "s-"
MOST_SCHEDULES = 100
"""Of one owner. Counted in an index: requests that race may pass it by a few."""


@dataclass(frozen=True, slots=True)
class Added:
    """`created` is False when an earlier schedule is the answer."""

    schedule: Schedule
    created: bool


def add(
    ports: Ports, line: str, timezone: str, request: bytes, new: NewJob, *, key: str | None = None, body: bytes = b""
) -> Added:
    """`line` and `timezone` have been checked. `key` and `body`: the Idempotency-Key, and the request's bytes by which
    a repeat is known again. Raises LimitReached, KeyReused."""
    now = ports.clock.now()
    schedule_id = ports.random.new_id(now)
    if key is not None:
        schedule_id = keys.reserve(ports, new.owner, key, b"schedule\n" + body, schedule_id, now)
        earlier = ports.records.schedule(PREFIX + schedule_id)
        if earlier is not None:
            return Added(earlier, created=False)
    if len(ports.records.schedule_ids(new.owner)) >= MOST_SCHEDULES:
        raise LimitReached(f"an owner has at most {MOST_SCHEDULES} schedules: remove one that is no longer needed")
    first = _next(line, timezone, now)
    schedule = Schedule(
        id=PREFIX + schedule_id, owner=new.owner, cron=line, timezone=timezone, request=request,
        new_job=msgspec.json.encode(replace(new, traceparent=None)),
        created_at=now, last=now, next_run_at=first, wake_at=first,
    )  # fmt: skip
    stands = ports.records.add_schedule(schedule)
    return Added(stands, created=stands == schedule)


def list_page(ports: Ports, owner: str, after: str | None, limit: int) -> tuple[list[Schedule], str | None]:
    """Oldest first, and the cursor of the next page (None at the end): the id without its prefix."""
    ids = [each for each in ports.records.schedule_ids(owner) if after is None or each > PREFIX + after]
    more = len(ids) > limit
    page = ids[:limit]
    return ports.records.get_schedules(page), page[-1].removeprefix(PREFIX) if more else None


def remove(ports: Ports, owner: str | None, schedule_id: str) -> None:
    """Raises NotFound."""
    ports.records.remove_schedule(get(ports, owner, schedule_id))


def get(ports: Ports, owner: str | None, schedule_id: str) -> Schedule:
    """`owner` None sees every owner's. Raises NotFound."""
    well_formed = schedule_id.startswith(PREFIX) and is_id(schedule_id.removeprefix(PREFIX))
    schedule = ports.records.schedule(schedule_id) if well_formed else None
    if schedule is None or not may_name(owner, schedule.owner):
        raise NotFound(f"there is no schedule {schedule_id!r}")
    return schedule


def fire(ports: Ports, schedule_id: str) -> None:
    """Submit the newest slot that has come up (missed ones are caught up once), then move on to the next.

    The job's id derives from schedule and slot, so a second dispatcher, or this one after a crash before the move,
    finds the job there already.
    """
    schedule, now = ports.records.schedule(schedule_id), ports.clock.now()
    if schedule is None or schedule.wake_at > now:
        return
    slot = cron.latest_due(schedule.cron, schedule.timezone, from_millis(schedule.last), from_millis(now))
    last = to_millis(slot) if slot else schedule.last
    if slot is not None:
        _submit(ports, schedule, last)
    following = _next(schedule.cron, schedule.timezone, max(now, last))
    ports.records.move_schedule(schedule, last, following, following)


def _submit(ports: Ports, schedule: Schedule, slot: Millis) -> None:
    new = msgspec.json.decode(schedule.new_job, type=NewJob)
    try:
        submit_as(ports, new, slot_id(schedule.id, slot), ports.clock.now())
    except Unavailable:
        raise
    except SortieError as error:
        log.warning("schedule_skipped", schedule=schedule.id, slot=slot, reason=str(error))


def _next(line: str, timezone: str, after: Millis) -> Millis:
    return to_millis(cron.next_after(line, timezone, from_millis(after)))

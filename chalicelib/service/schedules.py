"""Schedules: cron lines that submit a job each time they fire. Each slot makes one job, whoever comes first."""

from dataclasses import dataclass, replace

import msgspec

from chalicelib.core import cron
from chalicelib.core.access import may_name
from chalicelib.core.change import apply_change, withdraw
from chalicelib.core.ids import is_id, slot_id
from chalicelib.core.job import WAITING, Event, Job, Millis
from chalicelib.core.records import Schedule, ScheduleMove
from chalicelib.core.schedule import Step, first_wake, give_up, plan
from chalicelib.core.times import from_millis, to_millis
from chalicelib.errors import Contended, LimitReached, NotFound, SortieError, Unavailable
from chalicelib.ports import ChangeRefused, Ports
from chalicelib.service import keys, log, notify, windows
from chalicelib.service.cancel import count_canceled
from chalicelib.service.inputs import Inputs
from chalicelib.service.new_job import Draft, NewJob, WindowWish, draft

PREFIX = "s-"
REMOVE_TRIES = 5
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
        created_at=now, last=now, next_run_at=first, wake_at=first_wake(first, ahead=_may_be_ahead(new)),
    )  # fmt: skip
    stands = ports.records.add_schedule(schedule)
    _fire_at_once(ports, schedule)
    return Added(stands, created=stands == schedule)


def _fire_at_once(ports: Ports, schedule: Schedule) -> None:
    """A first slot that is near may come before the next round of the dispatcher."""
    try:
        if schedule.wake_at <= ports.clock.now():
            fire(ports, schedule.id)
    except (Contended, Unavailable) as error:
        log.warning("schedule_left_to_the_dispatcher", schedule=schedule.id, reason=str(error))


def list_page(ports: Ports, owner: str, after: str | None, limit: int) -> tuple[list[Schedule], str | None]:
    """Oldest first, and the cursor of the next page (None at the end): the id without its prefix."""
    ids = [each for each in ports.records.schedule_ids(owner) if after is None or each > PREFIX + after]
    more = len(ids) > limit
    page = ids[:limit]
    return ports.records.get_schedules(page), page[-1].removeprefix(PREFIX) if more else None


def remove(ports: Ports, owner: str | None, schedule_id: str, *, by: str | None = None) -> None:
    """Once this returns, nothing that the schedule has made begins its first attempt, however near its slot: see
    `remove_read`. Raises NotFound, Contended."""
    remove_read(ports, get(ports, owner, schedule_id), by=by)


def remove_read(ports: Ports, schedule: Schedule, *, by: str | None = None) -> None:
    """Remove the schedule and cancel the job of its newest slot in one transaction; a job that an attempt has begun
    goes on. Where it fails, both stand. `by`: whose wish it is. Raises Contended."""
    stands: Schedule | None = schedule
    for _ in range(REMOVE_TRIES):
        if stands is None or _remove_once(ports, stands, by):
            return
        stands = ports.records.schedule(schedule.id)
    raise Contended("the schedule moves too fast to be removed: try again")


def _remove_once(ports: Ports, schedule: Schedule, by: str | None) -> bool:
    """False where schedule or job have moved meanwhile."""
    job = ports.jobs.get(slot_id(schedule.id, schedule.last))
    if job is None or job.status not in WAITING or job.attempts:
        return ports.records.remove_schedule(schedule)
    change = withdraw(job, ports.clock.now(), retention=ports.settings.retention, by=by)
    try:
        ports.jobs.cancel_slot(change, schedule)
    except ChangeRefused:
        return False
    after = apply_change(change, job)
    log.transition(Event.CANCEL, after, job.status)
    count_canceled(ports, after, job)
    return True


def get(ports: Ports, owner: str | None, schedule_id: str) -> Schedule:
    """`owner` None sees every owner's. Raises NotFound."""
    well_formed = schedule_id.startswith(PREFIX) and is_id(schedule_id.removeprefix(PREFIX))
    schedule = ports.records.schedule(schedule_id) if well_formed else None
    if schedule is None or not may_name(owner, schedule.owner):
        raise NotFound(f"there is no schedule {schedule_id!r}")
    return schedule


def fire(ports: Ports, schedule_id: str) -> None:
    """Make the job of the newest slot that has come up (missed ones are caught up once), and of the next one ahead of
    its time, each together with the move of the schedule.

    Whoever has read the schedule before somebody else moved or removed it changes nothing.
    """
    schedule = ports.records.schedule(schedule_id)
    while schedule is not None:
        now = ports.clock.now()
        if schedule.wake_at > now:
            return
        new = msgspec.json.decode(schedule.new_job, type=NewJob)
        step = plan(schedule, now, ahead=_may_be_ahead(new))
        schedule = step.after if step and _take(ports, schedule, new, step) else None


def _may_be_ahead(new: NewJob) -> bool:
    """A window is decided, and an upload is looked at, when the slot has come."""
    return new.window is None and new.upload is None


def _take(ports: Ports, schedule: Schedule, new: NewJob, step: Step) -> bool:
    """False where the schedule is not as it was read any more."""
    if step.slot is not None:
        try:
            return _make(ports, new, step.slot, ScheduleMove(schedule, step.after))
        except (Unavailable, Contended):
            raise
        except SortieError as error:
            log.warning("schedule_skipped", schedule=schedule.id, slot=step.slot, reason=str(error))
            step = give_up(schedule, step, ports.clock.now())
    return ports.records.move_schedule(ScheduleMove(schedule, step.after))


def _make(ports: Ports, new: NewJob, slot: Millis, move: ScheduleMove) -> bool:
    """The id derives from schedule and slot: where the version before has made the job, the schedule only moves on."""
    now, schedule_id = ports.clock.now(), move.seen.id
    new = replace(new, run_at=slot, schedule_id=schedule_id, slot_at=slot)
    drafted = draft(ports, new, slot_id(schedule_id, slot), now, Inputs(ports))
    try:
        row: Job | None = _insert(ports, drafted, new.window, move)
    except ChangeRefused:
        row = ports.jobs.get(drafted.job.id)
    if row is None:
        return False
    if row.id != drafted.job.id or row.created_at != now:
        return ports.records.move_schedule(move)
    log.transition("submit", row, None)
    notify.send(ports, [row], ports.clock.now())
    return True


def _insert(ports: Ports, drafted: Draft, wish: WindowWish | None, move: ScheduleMove) -> Job:
    if wish is not None:
        return windows.insert(ports, drafted, wish, move)
    drafted.place_input()
    ports.jobs.insert_slot(drafted.job, move)
    return drafted.job


def _next(line: str, timezone: str, after: Millis) -> Millis:
    return to_millis(cron.next_after(line, timezone, from_millis(after)))

"""When a schedule makes a job, and what becomes of its row: a step planned from the row and the time alone.

          wake                      slot              the slot after it
 ──────────┼───────── lead ──────────┼───────────────────────┼──────▶
           │ the job is made, and    │ SQS's delay is over:  │
           │ its message is sent     │ it runs               │

`last` is the newest slot that has a job. It may lie ahead, and until it has come no other is made: one slot at most is
ahead. Slots that nobody made in their time are caught up once, by the newest of them.
"""

from dataclasses import dataclass, replace

from chalicelib.core import cron
from chalicelib.core.job import Millis
from chalicelib.core.records import Schedule
from chalicelib.core.times import from_millis, to_millis

LEAD_MS: Millis = 150_000
"""How long before its slot a job is made: more than two rounds of the dispatcher, and well within SQS's delay."""


@dataclass(frozen=True, slots=True)
class Step:
    """`slot`: the one to make a job for (None: none yet). `after`: the row from then on."""

    slot: Millis | None
    after: Schedule


def plan(schedule: Schedule, now: Millis, *, ahead: bool) -> Step | None:
    """None where there is nothing to do yet. `ahead`: the job may be made before its slot. Each step moves the wake
    time on, so that whoever has read the row before it is too late. Raises ValueError where the zone has gone."""
    if schedule.wake_at > now:
        return None
    due, following = _latest_due(schedule, now), _next(schedule, max(now, schedule.last))
    if due is not None:
        return Step(due, _wait(schedule, due, following, ahead=ahead))
    if ahead and schedule.last <= now and following - now <= LEAD_MS:
        return Step(following, _wait(schedule, following, _next(schedule, following), ahead=ahead))
    return Step(None, _wait(schedule, schedule.last, following, ahead=ahead))


def give_up(schedule: Schedule, step: Step, now: Millis) -> Step:
    """The job cannot be made: ahead of its slot there is another try when that has come, and then it is left out."""
    if step.slot is None or step.slot <= now:
        return replace(step, slot=None)
    return Step(None, replace(schedule, next_run_at=step.slot, wake_at=step.slot))


def first_wake(first: Millis, *, ahead: bool) -> Millis:
    """When a new schedule must first be looked at."""
    return first - LEAD_MS if ahead else first


def next_slot(schedule: Schedule, now: Millis) -> Millis:
    """The next one that has not run: the one that is ahead, or else the one after the last."""
    is_ahead = schedule.last > max(now, schedule.created_at)
    return schedule.last if is_ahead else schedule.next_run_at


def _wait(schedule: Schedule, last: Millis, following: Millis, *, ahead: bool) -> Schedule:
    """Until the lead before the next slot, and at least until the last one has come."""
    wake_at = max(last + 1, following - LEAD_MS) if ahead else following
    return replace(schedule, last=last, next_run_at=following, wake_at=wake_at)


def _latest_due(schedule: Schedule, now: Millis) -> Millis | None:
    slot = cron.latest_due(schedule.cron, schedule.timezone, from_millis(schedule.last), from_millis(now))
    return None if slot is None else to_millis(slot)


def _next(schedule: Schedule, after: Millis) -> Millis:
    return to_millis(cron.next_after(schedule.cron, schedule.timezone, from_millis(after)))
